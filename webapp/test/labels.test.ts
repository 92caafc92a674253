/** Labels of a map never lie on each other, and none leaves the map. */
import { expect, test } from 'vitest';
import { placeLabels } from '../src/ui/place-labels';

const near = ['innsbruck', 'innsbruck2', 'kuehtai', 'neustift'].map((text, i) => ({
  x: 100 + 3 * i,
  y: 60 + 2 * i,
  text,
}));

test('a label alone stands right of its point, or left of it at the right border', () => {
  const [first, last] = placeLabels(
    [
      { x: 50, y: 50, text: 'alone' },
      { x: 410, y: 50, text: 'border' },
    ],
    12,
    420,
    220,
  );
  expect(first?.anchor).toBe('start');
  expect(last?.anchor).toBe('end');
});

test('labels of near points keep apart', () => {
  const labels = placeLabels(near, 12, 420, 220);
  const boxes = labels.map((label, i) => {
    const long = near[i]!.text.length * 6;
    const left = label!.anchor === 'start' ? label!.x : label!.anchor === 'end' ? label!.x - long : label!.x - long / 2;
    return { left, right: left + long, top: label!.y - 9, bottom: label!.y + 2 };
  });
  for (const [i, a] of boxes.entries())
    for (const b of boxes.slice(i + 1))
      expect(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top).toBe(true);
});

test('where there is no room at all, a label is left out', () => {
  const crowd = Array.from({ length: 60 }, () => ({ x: 100, y: 100, text: 'the same place' }));
  const labels = placeLabels(crowd, 12, 420, 220);
  expect(labels[0]).not.toBeNull();
  expect(labels.at(-1)).toBeNull();
});
