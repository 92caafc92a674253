"""The public face: labels go in and come out, and its page runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import satfusion_assets as sf
from satfusion_assets.fusion import methods
from satfusion_assets.fusion.methods import Method
from satfusion_assets.pipeline.pack.files import pack_folder
from satfusion_assets.store import Product, ProductStore
from satfusion_assets.store.packs import PackLayer, write_pack
from satfusion_assets.vocabulary.errors import InvalidInput, ProductMissing
from satfusion_assets.vocabulary.scenarios import BANDS, RECOMMENDED
from satfusion_assets.vocabulary.sites import SiteSeason

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
DAYS = np.datetime64("2024-01-01") + np.arange(366)
CLOCK = DAYS.astype("datetime64[ns]")


def example(name: str) -> dict[str, Any]:
    """The page's block called ``name``, run; its variables."""
    found = re.search(rf"```python {name}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    variables: dict[str, Any] = {}
    exec(compile(found[1], f"{PAGE}:{name}", "exec"), variables)
    return variables


def greenness(days: np.ndarray, up: float = 120.0, down: float = 280.0) -> np.ndarray:
    day = (days - days[0]).astype(float)
    return 0.33 + 0.1 * (1 / (1 + np.exp(-(day - up) / 6)) - 1 / (1 + np.exp(-(day - down) / 8)))


@pytest.fixture
def season(tmp_path: Path) -> Path:
    """A data root with one pack: the greenness curve everywhere, seen on every tenth day."""
    store, site_season = ProductStore(tmp_path), SiteSeason("innsbruck", 2024)
    gcc = greenness(DAYS).astype(np.float32)
    bands = np.stack([0.1 * np.ones_like(gcc), 0.2 * gcc / (1 - gcc), 0.1 * np.ones_like(gcc), 0.3 * np.ones_like(gcc)])
    images = np.broadcast_to(bands.T[:, :, None, None], (366, 4, 6, 8))
    layers = [
        PackLayer("s2", DAYS[::10], images[::10], BANDS),
        PackLayer("fused", DAYS[60:], images[60:], BANDS),
        PackLayer("days_to_scene", DAYS, np.zeros((366, 6, 8), np.float32)),
        PackLayer("standard_deviation", DAYS, np.full((366, 4, 6, 8), 0.01, np.float32), BANDS),
    ]
    with store.publish(Product("pack", site_season, RECOMMENDED.key)) as draft:
        transform = (10.0, 0.0, 600_000.0, 0.0, -10.0, 5_000_000.0)
        write_pack(draft.path(pack_folder(RECOMMENDED)), layers, transform, 32632, {"title": "test"})
    return tmp_path


def test_a_season_is_one_data_set_with_names(season: Path) -> None:
    found = sf.open_season("innsbruck", 2024, data_root=season)
    assert found.fused.dims == ("time", "band", "y", "x")
    assert list(found.band.values) == list(BANDS)
    assert found.sizes["time"] == 306, "quality layers are on the fused days"
    assert found.days_to_scene.dims == ("time", "y", "x")
    assert found.s2.dims == ("time_s2", "band", "y", "x")
    assert float(found.x[0]) == 600_005.0
    assert int(found.spatial_ref.attrs["epsg"]) == 32632


def test_what_was_not_made_and_what_is_no_scenario_are_said(season: Path) -> None:
    with pytest.raises(ProductMissing):
        sf.open_season("innsbruck", 2023, data_root=season)
    with pytest.raises(InvalidInput, match="is not a scenario"):
        sf.open_season("innsbruck", 2024, "best", data_root=season)


def test_the_pages_season_runs(season: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATFUSION_DATA_ROOT", str(season))
    made = example("season")
    dates = made["dates"].set_index(["direction", "percent"]).date
    assert abs((dates["rising", 50] - pd.Timestamp("2024-04-30")).days) <= 2
    assert made["agreement"]["nse"] == pytest.approx(1.0, abs=1e-4)


def test_the_pages_fusion_is_that_of_plain_arrays() -> None:
    made = example("fusion")
    fine, coarse = made["fine"], made["coarse"]
    plain = methods.fuse(
        made["wanted"],
        coarse.values,
        made["days"],
        fine.values,
        made["days"],
        made["cloud_distance"].values,
        ratio=30,
        sigma=20,
    )
    np.testing.assert_array_equal(made["fused"].fused.values, plain.values)
    np.testing.assert_array_equal(made["fused"].days_to_scene.values, plain.quality.days_to_scene)
    assert made["fused"].coarse_support.dims == ("time", "y_coarse", "x_coarse")
    assert list(made["fused"].band.values) == ["red", "nir"]
    assert list(made["fused"].status.values) == ["ok"] * len(made["wanted"])


def labelled() -> dict[str, Any]:
    made = example("fusion")
    return {name: made[name] for name in ("coarse", "fine", "cloud_distance")}


def test_axes_and_bands_may_come_in_any_order() -> None:
    images = labelled()
    day = np.array(["2024-05-10"], "datetime64[D]")
    plain = sf.fuse(day, images["coarse"], fine=images["fine"], cloud_distance=images["cloud_distance"])
    turned = sf.fuse(
        day,
        images["coarse"].sel(band=["nir", "red"]).transpose("band", "x", "y", "time"),
        fine=images["fine"].transpose("y", "x", "time", "band"),
        cloud_distance=images["cloud_distance"].transpose("x", "time", "y"),
    )
    xr.testing.assert_identical(plain, turned)


def test_kriging_takes_the_same_arrays_and_no_coarse_ones() -> None:
    images = labelled()
    day = np.array(["2024-05-10"], "datetime64[D]")
    found = sf.fuse(day, None, fine=images["fine"], cloud_distance=images["cloud_distance"], method="kriging")
    assert np.isfinite(found.fused.values).all()
    assert found.standard_deviation.dims == ("time", "band", "y", "x")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda of: of | {"fine": of["fine"].isel(y=slice(0, 50))}, "whole number"),
        (lambda of: of | {"cloud_distance": of["cloud_distance"].isel(time=slice(1, None))}, "other days"),
        (lambda of: of | {"coarse": of["coarse"].values}, "coarse is no DataArray"),
        (lambda of: of | {"fine": of["fine"].isel(band=0)}, "fine has axes"),
        (lambda of: of | {"coarse": of["coarse"].isel(band=[0])}, "coarse lacks the band nir"),
        (lambda of: of | {"fine": of["fine"].assign_coords(band=["red", "red"])}, "fine has band red more than once"),
        (lambda of: {name: one.isel(x=[]) for name, one in of.items()}, "cloud_distance has no pixels along x"),
    ],
)
def test_what_does_not_fit_is_named(changed: Any, words: str) -> None:
    images = changed(labelled())
    with pytest.raises(ValueError, match=words):
        sf.fuse(DAYS[125:126], images["coarse"], fine=images["fine"], cloud_distance=images["cloud_distance"])


