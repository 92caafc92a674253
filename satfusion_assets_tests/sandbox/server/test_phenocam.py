"""PhenoCam's API as httpx sees it."""

from __future__ import annotations

from urllib.parse import urljoin

import httpx

from satfusion_assets.sandbox.server.run import ServerProcess
from satfusion_assets_tests.sandbox.server.fake_world import MIDDAY_IMAGES, SITE


def test_pages_lead_through_all_records_and_back(server: ServerProcess) -> None:
    url: str | None = f"{server.url}/api/middayimages/?site={SITE}&limit=120"
    dates, pages = [], []
    while url:
        page = httpx.get(url).json()
        assert page["count"] == MIDDAY_IMAGES
        dates += [record["imgdate"] for record in page["results"]]
        pages.append(page)
        url = page["next"]
    assert len(set(dates)) == len(dates) == MIDDAY_IMAGES
    assert dates == sorted(dates)
    assert [page["previous"] is None for page in pages] == [True, False, False]
    assert httpx.get(pages[1]["previous"]).json()["results"] == pages[0]["results"]


def test_the_history_of_one_site_comes_as_a_plain_list_in_one_answer(server: ServerProcess) -> None:
    images = httpx.get(f"{server.url}/api/middayimages/{SITE}/").json()
    assert len(images) == MIDDAY_IMAGES
    picture = httpx.get(urljoin(server.url, images[-1]["imgpath"]))
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/jpeg"


def test_cameras_and_regions_are_listed_and_filtered(server: ServerProcess) -> None:
    cameras = httpx.get(f"{server.url}/api/cameras/").json()
    assert [camera["Sitename"] for camera in cameras["results"]] == [SITE, "laret"]
    assert httpx.get(f"{server.url}/api/cameras/laret/").json()["Lat"] == 46.8
    assert httpx.get(f"{server.url}/api/cameras/none/").status_code == 404
    regions = httpx.get(f"{server.url}/api/roilists/", params={"site": SITE, "limit": 10000}).json()
    assert regions["count"] == 1
    assert regions["next"] is None


def test_a_forgotten_slash_is_redirected_for_good_with_its_query(server: ServerProcess) -> None:
    answer = httpx.get(f"{server.url}/api/roilists?site=laret")
    assert answer.status_code == 301
    followed = httpx.get(f"{server.url}/api/roilists?site=laret", follow_redirects=True).json()
    assert [region["site"] for region in followed["results"]] == ["laret"]
