import { describe, expect, it } from 'vitest';
import { difference, Frame, quantiles, summary, type Header } from '../src/raster/frame';
import { colourAt, differenceStyle, fits, paint, STYLES, trueColour } from '../src/raster/styles';

const header = (change: Partial<Header> = {}): Header => ({
  width: 2,
  height: 2,
  bands: ['B02', 'B03', 'B04', 'B8A'],
  dtype: 'uint16',
  scale: 1e-4,
  offset: 0,
  nodata: 0,
  transform: [10, 0, 500, 0, -10, 1000],
  epsg: 32632,
  thinned: 1,
  tags: {},
  ...change,
});
const scene = new Frame(header(), [400, 400, 0, 400, 800, 800, 800, 800, 400, 800, 800, 800, 4000, 2000, 800, 800]);
const single = (values: number[], change: Partial<Header> = {}): Frame =>
  new Frame(header({ bands: ['gcc'], dtype: 'float32', scale: 1, nodata: null, ...change }), values);
const style = (key: string) => STYLES.find((one) => one.key === key)!;

function encode(head: Header, values: Uint16Array): ArrayBuffer {
  let text = JSON.stringify(head);
  text += ' '.repeat((8 - ((text.length + 4) % 8)) % 8);
  const bytes = new Uint8Array(4 + text.length + values.byteLength);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(new TextEncoder().encode(text), 4);
  bytes.set(new Uint8Array(values.buffer), 4 + text.length);
  return bytes.buffer;
}

describe('a frame', () => {
  it('is read as it is sent', () => {
    const differences = Uint16Array.from({ length: 16 }, (_, i) => (i % 2 ? 100 : i * 100));
    const frame = Frame.decode(encode(header(), differences));
    expect(frame.planes.map((plane) => Array.from(plane, (v) => Number(v.toFixed(4))))).toEqual([
      [NaN, 0.01, 0.02, 0.03],
      [0.04, 0.05, 0.06, 0.07],
      [0.08, 0.09, 0.1, 0.11],
      [0.12, 0.13, 0.14, 0.15],
    ]);
  });

  it('of signed steps goes below zero and back', () => {
    const steps = Uint16Array.from([65536 - 5, 12, 32768, 32768 + 7]);
    const frame = Frame.decode(encode(header({ bands: ['gcc'], dtype: 'int16', nodata: -32768 }), steps));
    expect(Array.from(frame.planes[0]!, (v) => Number(v.toFixed(4)))).toEqual([-0.0005, 0.0007, NaN, 0.0007]);
  });

  it('makes NDVI and GCC of its bands, and neither of a missing one', () => {
    expect(scene.at(0, 'ndvi')).toBeCloseTo((0.4 - 0.04) / (0.4 + 0.04), 6);
    expect(scene.at(0, 'gcc')).toBeCloseTo(0.08 / 0.16, 6);
    expect(scene.at(2, 'gcc')).toBeNaN();
    expect(scene.at(-1, 'gcc')).toBeNaN();
  });

  it('of a single band is GCC itself and nothing else', () => {
    const gcc = single([0.3, 0.4, NaN, 0.5]);
    expect(gcc.at(1, 'gcc')).toBeCloseTo(0.4);
    expect(gcc.has('ndvi')).toBe(false);
    expect(gcc.at(1, 'ndvi')).toBeNaN();
  });

  it('knows which pixel holds a place', () => {
    expect([
      scene.locate(501, 999),
      scene.locate(511, 999),
      scene.locate(501, 981),
      scene.locate(519.9, 980.1),
    ]).toEqual([0, 1, 2, 3]);
    expect([
      scene.locate(499.9, 999),
      scene.locate(521, 999),
      scene.locate(501, 1000.1),
      scene.locate(501, 979),
    ]).toEqual([-1, -1, -1, -1]);
  });
});

describe('a difference', () => {
  it('compares pixel with pixel of the same place, on whatever grids they lie', () => {
    const fine = single([0.5, 0.4, 0.3, NaN]);
    const coarse = single([0.1], { width: 1, height: 1, transform: [20, 0, 500, 0, -20, 1000] });
    const made = difference(fine, coarse, 'gcc').planes[0]!;
    expect(Array.from(made, (v) => Number(v.toFixed(3)))).toEqual([0.4, 0.3, 0.2, NaN]);
  });

  it('is missing where the other grid does not reach', () => {
    const far = single([0.1], { width: 1, height: 1, transform: [10, 0, 510, 0, -10, 1000] });
    expect(Array.from(difference(single([1, 1, 1, 1]), far, 'gcc').planes[0]!, Number.isNaN)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it('is summed over what is there', () => {
    expect(summary(Float32Array.of(3, -4, NaN))).toEqual({ n: 2, mean: -0.5, mae: 3.5, rmse: Math.sqrt(12.5) });
  });
});

describe('colours', () => {
  it('leave missing pixels transparent', () => {
    const rgba = paint(scene, style('true'), null);
    expect([rgba[3], rgba[7], rgba[11], rgba[15]]).toEqual([255, 255, 0, 255]);
  });

  it('are the same for the same value on every frame', () => {
    const cloudy = new Frame(
      header(),
      [400, 9000, 9000, 9000, 800, 9000, 9000, 9000, 400, 9000, 9000, 9000, 4000, 9000, 9000, 9000],
    );
    for (const key of ['true', 'false', 'ndvi', 'gcc', 'b8a']) {
      expect(paint(cloudy, style(key), null).slice(0, 4)).toEqual(paint(scene, style(key), null).slice(0, 4));
    }
  });

  it('end at the ends of the range', () => {
    const ramp = [
      [0, 0, 0],
      [100, 200, 50],
    ] as const;
    expect([colourAt(ramp, -1), colourAt(ramp, 0.5), colourAt(ramp, 7)]).toEqual([
      [0, 0, 0],
      [50, 100, 25],
      [100, 200, 50],
    ]);
  });

  it('follow a range set by hand', () => {
    const gcc = single([0.3, 0.4, 0.5, 0.6]);
    expect(paint(gcc, style('gcc'), [0.3, 0.6]).slice(0, 3)).toEqual(Uint8ClampedArray.from([255, 229, 173]));
  });

  it('are refused to frames that cannot be shown so', () => {
    expect(STYLES.filter((one) => fits(single([1, 1, 1, 1]), one)).map((one) => one.key)).toEqual(['gcc']);
  });

  it('of a difference are symmetric about zero', () => {
    for (const one of STYLES) {
      const [low, high] = differenceStyle(one).range;
      expect(low).toBe(-high);
    }
  });

  it('of a point on a curve are those of its pixel, and none without its bands', () => {
    expect(trueColour(0, 0.22, 0)).toBe('rgb(0 255 0)');
    expect(trueColour(0.1, null, 0.1)).toBeNull();
  });

  it('can be fitted to what a season holds', () => {
    expect(quantiles([Float32Array.of(1, NaN, 3), Float32Array.of(2, 4)], [0, 0.5, 1])).toEqual([1, 3, 4]);
  });
});