def test_infinite_pixels_cost_themselves_with_either_method() -> None:
    images = labelled()
    broken = images["fine"].copy()
    broken[2, :, 5:25] = np.inf
    for method in get_args(Method):
        found, whole = (
            sf.fuse(
                DAYS[125:126],
                images["coarse"],
                fine=fine,
                cloud_distance=images["cloud_distance"],
                method=method,
            ).fused
            for fine in (broken, images["fine"])
        )
        assert np.isfinite(found.values).all(), method
        np.testing.assert_allclose(found.values[..., 30:, 30:], whole.values[..., 30:, 30:], atol=0.02)
    assert np.isinf(broken[2, 0, 7, 9]), "the inputs are never modified"


def test_without_scenes_every_day_says_so_with_either_method() -> None:
    images = labelled()
    none = {name: images[name].isel(time=[]) for name in ("fine", "cloud_distance")}
    for method in get_args(Method):
        found = sf.fuse(DAYS[125:127], images["coarse"], **none, method=method)
        assert list(found.status.values) == ["no_fine"] * 2
        assert np.isnan(found.fused.values).all()


def test_hours_of_a_day_do_not_part_a_scene_from_its_cloud_distance() -> None:
    images = labelled()
    morning = images["fine"].assign_coords(time=images["fine"].time + np.timedelta64(10, "h"))
    day = DAYS[125:126]
    found, plain = (
        sf.fuse(day, images["coarse"], fine=fine, cloud_distance=images["cloud_distance"])
        for fine in (morning, images["fine"])
    )
    np.testing.assert_array_equal(found.fused.values, plain.fused.values)


