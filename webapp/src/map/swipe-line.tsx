/** The line between A and B: dragged where it stands, or moved by keys on the slider below. */
import type { TargetedPointerEvent } from 'preact';
import { split } from '../state';

export function SwipeLine() {
  const drag = (event: TargetedPointerEvent<HTMLDivElement>): void => {
    const line = event.currentTarget;
    if (event.type === 'pointerdown') line.setPointerCapture(event.pointerId);
    if (!line.hasPointerCapture(event.pointerId)) return;
    const box = line.parentElement!.getBoundingClientRect();
    split.value = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  return (
    <>
      <div
        class="swipe-line"
        aria-hidden="true"
        style={{ left: `${split.value * 100}%` }}
        onPointerDown={drag}
        onPointerMove={drag}
      />
      <input
        type="range"
        class="swipe"
        min={0}
        max={100}
        step={1}
        value={split.value * 100}
        aria-label="Line between A and B"
        aria-valuetext={`${Math.round(split.value * 100)} % A`}
        onInput={(event) => (split.value = Number(event.currentTarget.value) / 100)}
      />
    </>
  );
}
