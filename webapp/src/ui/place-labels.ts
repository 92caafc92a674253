/** Labels beside points such that none lies on another or on another's point. */

export interface Label {
  x: number;
  y: number;
  anchor: 'start' | 'end' | 'middle';
}

type Box = [left: number, top: number, right: number, bottom: number];

/** Width of a letter and height of a line in a font of size 1; sans-serif digits and letters are about so wide. */
const LETTER = 0.56;
const LINE = 1.15;
const GAP = 8;
const DOT = 6;

/**
 * A place for each label, in the order of the points; null where every place near its point is taken.
 *
 * Tried in turn: right, left, above, below, then right and left a line and two lines up and down. Nothing leaves
 * [0, width] x [0, height].
 */
export function placeLabels(
  points: readonly { x: number; y: number; text: string }[],
  size: number,
  width: number,
  height: number,
): (Label | null)[] {
  const taken: Box[] = points.map(({ x, y }) => [x - DOT, y - DOT, x + DOT, y + DOT]);
  return points.map((point, own) => {
    const long = point.text.length * LETTER * size;
    for (const label of around(point, size)) {
      const box = boxOf(label, long, size);
      const inside = box[0] >= 0 && box[2] <= width && box[1] >= 0 && box[3] <= height;
      if (!inside || taken.some((other, i) => i !== own && overlap(box, other))) continue;
      taken.push(box);
      return label;
    }
    return null;
  });
}

function around({ x, y }: { x: number; y: number }, size: number): Label[] {
  const middle = y + size * 0.35;
  const line = size * LINE;
  const sides = (up: number): Label[] => [
    { x: x + GAP, y: middle + up, anchor: 'start' },
    { x: x - GAP, y: middle + up, anchor: 'end' },
  ];
  const ends: Label[] = [
    { x, y: y - GAP, anchor: 'middle' },
    { x, y: y + GAP + size * 0.8, anchor: 'middle' },
  ];
  return [...sides(0), ...ends, ...[-1, 1, -2, 2].flatMap((lines) => sides(lines * line))];
}

function boxOf({ x, y, anchor }: Label, long: number, size: number): Box {
  const left = anchor === 'start' ? x : anchor === 'end' ? x - long : x - long / 2;
  return [left, y - size * 0.85, left + long, y + size * 0.25];
}

const overlap = (a: Box, b: Box) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
