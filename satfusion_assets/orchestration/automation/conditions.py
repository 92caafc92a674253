"""How raw updates reach everything downstream of the changed partition, and nothing else, once.

An asset follows what it is made from: when the data versions that it consumed are not those that there are, whether or
not anybody looked in between. A run that fetched nothing new moves nothing. Where several paths lead from one raw
product to an asset, it waits until nothing upstream is under way or about to be, else it would be made twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
from dagster import AutomationCondition as Condition
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.asset_graph_view.entity_subset import EntitySubset
from pydantic import BaseModel

from satfusion_assets.orchestration.automation.consumed import (
    Evaluation,
    Key,
    behind,
    keys_of,
    perhaps_behind,
    subset_of,
)

Subset = EntitySubset[dg.AssetKey]


def automated(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """``assets`` with the condition that each one's place in the graph asks for; raw products are left to sensors."""

    def with_condition(spec: dg.AssetSpec) -> dg.AssetSpec:
        if not list(spec.deps):
            return spec
        return spec.replace_attributes(automation_condition=gather() if spec.partitions_def is None else follow())

    return [asset.map_asset_specs(with_condition) for asset in assets]


def follow() -> Condition[dg.AssetKey]:
    """Make a partition again when it is behind its inputs, and these are whole and passed their checks."""
    refused = Condition.any_checks_match(Condition.check_failed(), blocking_only=True)
    condition = (
        (_due() | Condition.any_deps_match(Condition.will_be_requested()))  # first: leaves few to look at further
        & ~Condition.any_deps_missing()
        & ~Condition.any_deps_match(Condition.execution_failed() | refused).with_label("an input failed")
        & Movable()
        & ~Condition.any_deps_in_progress()
        & ~Condition.in_progress()
        & ~UpstreamMoves()
    )
    return condition.with_label("follows its inputs")


def gather() -> Condition[dg.AssetKey]:
    """Make a table of all site-seasons again when any of them has changed and nothing is under way any more.

    Site-seasons that are missing or failed hold nothing back: the table says what there is.
    """
    something = Condition.any_deps_match(~Condition.missing()).with_label("there is something to gather")
    condition = _due() & something & ~Condition.any_deps_in_progress() & ~Condition.in_progress() & ~UpstreamMoves()
    return condition.with_label("gathers its inputs")


def _due() -> Condition[dg.AssetKey]:
    return Condition.newly_missing().since_last_handled() | Behind()


class _Memory(BaseModel):
    """What ``Behind`` knows of an asset between two evaluations: digest of the inputs' versions by partition.

    waiting: behind and not asked for yet. asked: what was asked for last, so that nothing that fails is asked for again
    before its inputs change.
    """

    waiting: dict[str, str] = {}
    asked: dict[str, str] = {}


class Behind(Condition[dg.AssetKey]):
    """Partitions that were made from other versions of their inputs than there are now."""

    @property
    def name(self) -> str:
        return "behind_its_inputs"

    @property
    def description(self) -> str:
        return "Made from other versions of its inputs than there are now"

    async def evaluate(  # type: ignore[override]
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        asset, view = context.key, context.asset_graph_view
        memory = _Memory.model_validate_json(context.cursor) if context.cursor else _Memory()
        before = context.get_previous_requested_subset(asset)
        for name in map(_name, keys_of(before) if before is not None else []):
            if name in memory.waiting:
                memory.asked[name] = memory.waiting.pop(name)
        moved = await self._moved(context)
        now = behind(view, asset, moved)
        for key in moved:
            name = _name(key)
            memory.waiting.pop(name, None)
            if key not in now:
                memory.asked.pop(name, None)
            elif memory.asked.get(name) != now[key]:
                memory.waiting[name] = now[key]
        waiting = subset_of(view, asset, [key for key in map(_key, memory.waiting) if _exists(view, asset, key)])
        due = waiting.compute_intersection(context.candidate_subset)
        return dg.AutomationResult(context, due, cursor=memory.model_dump_json())

    async def _moved(self, context: dg.AutomationContext[dg.AssetKey]) -> list[Key]:
        """Partitions that were made, or whose inputs were, since the last evaluation; at first, all
        that may be behind."""
        asset, view, since = context.key, context.asset_graph_view, context.previous_temporal_context
        if context.cursor is None or since is None:
            return sorted(perhaps_behind(view, asset), key=str)
        moved = await view.compute_updated_since_temporal_context_subset(key=asset, temporal_context=since)
        for parent in view.asset_graph.get(asset).parent_keys:
            made = await view.compute_updated_since_temporal_context_subset(key=parent, temporal_context=since)
            moved = moved.compute_union(view.compute_child_subset(asset, made))
        return keys_of(moved)


class Movable(Condition[dg.AssetKey]):
    """All that is looked at, noted as about to be made: what is below it waits."""

    @property
    def name(self) -> str:
        return "movable"

    @property
    def requires_cursor(self) -> bool:
        return False

    def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        Evaluation.of(context.asset_graph_view).moving[context.key] = context.candidate_subset
        return dg.AutomationResult(context, context.candidate_subset)


class UpstreamMoves(Condition[dg.AssetKey]):
    """Partitions with anything above them that is being made, or waits to be made and can be."""

    @property
    def name(self) -> str:
        return "upstream_moves"

    @property
    def description(self) -> str:
        return "Something upstream is under way"

    @property
    def requires_cursor(self) -> bool:
        return False

    async def evaluate(  # type: ignore[override]
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        view, asset = context.asset_graph_view, context.key
        node = view.asset_graph.get(asset)
        if context.candidate_subset.is_empty:
            return dg.AutomationResult(context, context.candidate_subset)
        held = view.get_empty_subset(key=asset)
        for parent in node.parent_keys:
            moving = await _unsettled(view, parent)
            together = context.request_subsets_by_key.get(parent)
            if together is not None and view.asset_graph.get(parent).partitions_def == node.partitions_def:
                moving = moving.compute_difference(together)  # made by the same run, just before
            held = held.compute_union(view.compute_child_subset(asset, moving))
        return dg.AutomationResult(context, held.compute_intersection(context.candidate_subset))


async def _unsettled(view: AssetGraphView, asset: dg.AssetKey) -> Subset:
    """Partitions of ``asset`` that move, or have something above them that does."""
    node, evaluation = view.asset_graph.get(asset), Evaluation.of(view)
    known = evaluation.unsettled
    if asset not in known:
        everything = view.get_full_subset(key=asset)
        moving = await view.compute_run_in_progress_subset(key=asset, from_subset=everything)
        filling = await view.compute_backfill_in_progress_subset(key=asset, from_subset=everything)
        moving = moving.compute_union(filling)
        if asset in evaluation.moving:
            moving = moving.compute_union(evaluation.moving[asset])
        for parent in node.parent_keys:
            moving = moving.compute_union(view.compute_child_subset(asset, await _unsettled(view, parent)))
        known[asset] = moving
    return known[asset]


def _name(key: Key) -> str:
    return key or ""


def _key(name: str) -> Key:
    return name or None


def _exists(view: AssetGraphView, asset: dg.AssetKey, key: Key) -> bool:
    """Whether a partition is still one: site-seasons come and go."""
    grid = view.asset_graph.get(asset).partitions_def
    return grid is None or (key is not None and grid.has_partition_key(key))


carry_downstream = dg.AutomationConditionSensorDefinition(
    name="carry_downstream",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.STOPPED,
    minimum_interval_seconds=30,
    use_user_code_server=True,
    description=(
        "Carries changes of raw products to everything downstream of the changed partition: preselected, prepared, "
        "fused, processed, scores. What did not change is left alone."
    ),
)
