/** What a chart draws over its lines. */
import type uPlot from 'uplot';
import { shortDate } from '../days';
import { painted } from '../ui/palette';
import type { Curve, Mark } from './chart';

const CURSOR = 'var(--cursor)';
const LEVEL = 'var(--level)';
/** Height of a row of labels, and the part of a chart's height that they may cover. */
const ROW = 11;
const MOST_COVERED = 0.4;
const LABEL_FONT = (ratio: number): string => `${10 * ratio}px system-ui, sans-serif`;

export interface Drawing {
  from: number;
  to: number;
  day: number | null;
  marks: readonly Mark[];
  shown: readonly Curve[];
  levels: readonly { value: number; label: string }[];
}

/** Points, levels, marks and the cursor, over the lines. */
export function decorate(u: uPlot, { day, marks, shown, levels }: Drawing): void {
  const c = u.ctx;
  const ratio = devicePixelRatio || 1;
  const { left, top, width, height } = u.bbox;
  c.save();
  c.beginPath();
  c.rect(left, top - 14 * ratio, width, height + 14 * ratio);
  c.clip();
  c.textAlign = 'left';
  c.textBaseline = 'alphabetic';
  for (const level of levels) {
    const y = u.valToPos(level.value, 'y', true);
    if (y < top || y > top + height) continue;
    stroke(c, LEVEL, ratio, [2 * ratio, 3 * ratio], left, y, left + width, y);
    label(c, level.label, left + 4 * ratio, y - 3 * ratio, LEVEL, ratio);
  }
  c.font = LABEL_FONT(ratio);
  const ordered = [...marks].sort((a, b) => a.day - b.day);
  const words = ordered.map((mark) => ({
    x: u.valToPos(mark.day, 'x', true),
    wide: mark.label ? c.measureText(mark.label).width : 0,
  }));
  const places = labelPlaces(words, left, left + width, height, ratio);
  ordered.forEach((mark, i) => {
    if (mark.interval) {
      const [x0, x1] = mark.interval.map((d) => u.valToPos(d, 'x', true)) as [number, number];
      c.fillStyle = painted(mark.colour, 12);
      c.fillRect(x0, top, Math.max(x1 - x0, ratio), height);
    }
    const x = words[i]!.x;
    stroke(c, mark.colour, ratio * 1.25, [5 * ratio, 3 * ratio], x, top, x, top + height);
    const place = places[i];
    if (mark.label && place) label(c, mark.label, place.at, top + (9 + ROW * place.row) * ratio, mark.colour, ratio);
  });
  for (const curve of shown) points(u, c, curve, ratio);
  if (day !== null) {
    const x = u.valToPos(day, 'x', true);
    stroke(c, CURSOR, 2 * ratio, [], x, top, x, top + height);
    c.font = `600 ${10.5 * ratio}px system-ui, sans-serif`;
    const words = shortDate(day);
    const wide = c.measureText(words).width;
    const at = Math.min(left + width - wide, Math.max(left, x - wide / 2));
    c.fillStyle = painted(CURSOR);
    c.fillText(words, at, top - 5 * ratio);
  }
  c.restore();
}

/**
 * Where the words of marks from left to right stand: right of their lines, or left of them where the plot ends, each in
 * the first row in which it hides none before it. None where there is room on neither side, and none at all where their
 * rows would cover the curves: a legend or table beside the chart has the same words.
 */
export function labelPlaces(
  words: readonly { x: number; wide: number }[],
  left: number,
  right: number,
  height: number,
  ratio: number,
): ({ at: number; row: number } | null)[] {
  const ends: number[] = [];
  const places = words.map(({ x, wide }) => {
    const after = x + 3 * ratio;
    const at = after + wide > right ? x - 3 * ratio - wide : after;
    if (!wide || at < left) return null;
    const free = ends.findIndex((end) => end < at);
    const row = free < 0 ? ends.length : free;
    ends[row] = at + wide + 6 * ratio;
    return { at, row };
  });
  return ends.length * ROW * ratio > MOST_COVERED * height ? words.map(() => null) : places;
}

function points(u: uPlot, c: CanvasRenderingContext2D, curve: Curve, ratio: number): void {
  if (curve.shape === 'line' || curve.shape === 'dash') return;
  const radius = (curve.shape === 'square' ? 2 : 3.4) * ratio;
  curve.days.forEach((day, i) => {
    const value = curve.values[i];
    if (value === null || value === undefined) return;
    const x = u.valToPos(day, 'x', true);
    const y = u.valToPos(value, 'y', true);
    c.beginPath();
    if (curve.shape === 'square') c.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    else c.arc(x, y, radius, 0, 2 * Math.PI);
    c.lineWidth = 1.5 * ratio;
    c.strokeStyle = painted(curve.colour);
    if (curve.shape === 'ring') {
      c.fillStyle = painted('var(--paper)');
      c.fill();
      c.stroke();
    } else {
      c.fillStyle = curve.fills?.[i] ?? painted(curve.colour);
      c.fill();
      if (curve.fills?.[i]) c.stroke();
    }
  });
}

function stroke(
  c: CanvasRenderingContext2D,
  colour: string,
  width: number,
  dash: number[],
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  c.beginPath();
  c.setLineDash(dash);
  c.strokeStyle = painted(colour);
  c.lineWidth = width;
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  c.stroke();
  c.setLineDash([]);
}

function label(c: CanvasRenderingContext2D, words: string, x: number, y: number, colour: string, ratio: number): void {
  c.font = LABEL_FONT(ratio);
  c.lineWidth = 3 * ratio;
  c.strokeStyle = painted('var(--halo)');
  c.strokeText(words, x, y);
  c.fillStyle = painted(colour);
  c.fillText(words, x, y);
}
