/** Styles: how numbers become colours. Ranges are fixed, the same on every date and for every sensor. */
import type { Frame, Quantity } from './frame';
import { VEGETATION } from './vegetation';

type Rgb = readonly [number, number, number];

export interface ColourStyle {
  kind: 'colour';
  key: string;
  label: string;
  /** Bands shown as red, green, blue, and the reflectance at full brightness. */
  bands: readonly [Quantity, Quantity, Quantity];
  range: readonly [number, number];
  note: string;
}

export interface ValueStyle {
  kind: 'value';
  key: string;
  label: string;
  quantity: Quantity;
  range: readonly [number, number];
  ramp: readonly Rgb[];
  unit: string;
  note: string;
  /** Words of whole numbers, where values are classes. */
  classes?: readonly string[];
}

export type Style = ColourStyle | ValueStyle;

const VIRIDIS: readonly Rgb[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];
const GREYS: readonly Rgb[] = [
  [12, 12, 12],
  [250, 250, 250],
];
const HEAT: readonly Rgb[] = [
  [252, 250, 243],
  [253, 216, 148],
  [245, 146, 78],
  [201, 66, 60],
  [112, 22, 66],
];
const BLUES: readonly Rgb[] = [
  [8, 48, 107],
  [33, 113, 181],
  [107, 174, 214],
  [198, 219, 239],
  [247, 251, 255],
];
/** Blue - white - orange: told apart with every common colour vision. */
const DIVERGING: readonly Rgb[] = [
  [17, 72, 140],
  [91, 149, 206],
  [190, 215, 236],
  [246, 246, 244],
  [250, 208, 162],
  [225, 132, 52],
  [140, 66, 8],
];

const band = (key: Quantity, label: string, top: number): ValueStyle => ({
  kind: 'value',
  key,
  label,
  quantity: key,
  range: [0, top],
  ramp: GREYS,
  unit: '',
  note: 'reflectance',
});

/** Styles of reflectance and GCC products. */
export const STYLES: readonly Style[] = [
  {
    kind: 'colour',
    key: 'true',
    label: 'True colour',
    bands: ['b04', 'b03', 'b02'],
    range: [0, 0.22],
    note: 'B04, B03, B02 as red, green, blue',
  },
  {
    kind: 'colour',
    key: 'false',
    label: 'False colour',
    bands: ['b8a', 'b04', 'b03'],
    range: [0, 0.45],
    note: 'B8A, B04, B03 as red, green, blue',
  },
  {
    kind: 'value',
    key: 'ndvi',
    label: 'NDVI',
    quantity: 'ndvi',
    range: [0, 0.9],
    ramp: VEGETATION,
    unit: '',
    note: '(B8A − B04) / (B8A + B04)',
  },
  {
    kind: 'value',
    key: 'gcc',
    label: 'GCC',
    quantity: 'gcc',
    range: [0.28, 0.54],
    ramp: VEGETATION,
    unit: '',
    note: 'B03 / (B02 + B03 + B04)',
  },
  band('b02', 'Blue B02', 0.2),
  band('b03', 'Green B03', 0.2),
  band('b04', 'Red B04', 0.2),
  band('b8a', 'Near infrared B8A', 0.5),
];

/** What a coarse value rests on, by the numbers of the support layer. */
const SUPPORT = ['none', 'extrapolated', 'interpolated', 'observed'];
/** What a kriged value rests on. */
const KRIGED = [
  'never seen',
  'its level alone',
  'Sentinel-3',
  'scenes on one side',
  'scenes on both sides',
  'a scene of the day',
  'snow then, ground predicted',
];
const KRIGED_RAMP: [number, number, number][] = [
  [150, 150, 150],
  [214, 95, 66],
  [240, 200, 110],
  [166, 206, 140],
  [90, 174, 97],
  [27, 120, 55],
  [116, 173, 209],
];

const LAYERS: Record<string, Pick<ValueStyle, 'range' | 'ramp' | 'classes'>> = {
  days_to_scene: { range: [0, 30], ramp: HEAT },
  effective_scenes: { range: [0, 12], ramp: VIRIDIS },
  coarse_support: {
    range: [0, SUPPORT.length - 1],
    ramp: [
      [150, 150, 150],
      [214, 95, 66],
      [240, 200, 110],
      [27, 120, 55],
    ],
    classes: SUPPORT,
  },
  support: { range: [0, KRIGED.length - 1], ramp: KRIGED_RAMP, classes: KRIGED },
  standard_deviation: { range: [0, 0.05], ramp: HEAT },
  distance: { range: [0, 15], ramp: BLUES.toReversed() },
};

/** Style of a single-band layer; unknown layers get a neutral ramp. */
export function layerStyle(key: string, label: string, unit: string, note: string): ValueStyle {
  const known = Object.entries(LAYERS).find(([name]) => key.startsWith(name))?.[1];
  return { kind: 'value', key, label, quantity: 'value', unit, note, range: [0, 1], ramp: VIRIDIS, ...known };
}

export function dateStyle(key: string, label: string, range: readonly [number, number]): ValueStyle {
  return { kind: 'value', key, label, quantity: 'value', range, ramp: VIRIDIS, unit: 'day of year', note: '' };
}

export const spreadStyle = (key: string, label: string, top: number): ValueStyle => ({
  kind: 'value',
  key,
  label,
  quantity: 'value',
  range: [0, top],
  ramp: HEAT,
  unit: 'd',
  note: '',
});

