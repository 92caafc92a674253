/** The one chart: days across, a quantity up, a cursor shared by all. */
import uPlot from 'uplot';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { months, roomyMonths, toIso } from '../days';
import { saveCsv } from '../save';
import { go, hoverDay, route } from '../state';
import { painted } from '../ui/palette';
import { isDark } from '../ui/theme';
import { decorate, type Drawing } from './decorate';
import { Swatch } from './swatch';

export type Shape = 'line' | 'dash' | 'dot' | 'square' | 'ring';

export interface Curve {
  key: string;
  label: string;
  colour: string;
  shape: Shape;
  days: readonly number[];
  values: readonly (number | null | undefined)[];
  /** Own colour of each point. */
  fills?: readonly (string | null)[];
  /** Interval about a line, one pair a value. */
  low?: readonly (number | null)[];
  high?: readonly (number | null)[];
  lineWidth?: number;
  /** How many pixels each value is the mean of, and their standard deviation. */
  spread?: (number | null)[];
  counts?: readonly (number | null)[];
}

export interface Mark {
  day: number;
  label: string;
  colour: string;
  /** First and last day of the date's interval. */
  interval?: [number, number] | null;
}

/** Space left and right of the plot, the same on every chart and on the timeline, so that days line up. */
export const LEFT = 52;
export const RIGHT = 10;
/** Of a line, unless its curve has one of its own. */
export const LINE_WIDTH = 1.75;
/** A line joins neighbours at most this many days apart; longer holes stay open. */
const BRIDGE = 4;
/** A press that moves farther is a drag. */
const DRAG_PX = 5;
/** Fewer days are not zoomed to. */
const LEAST_DAYS = 3;

interface Props {
  name: string;
  title: string;
  curves: readonly Curve[];
  from: number;
  to: number;
  height?: number;
  marks?: readonly Mark[];
  /** Horizontal lines with a label. */
  levels?: readonly { value: number; label: string }[];
  digits?: number;
  empty?: string;
}

