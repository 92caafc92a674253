/** The curves of a season: the site's, or a pixel's beside the site's. */
import { useMemo } from 'preact/hooks';
import type { AreaSeason, Column, PixelSeason, Season, Series, SiteSeries } from '../api';
import { Chart, type Curve, type Mark } from '../chart/chart';
import { toDay, toIso } from '../days';
import { trueColour } from '../raster/styles';
import { go, route } from '../state';
import { column, daysOf } from './series-columns';
import { COLOURS, isItb, strategyOf } from './words';
import { curvesOfYears, type Year } from './years';

/** The fused line is thick and the camera's thin, so that grey alone tells them apart. */
const THICK = 2.4;
const THIN = 1.1;
/** 90 % of a normal distribution lies within this many standard deviations. */
const Z90 = 1.645;
const BANDS = [
  ['b02', 'Blue B02'],
  ['b03', 'Green B03'],
  ['b04', 'Red B04'],
  ['b8a', 'Near infrared B8A'],
] as const;

const NO_YEARS: readonly Year[] = [];

/** No source and no camera has a day. */
export const isEmpty = ({ sources, camera }: SiteSeries): boolean =>
  [...Object.values(sources), camera].every((one) => !one.date.length);

interface Props {
  season: Season;
  series: SiteSeries | null;
  pixel: PixelSeason | null;
  /** A drawn area, and other years of the site, beside it. */
  area?: AreaSeason | null;
  years?: readonly Year[];
  from: number;
  to: number;
  /** Dates drawn on the curves; the camera's by default. */
  dates?: readonly Mark[];
}

export function Curves({ season, series, pixel, area = null, years = NO_YEARS, from, to, dates }: Props) {
  const colour = route.value.colour;
  const marks = useMemo(() => dates ?? cameraMarks(series), [series, dates]);
  const sets = useMemo(() => {
    const make = (key: string): Curve[] => [
      ...curvesOfYears(years, season, key),
      ...curvesOf(key, season, series, pixel, colour),
      ...curvesOfArea(area, key),
    ];
    return { gcc: make('gcc'), ndvi: make('ndvi'), bands: BANDS.map(([key]) => make(key)) };
  }, [season, series, pixel, area, years, colour]);
  const file = (key: string): string =>
    `${season.site.name}_${season.season}_${season.scenario}_${route.value.stage}_${pixel ? 'pixel_' : ''}${key}`;
  const itb = isItb(season.scenario) && route.value.stage !== 'raw';
  const whose = pixel ? ', chosen pixel' : ', site';
  return (
    <>
      <Chart
        name={file('gcc')}
        title={`GCC${whose}`}
        curves={sets.gcc}
        from={from}
        to={to}
        marks={marks}
        height={200}
      />
      {marks.length > 0 && !dates && <Jumps marks={marks} />}
      <Chart
        name={file('ndvi')}
        title={`NDVI${whose}`}
        curves={sets.ndvi}
        from={from}
        to={to}
        marks={marks}
        height={170}
        digits={2}
        empty={itb ? 'Index-then-Blend fuses GCC itself: there is no NDVI.' : undefined}
      />
      {route.value.bands && (
        <div class="band-charts">
          {BANDS.map(([key, label], i) => (
            <Chart
              key={key}
              name={file(key)}
              title={`${label} reflectance${whose}`}
              curves={sets.bands[i]!}
              from={from}
              to={to}
              height={150}
              empty={itb ? 'Index-then-Blend fuses GCC itself: there are no bands.' : undefined}
            />
          ))}
        </div>
      )}
    </>
  );
}

function Jumps({ marks }: { marks: readonly Mark[] }) {
  return (
    <p class="jumps">
      {marks.map((mark) => (
        <button type="button" class="quiet" key={mark.label} onClick={() => go({ date: mark.day })}>
          {mark.label}: {toIso(mark.day)}
        </button>
      ))}
    </p>
  );
}