/** How a date came about, by the numbers of the label maps. */
export const DATE_LABELS = [
  'too few observations',
  'dated',
  'base borrowed from the other side',
  'in a gap of the series',
  'season truncated',
  'no season',
];
const CLASSES: readonly Rgb[] = [
  [150, 150, 150],
  [27, 120, 55],
  [98, 181, 130],
  [240, 178, 72],
  [59, 76, 145],
  [230, 225, 215],
];

export const labelStyle = (key: string, label: string): ValueStyle => ({
  kind: 'value',
  key,
  label,
  quantity: 'value',
  range: [0, DATE_LABELS.length - 1],
  ramp: CLASSES,
  unit: '',
  note: '',
  classes: DATE_LABELS,
});

/** Sentinel-2's scene classification, with the colours that ESA draws it in. */
const SCENE: readonly (readonly [string, Rgb])[] = [
  ['no data', [0, 0, 0]],
  ['defective', [255, 0, 0]],
  ['dark, shadowed', [47, 47, 47]],
  ['cloud shadow', [100, 50, 0]],
  ['vegetation', [0, 160, 0]],
  ['bare', [255, 230, 90]],
  ['water', [0, 0, 255]],
  ['unclassified', [128, 128, 128]],
  ['cloud, medium', [192, 192, 192]],
  ['cloud, high', [235, 235, 235]],
  ['cirrus', [100, 200, 255]],
  ['snow', [255, 150, 255]],
];

export const sceneClasses: ValueStyle = {
  kind: 'value',
  key: 'scl',
  label: 'Scene classes',
  quantity: 'value',
  range: [0, SCENE.length - 1],
  ramp: SCENE.map(([, colour]) => colour),
  unit: '',
  note: '',
  classes: SCENE.map(([words]) => words),
};

const SPREAD: Partial<Record<Quantity, number>> = { ndvi: 0.3, gcc: 0.06, b8a: 0.15 };

/** The difference of a style's quantity, symmetric about zero; colour styles compare GCC. */
export function differenceStyle(style: Style): ValueStyle {
  const quantity = style.kind === 'colour' ? 'gcc' : style.quantity;
  const top = SPREAD[quantity] ?? 0.06;
  const name = quantity === 'value' ? style.label : quantity.toUpperCase();
  return {
    kind: 'value',
    key: 'difference',
    label: `A − B, ${name}`,
    quantity: 'value',
    range: [-top, top],
    ramp: DIVERGING,
    unit: '',
    note: 'blue: A is lower, orange: A is higher',
  };
}

/** Colour at `share` (0 to 1) of a ramp. */
export function colourAt(ramp: readonly Rgb[], share: number): Rgb {
  const position = Math.min(1, Math.max(0, share)) * (ramp.length - 1);
  const low = Math.min(ramp.length - 2, Math.floor(position));
  const rest = position - low;
  const from = ramp[low]!;
  const to = ramp[low + 1]!;
  return [0, 1, 2].map((i) => Math.round(from[i]! + (to[i]! - from[i]!) * rest)) as unknown as Rgb;
}

/** Can `frame` be shown in `style`? */
export function fits(frame: Frame, style: Style): boolean {
  return style.kind === 'colour' ? frame.isReflectance : frame.has(style.quantity);
}

/** RGBA of every pixel, transparent where missing. `range` overrides the style's own. */
export function paint(
  frame: Frame,
  style: Style,
  range: readonly [number, number] | null,
): Uint8ClampedArray<ArrayBuffer> {
  const [low, high] = range ?? style.range;
  const size = frame.header.width * frame.header.height;
  const rgba = new Uint8ClampedArray(size * 4);
  if (style.kind === 'colour') {
    const planes = style.bands.map((name) => frame.plane(name));
    for (let i = 0; i < size; i += 1) {
      const red = planes[0]![i]!;
      const green = planes[1]![i]!;
      const blue = planes[2]![i]!;
      if (Number.isNaN(red + green + blue)) continue;
      rgba[4 * i] = brightness(red, low, high);
      rgba[4 * i + 1] = brightness(green, low, high);
      rgba[4 * i + 2] = brightness(blue, low, high);
      rgba[4 * i + 3] = 255;
    }
    return rgba;
  }
  const table = Array.from({ length: 256 }, (_, i) => colourAt(style.ramp, i / 255));
  const plane = frame.plane(style.quantity);
  for (let i = 0; i < size; i += 1) {
    const value = plane[i]!;
    if (Number.isNaN(value)) continue;
    const step = Math.round(Math.min(1, Math.max(0, (value - low) / (high - low))) * 255);
    const colour = table[step]!;
    rgba[4 * i] = colour[0];
    rgba[4 * i + 1] = colour[1];
    rgba[4 * i + 2] = colour[2];
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}

/** A gentle gamma keeps dark forest readable beside bright fields. */
function brightness(value: number, low: number, high: number): number {
  return 255 * Math.min(1, Math.max(0, (value - low) / (high - low))) ** (1 / 1.35);
}

/** CSS colour of a pixel in true colour, for points on curves. */
export function trueColour(blue: number | null, green: number | null, red: number | null): string | null {
  if (blue === null || green === null || red === null) return null;
  const [low, high] = STYLES[0]!.range;
  return `rgb(${[red, green, blue].map((v) => Math.round(brightness(v, low, high))).join(' ')})`;
}
