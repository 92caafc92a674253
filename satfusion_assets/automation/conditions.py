"""How raw updates reach everything downstream of the changed partition, and nothing else, once.

An asset follows what it is made from when the data version changed: a run that fetched nothing new moves nothing.
Where several paths lead from one raw product to an asset, the last step of the longest sets it off at once; any other
input waits until nothing is under way on that path, else the asset would be made twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import dagster as dg
from dagster import AutomationCondition as Condition

LONGEST_PATH: Final = {
    "camera_phenology": ("raw_phenocam",),
    "preselected": ("raw_s2", "raw_s3"),
    "prepared_bti": ("preselected",),
    "prepared_itb": ("preselected",),
    "fused": ("prepared_bti", "prepared_itb"),
    "processed": ("fused",),
    "scenario_metrics": ("processed",),
}
"""The inputs through which raw updates come last; they set the asset off at once. An asset that is not named here
(a roll-up of many partitions) waits for quiet whatever changes."""
COVERED: Final = ("processed",)
"""Assets whose other inputs cannot change without the longest path changing too."""

Inputs = Mapping[str, Sequence[str]]


def automated(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """``assets`` with the condition that each one's place in the graph asks for; raw products are left to sensors."""
    inputs = {
        spec.key.path[-1]: tuple(dep.asset_key.path[-1] for dep in spec.deps)
        for asset in assets
        for spec in asset.specs
    }

    def with_condition(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.path[-1]
        if not inputs[name]:
            return spec
        condition = gather(name, inputs) if spec.partitions_def is None else follow(name, inputs)
        return spec.replace_attributes(automation_condition=condition)

    return [asset.map_asset_specs(with_condition) for asset in assets]


def follow(asset: str, inputs: Inputs) -> Condition:
    """Make a partition of ``asset`` again when what it is made from has changed, is whole and passed its checks."""
    refused = Condition.any_checks_match(Condition.check_failed(), blocking_only=True)
    condition = (
        _due(asset, inputs)
        & ~Condition.any_deps_missing()
        & ~Condition.any_deps_in_progress()
        & ~Condition.any_deps_match(Condition.execution_failed() | refused).with_label("an input failed")
        & ~Condition.in_progress()
    )
    return condition.with_label("follows its inputs")


def gather(asset: str, inputs: Inputs) -> Condition:
    """Make a table of all site-seasons again when any of them has changed and nothing is under way any more.

    Site-seasons that are missing or failed hold nothing back: the table says what there is.
    """
    something = Condition.any_deps_match(~Condition.missing()).with_label("there is something to gather")
    condition = _due(asset, inputs) & something & ~Condition.any_deps_in_progress() & ~Condition.in_progress()
    return condition.with_label("gathers its inputs")


def _due(asset: str, inputs: Inputs) -> Condition:
    at_once = LONGEST_PATH.get(asset, ())
    patient = _changed().since_last_handled() & ~_busy(asset, inputs)
    if not at_once:
        return Condition.newly_missing().since_last_handled() | patient
    # Dagster tells two "since" of one asset apart by their structure alone, not by the selections inside.
    nearest = _changed().allow(dg.AssetSelection.assets(*at_once))
    direct = (Condition.newly_missing() | nearest).since_last_handled()
    return direct if set(at_once) == set(inputs[asset]) or asset in COVERED else direct | patient


def _changed() -> dg.DepsAutomationCondition:
    elsewhere = Condition.data_version_changed() & ~Condition.executed_with_root_target()
    return Condition.any_deps_match(elsewhere | Condition.will_be_requested())


def _busy(asset: str, inputs: Inputs) -> Condition:
    """Whether an input is being made or has just changed, or anything that reaches ``asset`` by the longest path."""
    moving = Condition.data_version_changed() | Condition.in_progress()
    condition = moving
    for level in reversed(_levels(asset, inputs)):
        condition = moving | Condition.any_deps_match(condition).allow(dg.AssetSelection.assets(*level))
    return Condition.any_deps_match(condition).with_label("something upstream is under way")


def _levels(asset: str, inputs: Inputs) -> list[tuple[str, ...]]:
    """The assets of the longest path by their distance from the inputs of ``asset``, nearest first."""
    levels = []
    level = tuple(inputs[asset])
    while above := tuple(sorted({name for item in level for name in LONGEST_PATH.get(item, inputs.get(item, ()))})):
        levels.append(above)
        level = above
    return levels


carry_downstream = dg.AutomationConditionSensorDefinition(
    name="carry_downstream",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.STOPPED,
    minimum_interval_seconds=30,
    description=(
        "Carries changes of raw products to everything downstream of the changed partition: preselected, prepared, "
        "fused, processed, scores. What did not change is left alone."
    ),
)
