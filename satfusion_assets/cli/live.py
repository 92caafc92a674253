"""The live archives, tried for real with the platform's own readers: one scene, one month's cube, one summary.

What comes is read as acquisition reads it; whatever the readers leave out, or refuse, is a difference from what they
expect. Nothing is published.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.vocabulary.errors import NoData, SatfusionError
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.settings import S3Product, Settings
from satfusion_assets.vocabulary.sites import Site

if TYPE_CHECKING:
    from satfusion_assets.archives.retry import RetryPolicy

MID_SEASON: Final = 7
"""July: scenes without snow in the north, and overpasses everywhere but in a polar night."""
LONGEST_JOB_S: Final = 1800.0
"""A month of a few pixels takes the back-end minutes; half an hour means that it does not come today."""
_MOST_TOLD: Final = 10
_QUERY: Final = re.compile(r"(https?://[^\s?#'\"]+)[?#][^\s'\"]*")
_LOGIN: Final = re.compile(r"(https?://)[^\s/@]+@")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


@dataclass(frozen=True)
class Probe:
    """What came of one archive. differences: sentences, none = all is as the readers expect. facts: what was seen."""

    archive: str
    differences: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def try_archives(settings: Settings, site: Site, today: date) -> Iterator[Probe]:
    """Ask each archive for one thing of ``site``; what goes wrong with one is said, and the next is asked."""
    month = probe_month(site, today)
    probes: dict[str, Callable[[Settings, Site, tuple[date, date]], Probe]] = {
        "Earth Search": _scene,
        "Copernicus openEO": _cube,
        "PhenoCam": _summary,
    }
    for archive, probe in probes.items():
        try:
            yield probe(settings, site, month)
        except SatfusionError as error:
            yield Probe(archive, (str(error),))


def probe_month(site: Site, today: date) -> tuple[date, date]:
    """First and last day of the month to ask for: July of the site's latest season, or the last month that is over."""
    wanted = date(max(site.seasons, default=today.year), MID_SEASON, 1)
    over = date(today.year - (today.month == 1), (today.month - 2) % 12 + 1, 1)
    first = min(wanted, over)
    return first, first.replace(day=monthrange(first.year, first.month)[1])


def _scene(settings: Settings, site: Site, month: tuple[date, date]) -> Probe:
    """The clearest scene of the month over the site."""
    from satfusion_assets.archives.earth_search import read_scene, search_scenes
    from satfusion_assets.archives.http import HttpArchive
    from satfusion_assets.archives.retry import THROTTLED

    grid, policy = site_grid(site), _briefly(settings)
    found = search_scenes(settings.earth_search_url, settings.s2_collection, grid.fine, *month, policy)
    differences = [f"An item cannot be used: {why}" for why in found.malformed.values()]
    if not found.scenes:
        raise NoData(f"Earth Search has no scene of {site.name} from {month[0]} to {month[1]}.")
    whole = [scene for scene in found.scenes if scene.lacks is None] or list(found.scenes)
    scene = min(whole, key=lambda one: 100.0 if one.cloud_cover is None else one.cloud_cover)
    facts: dict[str, Any] = {
        "collection": scene.collection, "items": len(found.scenes), "item": scene.id, "assets": ", ".join(scene.found),
        "baseline": scene.baseline, "offset applied": scene.boa_offset_applied, "epsg": scene.epsg,
    }  # fmt: skip
    try:
        with HttpArchive("Earth Search", policy, transient=THROTTLED) as archive:
            pixels = read_scene(archive, scene, grid)
    except SatfusionError as error:
        return Probe("Earth Search", (*differences, str(error)), facts)
    valid = pixels.bands[:, (pixels.bands > 0).all(axis=0)]
    facts |= {
        "offset subtracted": f"{pixels.offset.subtract} ({pixels.offset.why})",
        "view zenith": pixels.view_zenith,
        "valid pixels": f"{valid.shape[1]} of {pixels.bands[0].size}",
        "mean of each band": valid.mean(axis=1).round().tolist() if valid.size else None,
        "SCL classes": sorted(map(int, set(pixels.scl.ravel()))),
    }
    return Probe("Earth Search", tuple(differences), facts)