def placed(columns: Any = 10.0 * np.arange(60)) -> dict[str, Any]:
    """The images with their places, rows from the north."""
    images = labelled()
    y, x = 600.0 - 10 * np.arange(60), np.asarray(columns)
    middles = {"y": y.reshape(2, 30).mean(axis=1), "x": x.reshape(2, 30).mean(axis=1)}
    fine = images["fine"].assign_coords(y=y, x=x)
    return {"fine": fine} | {name: images[name].assign_coords(middles) for name in ("coarse", "cloud_distance")}


def test_places_that_agree_change_nothing() -> None:
    images, bare = placed(), labelled()
    day = DAYS[125:126]
    found = sf.fuse(day, images["coarse"], fine=images["fine"], cloud_distance=images["cloud_distance"])
    plain = sf.fuse(day, bare["coarse"], fine=bare["fine"], cloud_distance=bare["cloud_distance"])
    np.testing.assert_array_equal(found.fused.values, plain.fused.values)
    assert list(found.y.values) == list(images["fine"].y.values)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param(
            lambda of: of | {"coarse": of["coarse"].isel(y=slice(None, None, -1))},
            "coarse does not lie under fine: its y",
            id="rows from the south",
        ),
        pytest.param(
            lambda of: of | {"cloud_distance": of["cloud_distance"].assign_coords(x=of["coarse"].x + 300)},
            "cloud_distance does not lie under fine: its x",
            id="one pixel to the east",
        ),
        pytest.param(
            lambda of: placed(10.0 * np.r_[0:20, 35:75]), "x of fine is not evenly spaced", id="columns were dropped"
        ),
    ],
)
def test_places_that_do_not_agree_are_named(changed: Any, words: str) -> None:
    images = changed(placed())
    with pytest.raises(ValueError, match=words):
        sf.fuse(DAYS[125:126], images["coarse"], fine=images["fine"], cloud_distance=images["cloud_distance"])


@pytest.mark.parametrize(
    "series",
    [xr.DataArray(greenness(DAYS), coords={"time": CLOCK}), pd.Series(greenness(DAYS), index=pd.DatetimeIndex(CLOCK))],
    ids=["xarray", "pandas"],
)
def test_dates_of_a_series_are_a_table(series: Any) -> None:
    table = sf.transitions(series)
    assert list(table.columns) == ["year", "direction", "percent", "date", "lower", "upper", "label"]
    assert len(table) == 6
    rising = table[(table.direction == "rising") & (table.percent == 50)].iloc[0]
    assert abs((rising.date - pd.Timestamp("2024-04-30")).days) <= 2
    assert rising.lower <= rising.date <= rising.upper


def test_scores_are_on_common_days_only() -> None:
    series = pd.Series(greenness(DAYS), index=pd.DatetimeIndex(CLOCK))
    holes = series.iloc[::3].copy()
    holes.iloc[0] = np.nan
    assert sf.scores(series, holes)["n_samples"] == len(holes) - 1
    assert sf.scores(series + 0.01, series)["rmse"] == pytest.approx(0.01)
    assert sf.scores(series, series.iloc[:1]) is None


def test_what_is_no_series_of_days_is_said() -> None:
    with pytest.raises(ValueError, match="indexed by days"):
        sf.transitions(pd.Series([1.0, 2.0]))
    with pytest.raises(ValueError, match="one axis of days"):
        sf.scores(xr.DataArray(np.zeros((2, 2))), xr.DataArray(np.zeros((2, 2))))


def test_importing_the_package_loads_no_engine_and_the_face_is_whole() -> None:
    program = (
        "import sys, satfusion_assets as sf; print(len({'numba', 'dagster', 'xarray', 'pandas'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "0"
    assert set(sf.__all__) <= set(dir(sf))
    assert all(getattr(sf, name) for name in sf.__all__)