export function Chart({
  name,
  title,
  curves,
  from: first,
  to: last,
  height = 190,
  marks = [],
  levels = [],
  digits = 3,
  empty,
}: Props) {
  const [from, to] = within(route.value.span, first, last);
  const zoomed = from !== first || to !== last;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const shown = curves.filter((curve) => !hidden.has(curve.key));
  const day = route.value.date;
  const drawing = useRef({ day, marks, shown, levels, from, to });
  drawing.current = { day, marks, shown, levels, from, to };
  const days = useMemo(() => Array.from({ length: to - from + 1 }, (_, i) => from + i), [from, to]);
  const shape = shown.map((curve) => `${curve.key}${curve.low ? '~' : ''}`).join();
  const data = useMemo(() => align(days, shown), [days, shape, curves]);

  useEffect(() => {
    const target = box.current!;
    const made = new uPlot(
      options(target.clientWidth, height, shown, () => drawing.current),
      data,
      target,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: target.clientWidth, height }));
    resized.observe(target);
    let pressed = 0;
    made.over.addEventListener('mousedown', (event) => (pressed = event.clientX));
    made.over.addEventListener('dblclick', () => go({ span: null }));
    const click = (event: MouseEvent): void => {
      if (Math.abs(event.clientX - pressed) > DRAG_PX) return;
      const picked = Math.round(made.posToVal(event.clientX - made.over.getBoundingClientRect().left, 'x'));
      go({ date: Math.min(to, Math.max(from, picked)) });
    };
    made.over.addEventListener('click', click);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, from, to, height, isDark.value]);

  useEffect(() => plot.current?.setData(data), [data]);
  useEffect(() => plot.current?.redraw(false), [day, marks, levels]);

  const at = hoverDay.value ?? day;
  const nothing = curves.every((curve) => !curve.values.some((value) => value !== null && value !== undefined));
  return (
    <section class="chart" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span class="chart-day">{at === null ? '' : toIso(at)}</span>
        {zoomed && (
          <button type="button" class="quiet" onClick={() => go({ span: null })}>
            All days
          </button>
        )}
        <button
          type="button"
          class="quiet"
          onClick={() => saveCsv(name, table(shown))}
          title="Download these curves as CSV"
        >
          CSV
        </button>
      </header>
      <div class="chart-box" ref={box} role="img" aria-label={describe(title, curves, from, to)} data-name={name} />
      {nothing && <p class="chart-empty">{empty ?? 'No values in this season.'}</p>}
      <ul class="legend">
        {curves.map((curve) => (
          <li key={curve.key}>
            <button
              type="button"
              aria-pressed={!hidden.has(curve.key)}
              onClick={() => setHidden(toggled(hidden, curve.key))}
              title={`Show or hide ${curve.label}`}
            >
              <Swatch shape={curve.shape} colour={curve.colour} width={curve.lineWidth} />
              {curve.label}
              <output>{said(curve, at, digits)}</output>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The chosen days as far as the chart has them. */
function within(span: readonly [number, number] | null, first: number, last: number): [number, number] {
  const [from, to] = [Math.max(first, span?.[0] ?? first), Math.min(last, span?.[1] ?? last)];
  return from < to ? [from, to] : [first, last];
}

/** The days that were dragged over become the days of all charts. */
function select(u: uPlot): void {
  const { left, width } = u.select;
  if (width <= DRAG_PX) return;
  const from = Math.round(u.posToVal(left, 'x'));
  const to = Math.round(u.posToVal(left + width, 'x'));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (to - from >= LEAST_DAYS) go({ span: [from, to] });
}

function toggled(set: ReadonlySet<string>, key: string): Set<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

function text(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits);
}

/** The value of a day; of a mean with its spread and number. */
function said(curve: Curve, day: number | null, digits: number): string {
  const value = valueAt(curve, day);
  const i = day === null ? -1 : curve.days.indexOf(day);
  if (value === null || !curve.counts) return text(value, digits);
  return `${text(value, digits)} ± ${text(curve.spread?.[i] ?? null, digits)}, n ${curve.counts[i]}`;
}

function valueAt(curve: Curve, day: number | null): number | null {
  const index = day === null ? -1 : curve.days.indexOf(day);
  return index < 0 ? null : (curve.values[index] ?? null);
}

function describe(title: string, curves: readonly Curve[], from: number, to: number): string {
  const counts = curves.map(
    (curve) => `${curve.label} ${curve.values.filter((v) => v !== null && v !== undefined).length} values`,
  );
  return `${title} from ${toIso(from)} to ${toIso(to)}: ${counts.join(', ')}. Click to choose a day; the table is in the CSV.`;
}

/** One row a day: date and every curve's value. */
function table(curves: readonly Curve[]): string[][] {
  const rows = new Map<number, string[]>();
  const heads = ['date'];
  for (const curve of curves) {
    const parts = [
      ['', curve.values],
      ...(curve.low
        ? ([
            ['_low', curve.low],
            ['_high', curve.high!],
          ] as const)
        : []),
      ...(curve.spread ? ([['_spread', curve.spread]] as const) : []),
      ...(curve.counts ? ([['_n', curve.counts]] as const) : []),
    ] as const;
    for (const [suffix, values] of parts) {
      heads.push(`${curve.key}${suffix}`);
      curve.days.forEach((day, i) => {
        const row = rows.get(day) ?? [toIso(day)];
        while (row.length < heads.length - 1) row.push('');
        row[heads.length - 1] = String(values[i] ?? '');
        rows.set(day, row);
      });
    }
  }
  const sorted = [...rows.entries()].sort(([a], [b]) => a - b).map(([, row]) => row);
  for (const row of sorted) while (row.length < heads.length) row.push('');
  return [heads, ...sorted];
}

type Aligned = (number | null | undefined)[];

/** Curves on the common axis of days. null breaks a line, undefined lets it pass. */
function align(days: number[], curves: readonly Curve[]): uPlot.AlignedData {
  const columns = curves.flatMap((curve) => {
    const rows = curve.low ? [curve.values, curve.low, curve.high!] : [curve.values];
    return rows.map((values) => spread(days, curve.days, values));
  });
  return [days, ...columns] as uPlot.AlignedData;
}

function spread(days: number[], at: readonly number[], values: readonly (number | null | undefined)[]): Aligned {
  const column: Aligned = days.map(() => null);
  let last = -Infinity;
  at.forEach((day, i) => {
    const value = values[i];
    const index = day - days[0]!;
    if (value === null || value === undefined || index < 0 || index >= days.length) return;
    column[index] = value;
    if (day - last <= BRIDGE) for (let j = last + 1; j < day; j += 1) column[j - days[0]!] = undefined;
    last = day;
  });
  return column;
}

function options(width: number, height: number, curves: readonly Curve[], now: () => Drawing): uPlot.Options {
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  for (const curve of curves) {
    const line = curve.shape === 'line' || curve.shape === 'dash';
    series.push({
      label: curve.label,
      stroke: painted(curve.colour),
      width: line ? (curve.lineWidth ?? LINE_WIDTH) : 0,
      dash: curve.shape === 'dash' ? [5, 3] : undefined,
      paths: line ? undefined : () => null,
      points: { show: false },
    });
    if (curve.low) {
      bands.push({ series: [series.length + 1, series.length], fill: painted(curve.colour, 15) });
      for (const end of ['low', 'high'])
        series.push({
          label: `${curve.label} ${end}`,
          stroke: painted(curve.colour, 33),
          width: 1,
          points: { show: false },
        });
    }
  }
  const axis = {
    stroke: painted('var(--axis)'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: painted('var(--faint)'), width: 1 },
    ticks: { stroke: painted('var(--border)'), width: 1 },
  };
  return {
    width,
    height,
    padding: [14, RIGHT, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      // A drag chooses the days of all charts; the click after it is told apart by its distance.
      drag: { x: true, y: false, setScale: false, dist: DRAG_PX, click: () => undefined },
      sync: { key: 'day', scales: ['x', null] },
      points: { size: 7 },
      move: (u, left, top) => [Math.round(u.valToPos(Math.round(u.posToVal(left, 'x')), 'x')), top],
    },
    scales: { x: { time: false }, y: { range: () => padded(now()) } },
    axes: [
      {
        ...axis,
        size: 26,
        splits: (u) => months(u.scales.x!.min!, u.scales.x!.max!).map((m) => m.day),
        values: (u) => roomyMonths(u.scales.x!.min!, u.scales.x!.max!, u.width - LEFT - RIGHT).map((m) => m.label),
      },
      { ...axis, size: LEFT },
    ],
    series,
    bands,
    hooks: {
      setCursor: [
        (u) => {
          hoverDay.value = u.cursor.left! < 0 ? null : Math.round(u.posToVal(u.cursor.left!, 'x'));
        },
      ],
      setSelect: [select],
      draw: [(u) => decorate(u, now())],
    },
  };
}

/** The values with a little air; a wide interval may leave the plot, it must not flatten the curve. */
function padded({ shown, from, to }: Drawing): [number, number] {
  let min = Infinity;
  let max = -Infinity;
  for (const curve of shown)
    for (const [i, value] of curve.values.entries())
      if (value !== null && value !== undefined && curve.days[i]! >= from && curve.days[i]! <= to) {
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
  if (!Number.isFinite(min)) return [0, 1];
  const air = Math.max((max - min) * 0.07, 0.004);
  return [min - air, max + air];
}
