"""A season's images as one QGIS layer definition: a layer a day, one stretch for all, each shown on its own day.

QGIS takes the first three bands for red, green and blue and stretches each file by itself; a layer definition
(``.qlr``) beside the images says otherwise for all of them, and gives each the time range that QGIS' temporal
controller goes by. Names in it are relative, so a folder can be copied away whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

DEFINITION: Final = "season.qlr"
STRETCH: Final = {"red": (0.0, 0.3), "green": (0.0, 0.3), "blue": (0.0, 0.3), "gcc": (0.3, 0.5)}
"""Values shown black and white: surface reflectance of land without snow, and greenness from bare ground to dense green
canopies (gcc_90 of PhenoCam's vegetation types, Richardson et al. 2018)."""
GREENNESS: Final = ("#fde725", "#90d743", "#35b779", "#21918c", "#31688e", "#443983", "#440154")
"""Viridis from its light end, in equal steps: perceptually uniform, readable in any colour vision, dark = green."""


@dataclass(frozen=True)
class DayImage:
    """A raster of one day: its name in the folder of the definition."""

    name: str
    day: date


def season_layers(images: Sequence[DayImage], bands: Sequence[str]) -> bytes:
    """The layer definition of ``images`` with bands of these names; true colour, or greenness where that is all.

    ValueError for bands that are neither.
    """
    root = Element("qlr")
    tree = SubElement(root, "layer-tree-group", name="", expanded="1", checked="Qt::Checked")
    layers = SubElement(root, "maplayers")
    for image in sorted(images, key=lambda one: one.day, reverse=True):
        identity = image.name.replace(".", "_")
        SubElement(
            tree,
            "layer-tree-layer",
            id=identity,
            name=image.day.isoformat(),
            source=f"./{image.name}",
            providerKey="gdal",
            checked="Qt::Checked",
            expanded="0",
        )
        layers.append(_layer(image, identity, bands))
    indent(root, " ")
    return b"<!DOCTYPE qgis-layer-definition>\n" + tostring(root, "utf-8") + b"\n"


def _layer(image: DayImage, identity: str, bands: Sequence[str]) -> Element:
    layer = Element("maplayer", type="raster")
    texts = {"id": identity, "datasource": f"./{image.name}", "layername": image.day.isoformat(), "provider": "gdal"}
    for name, text in texts.items():
        SubElement(layer, name).text = text
    shown = SubElement(SubElement(layer, "temporal", enabled="1", mode="0", fetchMode="0"), "fixedRange")
    SubElement(shown, "start").text = f"{image.day}T00:00:00Z"
    SubElement(shown, "end").text = f"{image.day + timedelta(days=1)}T00:00:00Z"
    pipe = SubElement(layer, "pipe")
    if tuple(bands) == ("gcc",):
        _add_ramp(pipe)
    elif {"red", "green", "blue"} <= set(bands):
        _add_colours(pipe, bands)
    else:
        raise ValueError(f"bands {tuple(bands)} are neither colours nor greenness; how to show them is unknown.")
    return layer


def _add_colours(pipe: Element, bands: Sequence[str]) -> None:
    numbers = {f"{name}Band": str(list(bands).index(name) + 1) for name in ("red", "green", "blue")}
    shown = {"type": "multibandcolor", "opacity": "1", "alphaBand": "-1"}
    renderer = SubElement(pipe, "rasterrenderer", shown | numbers)
    for name in ("red", "green", "blue"):
        stretch = SubElement(renderer, f"{name}ContrastEnhancement")
        low, high = STRETCH[name]
        for tag, text in (("minValue", low), ("maxValue", high), ("algorithm", "StretchToMinimumMaximum")):
            SubElement(stretch, tag).text = str(text)


def _add_ramp(pipe: Element) -> None:
    low, high = STRETCH["gcc"]
    ends = {"classificationMin": str(low), "classificationMax": str(high)}
    shown = {"type": "singlebandpseudocolor", "band": "1", "opacity": "1"}
    renderer = SubElement(pipe, "rasterrenderer", shown | ends)
    ramp = SubElement(
        SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        clip="0",
        minimumValue=str(low),
        maximumValue=str(high),
    )
    for step, colour in enumerate(GREENNESS):
        value = f"{low + (high - low) * step / (len(GREENNESS) - 1):.4f}"
        SubElement(ramp, "item", value=value, color=colour, alpha="255", label=value)
