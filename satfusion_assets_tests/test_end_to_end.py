"""From nothing to metrics.json on the sandbox: the real clients, the real instance, every product of all scenarios."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import odc.stac
import pandas as pd
import pyarrow.parquet as pq
import pystac
import pystac_client
import pytest
import rasterio
import requests
import xarray as xr
from PIL import Image
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.validation import validate_dict
from pystac_client.warnings import NoConformsTo
from rio_cogeo.cogeo import cog_validate
from stac_geoparquet.arrow import stac_table_to_items

from satfusion_assets.pipeline.fused.files import FusedLayout
from satfusion_assets.pipeline.metrics.files import METRICS_FILE, SKILL_FILE
from satfusion_assets.pipeline.metrics.verdict import season_verdict
from satfusion_assets.pipeline.prepared.files import PreparedLayout
from satfusion_assets.pipeline.processed.files import ProcessedLayout
from satfusion_assets.sampling.series import sample_series
from satfusion_assets.sampling.window import site_pixel
from satfusion_assets.sandbox.landscape import Landscape
from satfusion_assets.sandbox.server.run import SandboxProcess
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.rasters import read_raster
from satfusion_assets.vocabulary import indices
from satfusion_assets.vocabulary.days import day_of
from satfusion_assets.vocabulary.grid import site_grid
from satfusion_assets.vocabulary.scenarios import RECOMMENDED, SCENARIOS, Mode, Scenario, Strategy
from satfusion_assets.vocabulary.sites import SiteRegistry, SiteSeason
from satfusion_assets_tests.manual import DOCS, follow

pytestmark = pytest.mark.timeout(1500)

SEASON = SiteSeason("innsbruck", 2024)
SCORES = {"pearson_r", "r_squared", "rmse", "mae", "nrmse", "nse_pc", "nse", "n_samples", "date_range"}
LABELS = {"scenario_keys", "sentinel3", "period"}


@dataclass(frozen=True)
class Installation:
    """A data root, a Dagster home and a sandbox of their own."""

    root: Path
    environment: dict[str, str]

    @property
    def store(self) -> ProductStore:
        return ProductStore(self.root / "data")

    @property
    def folder(self) -> Path:
        return self.store.folder(SEASON)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "satfusion_assets.cli", *arguments]
        environment = os.environ | self.environment
        return subprocess.run(command, env=environment, cwd=self.root, capture_output=True, text=True, check=False)

    def versions(self) -> dict[str, str]:
        return {f"{item.product}.{item.variant}": item.version for item in self.store.products(SEASON)}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    root = tmp_path_factory.mktemp("installation")
    home = root / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    registry = SiteRegistry.load(root / "data" / "sites.geojson")
    registry.add(registry.site("innsbruck"))
    with SandboxProcess(root / "sandbox", registry.path) as sandbox:
        environment = sandbox.environment() | {"DAGSTER_HOME": str(home), "SATFUSION_OPENEO_POLL_S": "0.2"}
        installation = Installation(root, environment)
        finished = installation.run("materialize", "innsbruck", "2024")
        assert finished.returncode == 0, finished.stderr[-3000:]
        yield installation


def test_every_product_of_every_scenario_is_there_whole(installation: Installation) -> None:
    for manifest in installation.store.products(SEASON):
        product = Product(manifest.product, SEASON, manifest.variant)
        assert installation.store.verify(product) == []
    versions = installation.versions()
    for scenario in SCENARIOS:
        for name in ("fused", "processed", "scenario_metrics"):
            assert f"{name}.{scenario.key}" in versions
    for strategy in Strategy:
        assert {f"prepared_bti.{strategy}", f"prepared_itb.{strategy}"} <= versions.keys()
    assert {"raw_s2.", "raw_s3.", "raw_phenocam.", "preselected.", "camera_phenology.", "metrics."} <= versions.keys()


def test_the_verdict_names_the_number_of_the_viewers_first_page(installation: Installation) -> None:
    """And only the recommended scenario is held against Sentinel-2 alone, on its own strategy's scenes."""
    verdict = season_verdict(
        installation.store, SiteRegistry.load(installation.root / "data" / "sites.geojson").site("innsbruck"), SEASON
    )
    skill = json.loads((installation.folder / SKILL_FILE).read_text())
    own = next(iter(skill["regions"].values()))["scenarios"][RECOMMENDED.key]["calibrated"]
    assert (verdict.nse, list(verdict.nse_interval)) == (own["nse"], own["nse_interval"])
    (row,) = (
        row
        for row in skill["against_baselines"]
        if (row["first"], row["second"]) == (RECOMMENDED.key, f"s2_masked_whittaker_lambda400_{RECOMMENDED.strategy}")
    )
    assert verdict.against_s2.rmse_second == row["rmse_second"]
    assert verdict.turns["green-up"].days_late is not None
    days = json.loads((installation.folder / ProcessedLayout(RECOMMENDED).series("gcc", "fusion")).read_text())
    known = [row for row in days if row["greenness_index"] is not None]
    assert verdict.days_without == verdict.season_days - len(known)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.key)
