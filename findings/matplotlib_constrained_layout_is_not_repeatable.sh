#!/bin/sh
# matplotlib draws equal figures with layout="constrained" one after another, as SVG with a fixed svg.hashsalt and no
# date. A good guess: equal figures are equal files. Seen: the solver of the layout, kiwisolver, takes its terms in an
# order that is not the same each time, so that positions of axes differ in their last bits and files in some bytes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check matplotlib==3.11.2 kiwisolver==1.5.1 numpy==2.4.6
cat >"$folder/draw.py" <<'PY'
from io import BytesIO

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

matplotlib.rcParams["svg.hashsalt"] = "same"
MOST = 400


def drawn():
    figure = Figure(figsize=(7, 6), layout="constrained")
    FigureCanvasSVG(figure)
    maps, below = figure.subfigures(2, 1, height_ratios=[95, 55])
    for number, axes in enumerate(maps.subplots(2, 3).flat):
        axes.imshow(np.arange(100).reshape(10, 10))
        axes.set_title(f"day {number}")
    curve = below.subplots()
    curve.plot(range(366), np.sin(np.arange(366) / 50))
    curve.set_ylabel("GCC")
    out = BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue(), np.array([axes.get_position().bounds for axes in figure.axes])


first, places = drawn()
kept = []
for number in range(2, MOST + 1):
    kept.append([object() for _ in range(7 * number)])  # memory is used in between, as in any program
    again, moved = drawn()
    if again != first:
        print(number, len(again) - len(first), f"{np.abs(moved - places).max():.1e}")
        break
else:
    print("never")
PY
seen=$("$folder/venv/bin/python" "$folder/draw.py")
echo "matplotlib 3.11.2, kiwisolver 1.5.1: equal figures with constrained layout, as SVG without a date"
echo "a good guess says: equal files, however many"
echo "seen (figure that is the first to differ, its bytes more, largest move of axes as a part of the figure): $seen"
test "$seen" != never
