"""A season's images as one QGIS layer definition: a layer a day, one stretch for all, each shown on its own day.

QGIS takes the first three bands for red, green and blue and stretches each file by itself; a layer definition
(``.qlr``) beside the images says otherwise for all of them, and gives each the time range that QGIS' temporal
controller goes by. Names in it are relative, so a folder can be copied away whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from string import Template
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring
from xml.sax.saxutils import escape

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
    if images:
        tree.text, layers.text = "\n$entries\n ", "\n$layers\n "
    entry, layer = _text(_entry()), _text(_layer(bands))
    said = [_said(image) for image in sorted(images, key=lambda one: one.day, reverse=True)]
    filled = {
        "entries": "\n".join(entry.substitute(each) for each in said),
        "layers": "\n".join(layer.substitute(each) for each in said),
    }
    return f"<!DOCTYPE qgis-layer-definition>\n{_text(root, 0).substitute(filled)}\n".encode()


def _text(element: Element, level: int = 2) -> Template:
    """Text to be filled in for each image: a season's elements one by one would take a third of a second."""
    indent(element, " ", level)
    return Template(" " * level + tostring(element, "unicode"))


def _said(image: DayImage) -> dict[str, str]:
    """What is filled in of an image."""
    name = escape(image.name, {'"': "&quot;"})
    days = {"day": image.day.isoformat(), "next": (image.day + timedelta(days=1)).isoformat()}
    return {"identity": name.replace(".", "_"), "name": name, **days}


def _entry() -> Element:
    return Element(
        "layer-tree-layer",
        id="$identity",
        name="$day",
        source="./$name",
        providerKey="gdal",
        checked="Qt::Checked",
        expanded="0",
    )


def _layer(bands: Sequence[str]) -> Element:
    layer = Element("maplayer", type="raster")
    texts = {"id": "$identity", "datasource": "./$name", "layername": "$day", "provider": "gdal"}
    for name, text in texts.items():
        SubElement(layer, name).text = text
    shown = SubElement(SubElement(layer, "temporal", enabled="1", mode="0", fetchMode="0"), "fixedRange")
    SubElement(shown, "start").text = "${day}T00:00:00Z"
    SubElement(shown, "end").text = "${next}T00:00:00Z"
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
