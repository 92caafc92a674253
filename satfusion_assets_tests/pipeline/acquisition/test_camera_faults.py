"""What PhenoCam lists and cannot give costs itself: a region, a day, a picture; never the season, never in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from satfusion_assets.pipeline.acquisition.watch import watch_phenocam
from satfusion_assets.pipeline.outcome import Outcome
from satfusion_assets.store import ProductStore
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid, ArchiveUnavailable
from satfusion_assets_tests.pipeline.acquisition.conftest import SEASON, Sandbox, product

OWN = r"innsbruck_GR_1000_1day\.csv$"
LIST = "^/api/roilists/"
THREE_DAYS = [["Aggregation Period: 1", "Aggregation Period: 3"]]
DRAWN = {
    "roi_name": "innsbruck_GR_2000", "site": "innsbruck", "roitype": "GR", "sequence_number": 2000, "active": True,
    "first_date": None, "last_date": None, "one_day_summary": None,
}  # fmt: skip


def listed(*entries: dict[str, Any]) -> dict[str, Any]:
    """A rule that puts ``entries`` before those of the camera's list of regions."""
    more = "".join(json.dumps(entry) + "," for entry in entries)
    return {
        "path": LIST,
        "kind": "rewrite",
        "rewrites": [[r'"results":\[', f'"results":[{more}'], [r'"count":\d+,', ""]],
    }


def acquired(sandbox: Sandbox, store: ProductStore) -> tuple[Outcome, dict[str, Any]]:
    """The outcome, and the published record of the regions."""
    outcome = sandbox.acquire("raw_phenocam", store)
    with store.read(product("raw_phenocam")) as view:
        return outcome, view.read_json("raw/phenocam/rois.json")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"kind": "status", "status": 404}, "PhenoCam has nothing at"),
        ({"kind": "status", "status": 403}, "PhenoCam does not give away"),
        ({"kind": "rewrite", "rewrites": THREE_DAYS}, "sums up 3 days a row"),
        ({"kind": "rewrite", "rewrites": [["gcc_90", "gcc_91"]]}, "has no column 'gcc_90'"),
        (
            {"kind": "rewrite", "rewrites": [[r"^2024-", "2014-"], [r",2024,", ",2014,"]]},
            "it has no usable day in 2024",
        ),
    ],
    ids=["not there", "forbidden", "three-day", "another table", "without the season"],
)
def test_the_next_best_region_is_taken_with_the_reason(
    sandbox: Sandbox, store: ProductStore, rule: dict[str, Any], reason: str
) -> None:
    sandbox.fault(path=OWN, **rule)
    outcome, record = acquired(sandbox, store)
    assert record["chosen"] != "innsbruck_GR_1000"
    assert "no region of vegetation GR" in record["chosen_by"]
    assert "not innsbruck_GR_1000: " in record["chosen_by"]
    assert reason in record["chosen_by"]
    assert outcome.notes["region"] == record["chosen"]