def test_the_contracts_files_lie_at_their_paths(installation: Installation, scenario: Scenario) -> None:
    folder = installation.folder
    prepared, fused = PreparedLayout(scenario.strategy, scenario.mode), FusedLayout(scenario)
    images = sorted((folder / fused.folder).glob(f"{prepared.kind}_*.tif"))
    assert len(images) > 250
    scenes = sorted((folder / prepared.folder / "s2").glob(f"S2A_MSIL2A_*_{prepared.kind}.tif"))
    assert len(scenes) > 30
    for scene in scenes:
        assert (folder / prepared.cloud_distance(day_of(scene.name))).exists()
    assert cog_validate(str(images[0]), quiet=True)[0]
    kinds = ["gcc"] if scenario.mode is Mode.ITB else ["gcc", "ndvi", "bands"]
    for source in ("s2", "s3", "fusion"):
        days = sorted((folder / ProcessedLayout(scenario).folder / source).glob("*_0.geotiff"))
        for kind in kinds:
            series = json.loads((folder / ProcessedLayout(scenario).series(kind, source)).read_text())  # type: ignore[arg-type]
            assert [row["filename"] for row in series] == [path.name for path in days]


def test_what_archives_say_of_their_data_is_in_everything_made_from_them(installation: Installation) -> None:
    """The sandbox's archives say that they are synthetic, in the fields that archives have for such words."""
    for manifest in installation.store.products(SEASON):
        assert manifest.parameters["sources"], manifest.product
        assert all("synthetic" in text.lower() for text in manifest.parameters["sources"]), manifest.product
    for pack in (f"packs/{RECOMMENDED.key}.zarr", FusedLayout(RECOMMENDED).quality):
        said = json.loads((installation.folder / pack / "zarr.json").read_text())["attributes"]
        assert "synthetic" in said["SOURCES"].lower(), pack
    for path in (
        installation.folder / FusedLayout(RECOMMENDED).image(date(2024, 6, 1)),
        next((installation.folder / "raw/s3").glob("*.geotiff")),
    ):
        with rasterio.open(path) as raster:
            assert "synthetic" in raster.tags()["SOURCES"].lower(), path.name