def _cube(settings: Settings, site: Site, month: tuple[date, date]) -> Probe:
    """One month of Sentinel-3 over the site, as one job."""
    from satfusion_assets.archives.copernicus import (
        CUBE_PRODUCTS,
        BackEnd,
        Credentials,
        JobLedger,
        overpasses_on_grid,
        quarterly_requests,
        read_cube,
        run_requests,
    )
    from satfusion_assets.archives.copernicus.netcdf import open_netcdf
    from satfusion_assets.archives.http import HttpArchive

    if settings.s3_product is S3Product.NONE:
        return Probe("Copernicus openEO", (), {"product": "none: Sentinel-2 alone, so nothing was asked for"})
    grid, policy = site_grid(site), _briefly(settings)
    request = quarterly_requests(CUBE_PRODUCTS[settings.s3_product], grid, *month)[0]
    back_end = BackEnd(settings.openeo_url, Credentials.of(settings), policy)
    collection = back_end.describe(request.product.collection)
    facts: dict[str, Any] = {"collection": request.product.collection, "title": collection.get("title")}
    with TemporaryDirectory() as folder, HttpArchive("Copernicus openEO", policy) as files:
        ledger = JobLedger(Path(folder) / "jobs.json", month[1])
        (result,) = run_requests(
            back_end, files, [request], ledger,
            lambda content, wanted: read_cube(content, wanted, wanted.title),
            poll_s=min(settings.openeo_poll_s, 5.0), give_up_s=LONGEST_JOB_S,
        )  # fmt: skip
    if result.trouble is not None:
        return Probe("Copernicus openEO", (str(result.trouble),), facts)
    if result.content is None:
        return Probe("Copernicus openEO", (f"It says that it has nothing from {month[0]} to {month[1]}.",), facts)
    with open_netcdf(result.content) as dataset:
        facts |= {
            "sizes": dict(dataset.sizes),
            "variables": {str(name): f"{of.dtype} {of.dims}" for name, of in dataset.variables.items()},
            "attributes": sorted(map(str, dataset.attrs)),
        }
    cube = read_cube(result.content, request, request.title)
    overpasses, dropped = overpasses_on_grid([cube], grid)
    facts |= {"bytes": len(result.content), "overpasses": len(overpasses), "impossible": int(cube.impossible.sum())}
    return Probe("Copernicus openEO", tuple(f"A step is left out: {step.reason}" for step in dropped), facts)


def _summary(settings: Settings, site: Site, month: tuple[date, date]) -> Probe:
    """The camera, its regions, and the summary of the one that would be used."""
    from satfusion_assets.archives.http import HttpArchive
    from satfusion_assets.archives.phenocam import PhenoCam, choose_region

    season = site.season(month[0].year) if month[0].year in site.seasons else None
    start, end = (season.start, season.end) if season else month
    with HttpArchive("PhenoCam", _briefly(settings)) as http:
        archive = PhenoCam(settings.phenocam_url, http)
        camera = archive.camera(site.name)
        regions = archive.regions(site.name)
        choice = choose_region(site, regions, start, end)
        answer, days = archive.one_day_summary(choice.region, {})
    left_out = [*regions.left_out, *days.left_out]
    facts = {
        "camera": f"orientation {camera.orientation or 'not said'}, vegetation {camera.vegetation or 'not said'}",
        "regions": ", ".join(region.name for region in regions),
        "region": f"{choice.region.name}: {choice.why}",
        "bytes": len(answer.body),
        "days": f"{len(days)}, {days[0].day} to {days[-1].day}" if len(days) else "none",
        "days with snow": sum(day.snow is True for day in days),
    }
    return Probe("PhenoCam", tuple(f"Left out: {one}" for one in left_out), facts)


def _briefly(settings: Settings) -> RetryPolicy:
    """Two tries: who asks whether an archive answers does not wait for a quarter of an hour."""
    from satfusion_assets.archives.retry import RetryPolicy

    return replace(RetryPolicy.of(settings), attempts=2)


def report(probes: list[Probe], site: Site, software: str, settings: Settings) -> str:
    """What was seen, as a text to send in: without credentials, signed links, mail addresses and local paths."""
    lines = [f"satfusion doctor --live {site.name}, {software}", f"Sentinel-3 product: {settings.s3_product}"]
    for probe in probes:
        lines += ["", f"## {probe.archive}", ""]
        lines += [f"DIFFERS: {text}" for text in differences(probe)] or ["As the readers expect."]
        lines += [f"{name}: {value}" for name, value in probe.facts.items()]
    return redacted("\n".join([*lines, ""]), settings)


def differences(probe: Probe) -> list[str]:
    """The first differences, and how many more there are."""
    more = len(probe.differences) - _MOST_TOLD
    return [*probe.differences[:_MOST_TOLD], *([f"{more} more of the kind."] if more > 0 else [])]


def redacted(text: str, settings: Settings) -> str:
    """``text`` without anything that is only its sender's."""
    secrets = [settings.cdse_user, settings.cdse_client_id, settings.cdse_password, settings.cdse_client_secret]
    for secret in secrets:
        value = secret if isinstance(secret, str) or secret is None else secret.get_secret_value()
        text = text.replace(value, "[credential]") if value else text
    for folder, name in ((settings.data_root.absolute(), "[data root]"), (Path.home(), "~")):
        text = text.replace(str(folder), name) if folder != Path("/") else text
    text = _QUERY.sub(r"\1?[removed]", _LOGIN.sub(r"\1[removed]@", text))
    return _MAIL.sub("[address]", text)
