/** One raster as the server sends it: a JSON header and the numbers. */

export interface Header {
  width: number;
  height: number;
  bands: string[];
  dtype: 'uint8' | 'int16' | 'uint16' | 'int32' | 'float32';
  scale: number;
  offset: number;
  nodata: number | null;
  transform: [number, number, number, number, number, number];
  epsg: number | null;
  thinned: number;
  tags: Record<string, string>;
}

const ARRAYS = { uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, int32: Int32Array, float32: Float32Array };

/** What a pixel can be asked for. */
export type Quantity = 'ndvi' | 'gcc' | 'b02' | 'b03' | 'b04' | 'b8a' | 'value';

const BAND: Partial<Record<Quantity, number>> = { b02: 0, b03: 1, b04: 2, b8a: 3, value: 0 };

export class Frame {
  /** Physical values, one plane a band, NaN = missing. */
  readonly planes: Float32Array[];

  constructor(
    readonly header: Header,
    stored: ArrayLike<number>,
  ) {
    const { width, height, bands, scale, offset, nodata } = header;
    const size = width * height;
    this.planes = bands.map((_, band) => {
      const plane = new Float32Array(size);
      for (let i = 0; i < size; i += 1) {
        const value = stored[band * size + i]!;
        plane[i] = value === nodata ? NaN : value * scale + offset;
      }
      return plane;
    });
  }

  static decode(buffer: ArrayBuffer): Frame {
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as Header;
    const stored = new ARRAYS[header.dtype](buffer, 4 + length);
    if (stored.BYTES_PER_ELEMENT === 2) sumRows(stored, header.width);
    return new Frame(header, stored);
  }

  /** Four bands: reflectance. One band: an index or a layer. */
  get isReflectance(): boolean {
    return this.planes.length >= 4;
  }

  /** left, bottom, right, top in metres */
  get extent(): [number, number, number, number] {
    const [a, , c, , e, f] = this.header.transform;
    return [c, f + e * this.header.height, c + a * this.header.width, f];
  }

  /** Index of the pixel that holds (east, north), or -1 outside. */
  locate(east: number, north: number): number {
    const [a, , c, , e, f] = this.header.transform;
    const column = Math.floor((east - c) / a);
    const row = Math.floor((north - f) / e);
    const inside = column >= 0 && row >= 0 && column < this.header.width && row < this.header.height;
    return inside ? row * this.header.width + column : -1;
  }

  /** Can `quantity` be made of these bands? A single band is GCC itself (Index-then-Blend). */
  has(quantity: Quantity): boolean {
    return this.isReflectance ? quantity !== 'value' : quantity === 'gcc' || quantity === 'value';
  }

  /** One pixel's value; NaN when missing or undefined. */
  at(index: number, quantity: Quantity): number {
    if (index < 0 || !this.has(quantity)) return NaN;
    if (!this.isReflectance) return this.planes[0]![index]!;
    const [blue, green, red, nir] = this.planes as [Float32Array, Float32Array, Float32Array, Float32Array];
    if (quantity === 'ndvi') return share(nir[index]! - red[index]!, [nir[index]!, red[index]!]);
    if (quantity === 'gcc') return share(green[index]!, [blue[index]!, green[index]!, red[index]!]);
    return this.planes[BAND[quantity]!]![index]!;
  }

  /** All pixels' values. */
  plane(quantity: Quantity): Float32Array {
    const out = new Float32Array(this.header.width * this.header.height);
    for (let i = 0; i < out.length; i += 1) out[i] = this.at(i, quantity);
    return out;
  }
}

/** Values of 16 bits come as differences from their left neighbour; the array's own width keeps the sums in range. */
function sumRows(stored: { [index: number]: number; readonly length: number }, width: number): void {
  for (let i = 1; i < stored.length; i += 1) if (i % width) stored[i] = stored[i]! + stored[i - 1]!;
}

/** A share of reflected light exists only where no band is negative and their sum is positive. */
function share(part: number, bands: readonly number[]): number {
  const total = bands.reduce((sum, band) => sum + band, 0);
  return total > 0 && bands.every((band) => band >= 0) ? part / total : NaN;
}

/** A - B of one quantity on A's pixels (B by nearest pixel), as a single-band frame; NaN where either is missing. */
export function difference(a: Frame, b: Frame, quantity: Quantity): Frame {
  const { width, height, transform } = a.header;
  const out = new Float32Array(width * height);
  const same =
    b.header.width === width && b.header.height === height && b.header.transform.every((v, i) => v === transform[i]);
  for (let i = 0; i < out.length; i += 1) {
    const east = transform[2] + transform[0] * ((i % width) + 0.5);
    const north = transform[5] + transform[4] * (Math.floor(i / width) + 0.5);
    out[i] = a.at(i, quantity) - b.at(same ? i : b.locate(east, north), quantity);
  }
  return new Frame({ ...a.header, bands: ['difference'], dtype: 'float32', scale: 1, offset: 0, nodata: null }, out);
}

/** Mean, mean absolute and root mean square of the finite values. */
export function summary(values: Float32Array): { n: number; mean: number; mae: number; rmse: number } {
  let n = 0;
  let sum = 0;
  let absolute = 0;
  let square = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    n += 1;
    sum += value;
    absolute += Math.abs(value);
    square += value * value;
  }
  return { n, mean: sum / n, mae: absolute / n, rmse: Math.sqrt(square / n) };
}

/** The values below which the given shares of the finite values lie. */
export function quantiles(values: Float32Array[], shares: number[]): number[] {
  const all = Float32Array.from(values.flatMap((plane) => Array.from(plane).filter((v) => !Number.isNaN(v)))).sort();
  return shares.map((share) => all[Math.min(all.length - 1, Math.floor(share * all.length))] ?? NaN);
}