def test_a_region_that_comes_back_is_the_sites_again(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.fault(path=OWN, kind="status", status=404)
    assert acquired(sandbox, store)[1]["chosen"] != "innsbruck_GR_1000"
    sandbox.heal()
    assert acquired(sandbox, store)[1]["chosen"] == "innsbruck_GR_1000"


def test_news_is_looked_for_where_an_acquisition_would_look(sandbox: Sandbox) -> None:
    sandbox.fault(path=OWN, kind="status", status=404)
    sighting = watch_phenocam(sandbox.settings(), sandbox.site, SEASON, None)
    assert sighting.token.startswith("innsbruck_EN_2000 until 2024-01-16")
    sandbox.heal()
    assert watch_phenocam(sandbox.settings(), sandbox.site, SEASON, sighting).token.startswith("innsbruck_GR_1000")


def test_a_summary_that_does_not_come_just_now_does_not_change_the_vegetation(
    sandbox: Sandbox, store: ProductStore
) -> None:
    sandbox.fault(path=OWN, kind="status", status=500)
    with pytest.raises(ArchiveUnavailable, match=r"innsbruck_GR_1000_1day\.csv \(HTTP 500"):
        sandbox.acquire("raw_phenocam", store)
    sandbox.fault(
        **listed(
            DRAWN
            | {"first_date": "2024-01-02", "last_date": "2024-01-12", "one_day_summary": copy_of(sandbox, "GR_1000")}
        )
    )
    outcome, record = acquired(sandbox, store)
    assert record["chosen"] == "innsbruck_GR_2000"
    assert "not innsbruck_GR_1000: PhenoCam did not answer" in record["chosen_by"]
    assert outcome.numbers["set_aside"] == 1


def copy_of(sandbox: Sandbox, region: str) -> str:
    """Another address of a region's summary, which the rules for the first do not strike."""
    return f"{sandbox.url}/data/archive/innsbruck/ROI/innsbruck_{region}_1day.csv?copy"


def test_regions_that_are_bad_for_good_are_set_aside(sandbox: Sandbox, store: ProductStore) -> None:
    """With the site's own region here, the others only stand beside it."""
    whole, _ = acquired(sandbox, store)
    broken = DRAWN | {"roi_name": "innsbruck_AG_3000", "roitype": "AG", "one_day_summary": "/data/nowhere.csv"}
    sandbox.fault(**listed(broken, DRAWN, {"site": "innsbruck", "roitype": None, "roi_name": "innsbruck_XX_1"}))
    outcome, record = acquired(sandbox, store)
    assert record["chosen"] == "innsbruck_GR_1000"
    assert outcome.numbers["days_used"] == whole.numbers["days_used"]
    assert {(one["source"], one["kind"]) for one in record["set_aside"]} == {
        ("innsbruck_AG_3000", "unreadable"),
        ("innsbruck_XX_1", "malformed"),
    }


@pytest.mark.parametrize("gcc", ["-0.36535", "1.36535", "Infinity"])
def test_a_bad_day_costs_itself_until_it_is_mended(sandbox: Sandbox, store: ProductStore, gcc: str) -> None:
    """The archive mends it without another tag, so a summary with bad lines is asked for anew each time."""
    columns = r"^(2024-01-\d\d(?:,[^,\n]+){19}),\d\.\d+"
    sandbox.fault(path=OWN, kind="rewrite", rewrites=[[columns.replace(r"\d\d(", r"15("), rf"\1,{gcc}"]])
    outcome, record = acquired(sandbox, store)
    (bad,) = record["set_aside"]
    assert bad["kind"] == "malformed"
    assert bad["source"].startswith("innsbruck_GR_1000, line ")
    sandbox.heal()
    mended, record = acquired(sandbox, store)
    assert record["set_aside"] == []
    assert mended.numbers["days_used"] == outcome.numbers["days_used"] + 1
    sandbox.forget_requests()
    sandbox.acquire("raw_phenocam", store)
    assert {entry["status"] for entry in sandbox.requests("/data/") if entry["path"].endswith(".csv")} == {304}


def test_a_byte_order_mark_and_blank_lines_cost_nothing(sandbox: Sandbox, store: ProductStore) -> None:
    whole, _ = acquired(sandbox, store)
    sandbox.fault(path=OWN, kind="rewrite", rewrites=[[r"\A", "\ufeff"], ["^2024-01-15", "   \n\n2024-01-15"]])
    again = ProductStore(store.root.parent / "again")
    outcome, record = acquired(sandbox, again)
    assert record["set_aside"] == []
    assert outcome.manifest.version == whole.manifest.version


@pytest.mark.parametrize("status", [401, 403, 404])
def test_one_refused_picture_costs_itself(sandbox: Sandbox, store: ProductStore, status: int) -> None:
    whole, record = acquired(sandbox, store)
    name, path = max(record["pictures"].items())
    sandbox.fault(path=path, kind="status", status=status)
    again = ProductStore(store.root.parent / "again")
    outcome, record = acquired(sandbox, again)
    assert outcome.numbers["pictures"] == whole.numbers["pictures"] - 1
    (bad,) = record["set_aside"]
    assert (bad["name"], bad["source"], bad["kind"]) == (name, path, "unreadable")


@pytest.mark.parametrize("which", [r"_2024_01_1\d_\d{6}\.jpg$", r"_2024_\d\d_\d\d_\d{6}\.jpg$"])
@pytest.mark.parametrize("status", [403, 404])
def test_many_refused_pictures_cost_themselves(sandbox: Sandbox, store: ProductStore, which: str, status: int) -> None:
    """Greenness needs none of them; the record names each, and the check of coverage counts them."""
    sandbox.fault(path=which, kind="status", status=status)
    outcome, record = acquired(sandbox, store)
    lost = [one for one in record["set_aside"] if one["kind"] == "unreadable"]
    assert len(lost) == len(record["pictures"]) - outcome.numbers["pictures"] > 0.1 * len(record["pictures"])
    assert outcome.numbers["days_used"] > 0


def test_a_malformed_list_of_pictures_costs_the_pictures(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.fault(path="^/api/middayimages/", kind="rewrite", rewrites=[[r"\.jpg", ".bmp"]])
    outcome, record = acquired(sandbox, store)
    assert outcome.numbers["pictures"] == 0
    (bad,) = record["set_aside"]
    assert (bad["source"], bad["kind"]) == ("midday pictures", "malformed")


def test_a_missing_list_of_pictures_costs_the_pictures(sandbox: Sandbox, store: ProductStore) -> None:
    sandbox.fault(path="^/api/middayimages/", kind="status", status=404)
    outcome, record = acquired(sandbox, store)
    assert outcome.numbers["pictures"] == 0
    assert outcome.numbers["days_used"] > 0
    (bad,) = record["set_aside"]
    assert (bad["source"], bad["kind"]) == ("midday pictures", "missing")


@pytest.mark.parametrize("link", ["17", "true", '"http://["', '"s3://bucket/list"'])
def test_a_next_link_that_is_no_link_is_one_sentence(sandbox: Sandbox, store: ProductStore, link: str) -> None:
    sandbox.fault(path=LIST, kind="rewrite", rewrites=[['"next":null', f'"next":{link}']])
    with pytest.raises(ArchiveAnswerInvalid, match="^PhenoCam gave a link that is no address: [^\n]+$"):
        sandbox.acquire("raw_phenocam", store)