function curvesOf(
  key: string,
  season: Season,
  series: SiteSeries | null,
  pixel: PixelSeason | null,
  colour: boolean,
): Curve[] {
  const sources = (pixel ?? series)?.sources ?? {};
  const curves: Curve[] = [];
  const add = (curve: Omit<Curve, 'days' | 'values'>, from: Series | undefined): void => {
    const values = column(from, key);
    if (values.length) curves.push({ ...curve, days: daysOf(from), values });
  };
  add({ key: 's3', label: 'Sentinel-3', colour: COLOURS.s3, shape: 'square' }, sources.s3);
  if (key === 'gcc')
    add(
      { key: 'phenocam_gcc_90', label: 'Camera gcc_90', colour: COLOURS.camera, shape: 'line', lineWidth: THIN },
      series?.camera,
    );
  if (pixel && series?.sources.fused)
    add(
      { key: 'fused_site', label: 'Fused, site', colour: 'var(--reference)', shape: 'dash', lineWidth: 1.2 },
      series.sources.fused,
    );
  const band = interval(sources.fused, key);
  add(
    {
      key: 'fused',
      label: band.low ? 'Fused, 90 % band' : 'Fused',
      colour: COLOURS.fused,
      shape: 'line',
      lineWidth: THICK,
      ...band,
    },
    sources.fused,
  );
  const fills = colour && sources.s2 ? colours(sources.s2) : undefined;
  add({ key: 's2', label: 'Sentinel-2', colour: COLOURS.s2, shape: 'dot', fills }, sources.s2);
  const only = isItb(season.scenario) && route.value.stage !== 'raw' && key !== 'gcc';
  if (!pixel && !only) curves.push(excludedCurve(key, season));
  return curves.filter((curve) => curve.values.length);
}

/** Mean of the drawn area's pixels with their spread and number, and what Sentinel-2 saw of it. */
function curvesOfArea(area: AreaSeason | null, key: string): Curve[] {
  const make = (source: Series | undefined, curve: Pick<Curve, 'key' | 'label' | 'shape'>): Curve[] => {
    const values = column(source, key);
    const spread = column(source, `${key}_spread`);
    const counts = column(source, `${key}_n`);
    return values.length ? [{ ...curve, colour: 'var(--area)', days: daysOf(source), values, spread, counts }] : [];
  };
  return [
    ...make(area?.sources.s2, { key: 'area_s2', label: 'Sentinel-2, area', shape: 'ring' }),
    ...make(area?.sources.fused, { key: 'area', label: 'Fused, area', shape: 'line' }).map((curve) => ({
      ...curve,
      low: about(curve.values, curve.spread, -1),
      high: about(curve.values, curve.spread, 1),
    })),
  ];
}

/** Values and so many of their deviations up or down. */
function about(middle: Curve['values'], spread: Column | undefined, times: number): Column {
  return middle.map((value, i) =>
    value === null || value === undefined || spread?.[i] === null || spread?.[i] === undefined
      ? null
      : value + times * spread[i],
  );
}

/** fused ± 1.645 standard deviations, where the standard deviation of this quantity is known. */
function interval(fused: Series | undefined, key: string): Pick<Curve, 'low' | 'high'> {
  const spread = column(fused, `${key}_sd`);
  const middle = column(fused, key);
  if (!spread.length) return {};
  return { low: about(middle, spread, -Z90), high: about(middle, spread, Z90) };
}

function colours(s2: Series): (string | null)[] {
  const [blue, green, red] = ['b02', 'b03', 'b04'].map((key) => column(s2, key));
  return s2.date.map((_, i) => trueColour(blue![i] ?? null, green![i] ?? null, red![i] ?? null));
}

function excludedCurve(key: string, season: Season): Curve {
  const out = season.excluded.s2.filter((scene) => scene.rules[strategyOf(season.scenario)]);
  return {
    key: 's2_excluded',
    label: 'Sentinel-2, excluded',
    colour: COLOURS.s2,
    shape: 'ring',
    days: out.map((scene) => toDay(scene.date)!),
    values: out.map((scene) => scene[key as 'ndvi'] ?? gccOf(scene, key)),
  };
}

export function gccOf(
  scene: { b02: number | null; b03: number | null; b04: number | null },
  key: string,
): number | null {
  if (key !== 'gcc' || scene.b02 === null || scene.b03 === null || scene.b04 === null) return null;
  const sum = scene.b02 + scene.b03 + scene.b04;
  return sum > 0 ? scene.b03 / sum : null;
}

/** The camera's transition dates, with their intervals where the file has them. */
export function cameraMarks(series: Pick<SiteSeries, 'transitions'> | null): Mark[] {
  const dates = series?.transitions ?? {};
  const marks: Mark[] = [];
  for (const [key, value] of Object.entries(dates)) {
    const found = /^(green_up|green_down)_(\d+)pct_date$/.exec(key);
    const day = typeof value === 'string' ? toDay(value) : null;
    if (found && day !== null)
      marks.push({
        day,
        label: `${found[1] === 'green_up' ? 'Green-up' : 'Green-down'} ${found[2]} %`,
        colour: COLOURS.camera,
      });
  }
  return marks;
}
