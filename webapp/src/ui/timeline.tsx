/** Which days there are, and the one day that everything shows. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { TargetedPointerEvent } from 'preact';
import { LEFT, RIGHT } from '../chart/chart';
import { nextScene, roomyMonths } from '../days';
import { DayInput } from './parts';
import { go, route } from '../state';

export interface Row {
  label: string;
  colour: string;
  days: readonly number[];
  /** Days that exist but are excluded, drawn hollow. */
  hollow?: readonly number[];
}

interface Props {
  rows: readonly Row[];
  from: number;
  to: number;
  /** Said about the day by screen readers. */
  words: string;
  /** Days to which the scene buttons jump, and whose scenes they are. */
  scenes: readonly number[];
  sensor?: string;
}

const ROW = 11;
/** Least width of a hollow mark, so that its inside is seen. */
const HOLLOW = 3.4;

export function Timeline({ rows, from, to, words, scenes, sensor = 'Sentinel-2' }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(800);
  const day = route.value.date ?? from;
  useEffect(() => {
    const node = box.current!;
    const watch = new ResizeObserver(() => setWidth(node.clientWidth));
    watch.observe(node);
    return () => watch.disconnect();
  }, []);
  const inner = Math.max(50, width - LEFT - RIGHT);
  const step = inner / (to - from);
  const x = (at: number): number => LEFT + (at - from) * step;
  const tick = Math.max(1.5, step * 0.72);
  const pick = (event: TargetedPointerEvent<SVGSVGElement>): void => {
    if (event.type === 'pointermove' && !event.buttons) return;
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
    go({ date: Math.min(to, Math.max(from, Math.round((at - LEFT) / step + from))) });
  };
  const height = rows.length * ROW + 18;
  const path = (days: readonly number[], top: number, wide: number): string =>
    days
      .filter((d) => d >= from && d <= to)
      .map((d) => `M${(x(d) - wide / 2).toFixed(2)} ${top}h${wide.toFixed(2)}v${ROW - 3}h${(-wide).toFixed(2)}z`)
      .join('');
  // The same element every time, so that a change of day redraws the cursor alone.
  const drawn = useMemo(
    () => (
      <g>
        {roomyMonths(from, to, inner).map((m) => (
          <g key={m.day}>
            <line x1={x(m.day)} x2={x(m.day)} y1={0} y2={height - 12} class="month" />
            <text x={x(m.day) + 3} y={height - 3} class="month-name">
              {m.label}
            </text>
          </g>
        ))}
        {rows.map((row, i) => (
          <g key={row.label}>
            <text x={4} y={i * ROW + 10} class="row-name">
              {row.label}
            </text>
            <path d={path(row.days, i * ROW + 2, tick)} fill={row.colour} />
            {row.hollow && (
              <path
                d={path(row.hollow, i * ROW + 2, Math.max(HOLLOW, tick))}
                fill="var(--paper)"
                stroke={row.colour}
                stroke-width="1"
              />
            )}
          </g>
        ))}
      </g>
    ),
    [rows, from, to, width],
  );
  return (
    <div class="timeline" ref={box}>
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`Days with data: ${rows.map((r) => `${r.label} ${r.days.length}${r.hollow?.length ? `, ${r.hollow.length} excluded` : ''}`).join('; ')}`}
        onPointerDown={pick}
        onPointerMove={pick}
      >
        {drawn}
        <line x1={x(day)} x2={x(day)} y1={0} y2={height - 12} class="cursor-line" />
      </svg>
      <input
        type="range"
        class="scrub"
        min={from}
        max={to}
        step={1}
        value={day}
        aria-label="Date"
        aria-valuetext={words}
        style={{ marginLeft: `${LEFT - 8}px`, width: `${inner + 16}px` }}
        onInput={(event) => go({ date: Number(event.currentTarget.value) })}
      />
      <DateControls from={from} to={to} scenes={scenes} sensor={sensor} />
    </div>
  );
}

function DateControls({
  from,
  to,
  scenes,
  sensor,
}: {
  from: number;
  to: number;
  scenes: readonly number[];
  sensor: string;
}) {
  const [playing, setPlaying] = useState(false);
  const day = route.value.date ?? from;
  useEffect(() => {
    if (!playing) return undefined;
    const timer = setInterval(() => {
      const next = (route.peek().date ?? from) + 1;
      if (next > to) setPlaying(false);
      else go({ date: next });
    }, 110);
    return () => clearInterval(timer);
  }, [playing, from, to]);
  const step = (by: number): void => go({ date: Math.min(to, Math.max(from, day + by)) });
  const jump = (sign: 1 | -1): void => {
    const next = nextScene(scenes, day, sign);
    if (next !== null) go({ date: next });
  };
  return (
    <div class="date-controls" role="group" aria-label="Choose the day">
      <button
        type="button"
        onClick={() => jump(-1)}
        title={`Previous ${sensor} scene (Shift ←)`}
        aria-label={`Previous ${sensor} scene`}
      >
        ‹ scene
      </button>
      <button type="button" onClick={() => step(-1)} title="Day before (←)" aria-label="Day before">
        ‹ day
      </button>
      <DayInput
        label="Day, as YYYY-MM-DD"
        day={day}
        onChange={(typed) => go({ date: Math.min(to, Math.max(from, typed)) })}
      />
      <button type="button" onClick={() => step(1)} title="Day after (→)" aria-label="Day after">
        day ›
      </button>
      <button
        type="button"
        onClick={() => jump(1)}
        title={`Next ${sensor} scene (Shift →)`}
        aria-label={`Next ${sensor} scene`}
      >
        scene ›
      </button>
      <button type="button" aria-pressed={playing} onClick={() => setPlaying(!playing)}>
        {playing ? 'Stop' : 'Play'}
      </button>
    </div>
  );
}

/** Arrow keys move the day wherever no field or map has the focus. */
export function useDateKeys(from: number, to: number, scenes: readonly number[]): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const target = event.target as Element;
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        target.closest('input:not([type="checkbox"]), select, textarea, .map, [role="region"], dialog')
      )
        return;
      const day = route.peek().date ?? from;
      const sign = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      let next: number | null = null;
      if (sign) next = event.shiftKey ? nextScene(scenes, day, sign) : day + sign;
      else if (event.key === 'Home') next = from;
      else if (event.key === 'End') next = to;
      else if (event.key === 'PageUp') next = day - 10;
      else if (event.key === 'PageDown') next = day + 10;
      if (next === null) return;
      event.preventDefault();
      go({ date: Math.min(to, Math.max(from, next)) });
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [from, to, scenes]);
}
