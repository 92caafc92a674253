"""What good means for packs."""

from __future__ import annotations

from typing import Final

from satfusion_assets.pipeline.criteria import CheckedProduct, Criterion, Verdict, verdict
from satfusion_assets.pipeline.pack.files import image_layer, pack_folder
from satfusion_assets.vocabulary.sources import SOURCES


def pack_readable(checked: CheckedProduct) -> Verdict:
    """The store opens, and its layers have days."""
    from satfusion_assets.store.pack_reader import pack_days

    folder = pack_folder(checked.scenario)
    root = checked.view.path(f"{folder}/zarr.json").parent
    days = pack_days(root)
    wanted = [image_layer(source) for source in SOURCES if not (source == "s3" and checked.sentinel2_alone)]
    bad = [{"layer": name, "why": "is missing or has no day"} for name in wanted if not days.get(name)]
    return verdict(bad, len(wanted), "layers", {f"{name}_days": number for name, number in days.items()})


CRITERIA: Final = (Criterion("readable", "The pack opens and holds days of every source.", pack_readable, True),)
