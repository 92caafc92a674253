import { expect, test } from 'vitest';
import { labelPlaces } from '../src/chart/decorate';

const WIDE = 130;
const marks = (...at: number[]) => at.map((x) => ({ x, wide: WIDE }));

test('labels stand right of their lines, each in a row in which it hides none before it', () => {
  expect(labelPlaces(marks(10, 30, 400), 0, 800, 150, 1)).toEqual([
    { at: 13, row: 0 },
    { at: 33, row: 1 },
    { at: 403, row: 0 },
  ]);
});

test('a label stands left of its line where the plot ends, and is left out where neither side has room', () => {
  expect(labelPlaces(marks(700), 0, 800, 150, 1)).toEqual([{ at: 700 - 3 - WIDE, row: 0 }]);
  expect(labelPlaces(marks(90), 0, 200, 150, 1)).toEqual([null]);
});

test('labels that would cover the curves of a narrow chart are left out', () => {
  const many = marks(90, 95, 100, 105, 240, 242, 244, 246);
  expect(labelPlaces(many, 0, 310, 150, 1)).toEqual(many.map(() => null));
  expect(labelPlaces(many, 0, 800, 150, 1).every((place) => place !== null)).toBe(true);
});