def test_the_prepared_stage_has_its_series_at_the_site(installation: Installation) -> None:
    """Reflectance has three kinds of five sources, greenness one, in both strategies: 40 files."""
    folder = installation.folder
    site = SiteRegistry.load(installation.root / "data" / "sites.geojson").site("innsbruck")
    written = sorted(path.relative_to(folder) for path in folder.glob("prepared_*/*/*/timeseries.json"))
    assert len(written) == 40
    for path in written:
        stage, kind, source, _ = path.parts
        rows = json.loads((folder / path).read_text())
        images = sorted(path for path in (folder / stage / source).glob("*.tif") if "DIST_CLOUD" not in path.name)
        assert [row["filename"] for row in rows] == [image.name for image in images], path
        grid = site_grid(site).coarse if source == "s3" else site_grid(site).fine
        row, col = site_pixel(grid, site.latitude, site.longitude) or (-1, -1)
        for number in (0, len(images) // 2, len(images) - 1):
            image, day = read_raster(images[number]).values, np.array([day_of(images[number].name)], "datetime64[D]")
            sample = sample_series([image], day, [images[number].name], row, col).samples[0]
            wanted = {"gcc": [sample.gcc], "ndvi": [sample.ndvi], "bands": sample.positive_bands}[kind]
            found = [value for name, value in rows[number].items() if name not in ("date", "filename")]
            np.testing.assert_allclose(np.array(found, float), wanted, rtol=1e-6)


def test_the_contracts_baselines_rest_on_the_scenes_that_preselection_kept(installation: Installation) -> None:
    """As the thesis computes them: raw scenes without any mask, smoothed over the margins of the season as well."""
    folder = installation.folder
    camera = {row["date"][:10] for row in json.loads((folder / "raw/phenocam/phenocam_gcc.json").read_text())}
    scenes = json.loads((folder / "raw/preselection/s2_preselection.json").read_text())
    baseline = json.loads((folder / METRICS_FILE).read_text())["baseline"]
    for strategy in Strategy:
        kept = [row for row in scenes if not row[f"excluded_{strategy}"] and row["greenness_index"] is not None]
        days = {row["date"][:10] for row in kept}
        assert baseline["s2_cloudfree"][strategy]["n_samples"] == len(days & camera)
        smoothed = {day for day in camera if min(days) <= day <= max(days)}
        assert baseline["s2_whittaker_lambda400"][strategy]["n_samples"] == len(smoothed)
        assert baseline["s2_masked"][strategy]["n_samples"] < len(days & camera), "clouds over the camera are masked"


def test_metrics_json_has_the_contracts_shape(installation: Installation) -> None:
    metrics = json.loads((installation.folder / "metrics.json").read_text())
    assert metrics.keys() == {"phenocam_stats", "temporal", "baseline", "derived", *LABELS}
    assert metrics["scenario_keys"] == {scenario.score_key: scenario.key for scenario in SCENARIOS}
    assert metrics["temporal"].keys() == {scenario.score_key for scenario in SCENARIOS}
    for scores in metrics["temporal"].values():
        assert scores.keys() >= SCORES
        assert scores["nse"] > 0.3
        assert scores["pearson_r2"] == pytest.approx(scores["pearson_r"] ** 2)
    masked = {"s2_masked", "s2_masked_whittaker_lambda400"}
    assert metrics["baseline"].keys() == {"s2", "s2_cloudfree", "s2_whittaker_lambda400", "s3"} | masked
    assert len(metrics["derived"]["bti_vs_itb_mean_residual"]) == 4


def test_every_score_names_the_sentinel3_product_that_it_rests_on(installation: Installation) -> None:
    product = "olci_l1b, top-of-atmosphere reflectance"
    for scenario in SCENARIOS:
        scores = json.loads((installation.folder / ProcessedLayout(scenario).scores).read_text())
        assert scores["sentinel3"] == product
    for name in (METRICS_FILE, SKILL_FILE):
        assert json.loads((installation.folder / name).read_text())["sentinel3"] == product


def test_the_table_of_all_site_seasons_has_every_series_of_every_region(installation: Installation) -> None:
    import pandas as pd

    frame = pd.read_parquet(installation.root / "data" / "tables" / "scores.parquet")
    assert set(frame["s3_level"]) == {"TOA"}
    assert frame.groupby("region", sort=False).size().to_dict() == {"innsbruck_GR_1000": 23, "innsbruck_EN_2000": 23}
    own = frame[frame["own_region"] & (frame["kind"] == "scenario")]
    assert set(own["series"]) == {scenario.key for scenario in SCENARIOS}
    assert own["nse_pc"].notna().all(), "the contract's spelling in metrics.json is found under the platform's"
    assert (own["calibrated_nse_low"] < own["calibrated_nse"]).all()


def test_the_stac_catalogue_leads_to_the_fused_season(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each object meets the core schemas, and one call opens a season: its pack, or its images by odc-stac."""
    monkeypatch.setattr(requests.Session, "send", lambda *_, **__: pytest.fail("STAC needs no network"))
    root = installation.root / "data" / "tables" / "stac"
    with pytest.warns(NoConformsTo):  # static files conform to nothing, and say so
        client = pystac_client.Client.open(str(root / "catalog.json"))
    items = {item.id: item for item in pystac.Catalog.get_items(client, recursive=True)}
    for one in (client, *client.get_children(), *items.values()):
        validate_dict(one.to_dict(include_self_link=False) | {"stac_extensions": []})
    assert items.keys() == {f"{SEASON.key}_{scenario.key}" for scenario in SCENARIOS}
    item = items[f"{SEASON.key}_{RECOMMENDED.key}"]
    assert "synthetic" in item.properties["description"].lower()

    season = xr.open_zarr(item.assets["pack"].get_absolute_href(), consolidated=False)
    days = pystac.ItemCollection.from_file(item.assets["days"].get_absolute_href())
    for day in days:
        day.set_self_href(item.assets["days"].get_absolute_href())  # what its relative addresses begin from
    loaded = odc.stac.load(list(days)[100:104], bands=["red", "nir08"])
    np.testing.assert_array_equal(loaded.nir08, season.fused.sel(band="nir")[100:104])

    image = next(iter(days)).assets["image"]
    content = Path(image.get_absolute_href()).read_bytes()
    told = FileExtension.ext(image)
    assert (told.size, told.checksum) == (len(content), f"1220{hashlib.sha256(content).hexdigest()}")
    with rasterio.open(image.get_absolute_href()) as raster:
        projection = ProjectionExtension.ext(next(iter(days)))
        assert (projection.code, tuple(projection.shape)) == (str(raster.crs), raster.shape)
        assert list(projection.transform) == list(raster.transform)[:6]
    indexed = next(iter(stac_table_to_items(pq.read_table(root / "items.parquet"))))
    assert (root / indexed["assets"]["image"]["href"]).exists()


def test_fused_images_are_near_the_truth_in_the_growing_season(installation: Installation) -> None:
    site = SiteRegistry.load(installation.root / "data" / "sites.geojson").site("innsbruck")
    grid = site_grid(site)
    surface = Landscape(site).view(grid.fine.affine, (grid.fine.height, grid.fine.width))
    scenario = Scenario(Strategy.AGGRESSIVE, Mode.BTI, 20)
    with installation.store.read(Product("fused", SEASON, scenario.key)) as fused:
        names = [name for name in fused.names("*/REFL_*.tif") if 5 <= day_of(name).month <= 8]
        truth = np.stack([surface.reflectance(day_of(name)) for name in names])
        values = fused.read_stack(names)
    errors = np.sqrt(np.nanmean((values - truth) ** 2, axis=(0, 2, 3)))
    assert (errors < [0.03, 0.03, 0.03, 0.05]).all(), errors
    gcc_error = indices.gcc(*np.moveaxis(values[:, :3], 1, 0)) - indices.gcc(*np.moveaxis(truth[:, :3], 1, 0))
    assert np.sqrt(np.nanmean(gcc_error**2)) < 0.03


def test_series_are_read_in_the_cameras_footprint_beside_the_contracts_window(installation: Installation) -> None:
    finished = installation.run("footprint", "innsbruck", "2024", "--table", str(installation.root / "readings.csv"))
    assert finished.returncode == 0, finished.stderr
    for series in ("sentinel3_linear", "whittaker", "aggressive_sigma20"):
        assert series in finished.stdout
    readings = pd.read_csv(installation.root / "readings.csv")
    assert readings.aggressive_sigma20_footprint.corr(readings.camera) > 0.8
    assert readings.aggressive_sigma20_footprint.std() > 0.01


def test_a_second_run_changes_nothing(installation: Installation) -> None:
    before = installation.versions()
    finished = installation.run("materialize", "innsbruck", "2024")
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert installation.versions() == before
    assert "innsbruck_2024: metrics up to date" in finished.stdout
    assert "all site-seasons: score_table up to date" in finished.stdout
    assert finished.stdout.count("up to date (") == 18, finished.stdout


@pytest.mark.slow
def test_a_bundle_makes_its_figure_again_and_says_when_it_cannot(installation: Installation) -> None:
    """From its raw data alone, without archives and without the data root that it came from."""
    folder = installation.root / "bundles" / "figure"
    scenario = Scenario(Strategy.AGGRESSIVE, Mode.ITB, 20).key
    frozen = installation.run("bundle", "innsbruck", "2024", "--scenario", scenario, "--to", str(folder))
    assert frozen.returncode == 0, frozen.stderr
    record = json.loads((folder / "bundle.json").read_text())
    assert {"id", "updated", "files"} <= record["items"]["sentinel2"][0].keys()
    assert "Acknowledgement of site innsbruck" in (folder / "LICENCES.md").read_text()
    assert "xarray==" in (folder / "environment.txt").read_text()
    assert not any(folder.rglob("*.jpg"))
    again = installation.run("bundle", "innsbruck", "2024", "--to", str(folder))
    assert "exists; name a folder that does not" in again.stderr

    elsewhere = replace(installation, environment=installation.environment | {"SATFUSION_DATA_ROOT": "/nowhere"})
    rebuilt = elsewhere.run("bundle", "--rebuild", str(folder))
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "the same as the bundle's, byte by byte" in " ".join(rebuilt.stdout.split())
    record["products"]["preselected"]["code_version"] -= 1
    record["products"]["preselected"]["version"] = "another"
    (folder / "bundle.json").write_text(json.dumps(record))
    changed = elsewhere.run("bundle", "--rebuild", str(folder))
    assert "preselected is not as it was: its code is version" in " ".join(changed.stdout.split())


@pytest.mark.parametrize("page", ["paper-table", "another-region", pytest.param("own-site", marks=pytest.mark.slow)])
def test_the_manuals_how_tos_run_as_they_stand(installation: Installation, page: str) -> None:
    said = follow(f"how-to/{page}.md", installation.root, lambda arguments: installation.run(*arguments))
    expected = {"paper-table": "nonaggressive_kriging", "another-region": "innsbruck_EN_2000", "own-site": "forthgr"}
    assert expected[page] in said


def test_the_notebook_leads_from_raw_scenes_to_a_figure(installation: Installation) -> None:
    cells = json.loads((DOCS / "notebooks" / "season.ipynb").read_text())["cells"]
    program = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=installation.root, env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "have an estimate" in done.stdout
    with Image.open(installation.root / "season.png") as figure:
        assert figure.size[0] == 1600
        assert len(figure.convert("RGB").getcolors(maxcolors=2**24)) > 20, "something is drawn"


@pytest.mark.slow
@pytest.mark.parametrize("page", ["paper-table", "another-region", "own-site"])
def test_the_manuals_how_tos_run_whole(installation: Installation, page: str) -> None:
    said = follow(f"how-to/{page}.md", installation.root, lambda arguments: installation.run(*arguments), slow=True)
    expected = {"paper-table": "the same as the bundle's, byte by byte"}
    assert expected.get(page, "Greenness follows the camera") in " ".join(said.split())


def test_a_season_that_is_not_registered_is_one_sentence(installation: Installation) -> None:
    finished = installation.run("materialize", "innsbruck", "2019")
    assert finished.returncode == 1
    assert "Season 2019 is not registered for site innsbruck" in finished.stderr.replace("\n", " ")
    assert "Traceback" not in finished.stderr
