#!/bin/sh
# whittaker-eilers smooths a series by a given lambda; measurements at uneven times take their times as `x_input`. A good
# guess: times 0, 1, 2 ... change nothing, for that is what a series without times means. Seen: with them the penalty is on
# divided differences, which are smaller by the factorial of the order: lambda 1600 of order 2 smooths as 400 does, and of
# order 3 as 44. With days instead of steps of five days lambda counts less again, by 5 to the power of twice the order: one
# from the literature, chosen on composites of equal steps, leaves fifteen times the roughness.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check whittaker-eilers==0.2.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PY'
from importlib.metadata import version
from math import factorial

import numpy as np
from whittaker_eilers import WhittakerSmoother

STEPS = np.arange(73.0)
series = 0.5 + 0.3 * np.sin(2 * np.pi * STEPS / 73) + np.random.default_rng(1).normal(0, 0.05, STEPS.size)


def smooth(lmbda, order, times=None):
    return np.array(WhittakerSmoother(lmbda=lmbda, order=order, data_length=series.size, x_input=times).smooth(series))


def rough(values):
    """Standard deviation of a series' second differences."""
    return round(float(np.diff(values, 2).std()), 4)


seen = {
    "without times": rough(smooth(1600, 2)),
    "times 0, 1, 2 ...": rough(smooth(1600, 2, STEPS)),
    "times 0, 5, 10 ...": rough(smooth(1600, 2, 5 * STEPS)),
}
same = {
    (order, step): np.abs(smooth(1600, order) - smooth(1600 * (factorial(order) * step**order) ** 2, order, step * STEPS))
    for order in (1, 2, 3) for step in (1, 5)
}
apart = max(difference.max() for difference in same.values())
print("whittaker-eilers", version("whittaker-eilers"), "numpy", version("numpy"))
print(f"a good guess, roughness left by lambda 1600 of a series of {rough(series)}, in each case:", seen["without times"])
for what, roughness in seen.items():
    print("seen,", what + ":", roughness)
print("seen: lambda times (factorial of the order times step to the power of the order) squared is the same to", apart)
assert apart < 1e-6
assert np.abs(smooth(1600, 2, STEPS) - smooth(400, 2)).max() < 1e-6 < np.abs(smooth(1600, 2, STEPS) - smooth(1600, 2)).max()
assert seen["without times"] < seen["times 0, 1, 2 ..."] < seen["times 0, 5, 10 ..."]
PY
