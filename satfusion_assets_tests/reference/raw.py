"""Digests of what the readers of the archives make of one small answer each."""

from __future__ import annotations

import numpy as np

from satfusion_assets.archives.copernicus import overpasses_on_grid, read_cube
from satfusion_assets.archives.earth_search.pixels import read_scene
from satfusion_assets_tests.archives import test_cubes as s3
from satfusion_assets_tests.archives import tiles as s2
from satfusion_assets_tests.archives.conftest import archive
from satfusion_assets_tests.reference.fingerprint import Digest, digest
from satfusion_assets_tests.reference.season import noise, outliers


def raw_digests() -> dict[str, dict[str, Digest]]:
    return {"raw_s2": _sentinel2(), "raw_s3": _sentinel3(), "raw_phenocam": {"outliers": digest(outliers())}}


def _sentinel2() -> dict[str, Digest]:
    corner, side = (660_000, 5_235_000), 3000
    bands = {
        name: (300 + 900 * noise(number, size, size)).astype(np.uint16)
        for number, (name, size) in enumerate({"B02": side, "B03": side, "B04": side, "B8A": side // 2}.items())
    }
    files = {f"{name}.tif": s2.cog(values, 30_000 // len(values), corner) for name, values in bands.items()}
    classes = (12 * noise(9, side // 2, side // 2)).astype(np.uint8)
    files |= {"SCL.tif": s2.cog(classes, 20, corner), "granule_metadata.xml": b"<cut off"}
    pixels = read_scene(archive(s2.Bucket(files)), s2.scene(), s2.GRID)
    return {"bands": digest(pixels.bands), "classes": digest(pixels.scl)}


def _sentinel3() -> dict[str, Digest]:
    found = {}
    for product in (s3.OLCI, s3.SYN):
        names = dict.fromkeys(product.bands)
        values = {name: 0.05 + 0.3 * noise(number, 3, 11, 11) for number, name in enumerate(names)}
        for number, name in enumerate(names):
            values[name][noise(50 + number, 3, 11, 11) > 0.9] = 0 if product.missing == 0 else np.nan
        if product.flags is not None:
            values[product.flags] = np.floor(12 * noise(70, 3, 11, 11))
        times = ["2024-05-01T10:00", "2024-05-02T10:00", "2024-05-03T10:00"]
        cube = read_cube(s3.result(values, times), s3.request(product), "the reference")
        overpasses, _ = overpasses_on_grid([cube], s3.GRID)
        found[str(product.product)] = digest(np.stack([one.values for one in overpasses]))
    return found
