import { expect, test } from 'vitest';
import { dateStyle, layerStyle, spreadStyle } from '../src/raster/styles';

/** Brightness as the eye has it (relative luminance of sRGB). */
const luminance = (colour: readonly number[]): number => {
  const [red, green, blue] = colour.map((part) => (part / 255) ** 2.2) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const LAYERS = ['days_to_scene', 'effective_scenes', 'standard_deviation', 'distance', 'another'];

test('a ramp of dates and quality grows steadily brighter or darker, so that it is read in any colour vision and in grey', () => {
  const styles = [
    dateStyle('rising_50', 'Green-up', [60, 200]),
    spreadStyle('rising_50', 'Spread', 30),
    ...LAYERS.map((key) => layerStyle(key, key, '', '')),
  ];
  for (const { key, ramp } of styles) {
    const steps = ramp.slice(1).map((colour, i) => luminance(colour) - luminance(ramp[i] ?? colour));
    expect(steps.every((step) => step > 0) || steps.every((step) => step < 0), key).toBe(true);
  }
});
