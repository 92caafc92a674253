/** The address grammar: everything that is seen is in the address (`satfusion_assets/vocabulary/links.py` writes the same). */
import { toDay, toIso } from './days';

export const PAGES = ['explore', 'preselection', 'metrics', 'gaps', 'phenology'] as const;
export type Page = (typeof PAGES)[number];
export const STAGES = ['raw', 'prepared', 'fusion', 'processed'] as const;
export type Stage = (typeof STAGES)[number];
export const VIEWS = ['side', 'swipe', 'blink', 'difference'] as const;
export type View = (typeof VIEWS)[number];
export const SOURCES = ['s2', 'fused', 's3', 'distance', 'scl'] as const;
export type Source = (typeof SOURCES)[number];

export const SHOWS = ['all', 'kept', 'excluded', 'differ'] as const;
export type Show = (typeof SHOWS)[number];

export interface Route {
  site: string | null;
  season: number | null;
  /** null: the best scored scenario, or the first. */
  scenario: string | null;
  page: Page;
  date: number | null;
  stage: Stage;
  style: string;
  view: View;
  /** The two sources that are compared, and the second one's own day (null: the same day). */
  a: Source;
  b: Source;
  bDate: number | null;
  /** Scenario whose fused maps stand beside this one's; null: the sources side by side. */
  beside: string | null;
  /** Easting and northing of the chosen pixel. */
  px: [number, number] | null;
  /** Corners of a drawn area, easting and northing. */
  area: [number, number][] | null;
  /** Centre easting, northing and metres a pixel of the maps; null: the whole site. */
  at: [number, number, number] | null;
  /** First and last day of the curves; null: the whole season. */
  span: [number, number] | null;
  /** Colour range chosen by hand; null: the style's own. */
  range: [number, number] | null;
  /** Which bands' curves are drawn beside NDVI and GCC. */
  bands: boolean;
  /** The site's other years on the curves. */
  years: boolean;
  /** Points in the pixel's own true colour. */
  colour: boolean;
  /** Sensor and scenes on the preselection page. */
  sensor: 's2' | 's3';
  show: Show;
  /** Gap experiment on the gaps page, layer on the phenology page. */
  gap: string | null;
  /** Competitor and quantity on the gaps page; null: the best, and GCC. */
  rival: string | null;
  quantity: string | null;
  layer: string | null;
  /** All dates on the curves of the phenology page, not the 50 % alone. */
  dates: boolean;
  /** Score on the start page; null: the calibrated one where there is one. */
  score: string | null;
  /** Region of interest of the camera on the metrics page; null: the first. */
  region: string | null;
}

export const LEAST_CORNERS = 3;
export const MOST_CORNERS = 64;

export const START: Route = {
  site: null,
  season: null,
  scenario: null,
  page: 'explore',
  date: null,
  stage: 'processed',
  style: 'true',
  view: 'side',
  a: 's2',
  b: 'fused',
  bDate: null,
  beside: null,
  px: null,
  area: null,
  at: null,
  span: null,
  range: null,
  bands: false,
  colour: false,
  years: false,
  sensor: 's2',
  show: 'all',
  gap: null,
  rival: null,
  quantity: null,
  layer: null,
  dates: false,
  score: null,
  region: null,
};

export const SCENARIO = /^(?:non)?aggressive(?:_itb)?_(?:sigma20|sigma30|kriging)$/;

export function parse(pathname: string, search: string): Route {
  const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const query = new URLSearchParams(search);
  const route = { ...START };
  route.site = parts[0] ?? null;
  route.season = /^\d{4}$/.test(parts[1] ?? '') ? Number(parts[1]) : null;
  for (const part of parts.slice(2)) {
    if (SCENARIO.test(part)) route.scenario = part;
    else if (isOneOf(PAGES, part)) route.page = part;
  }
  route.date = toDay(query.get('date'));
  route.stage = pick(STAGES, query.get('stage'), START.stage);
  route.style = query.get('style') ?? START.style;
  route.view = pick(VIEWS, query.get('view'), START.view);
  route.a = pick(SOURCES, query.get('a'), START.a);
  route.b = pick(SOURCES, query.get('b'), START.b);
  route.bDate = toDay(query.get('bdate'));
  const beside = query.get('with');
  route.beside = beside !== null && SCENARIO.test(beside) ? beside : null;
  route.px = numbers(query.get('px'), 2) as Route['px'];
  route.area = ringOf(query.get('area'));
  route.at = numbers(query.get('at'), 3) as Route['at'];
  route.span = spanOf(query.get('span'));
  route.range = numbers(query.get('range'), 2) as Route['range'];
  route.bands = query.get('bands') === '1';
  route.years = query.get('years') === '1';
  route.colour = query.get('colour') === '1';
  route.sensor = query.get('sensor') === 's3' ? 's3' : 's2';
  route.show = pick(SHOWS, query.get('show'), START.show);
  route.gap = query.get('gap');
  route.rival = query.get('rival');
  route.quantity = query.get('quantity');
  route.dates = query.get('dates') === 'all';
  route.layer = query.get('layer');
  route.score = query.get('score');
  route.region = query.get('region');
  return route;
}

export function format(route: Route): string {
  const parts = [];
  if (route.site) parts.push(encodeURIComponent(route.site));
  if (route.site && route.season) {
    parts.push(String(route.season));
    if (route.scenario) parts.push(route.scenario);
    if (route.page !== 'explore') parts.push(route.page);
  }
  const query = new URLSearchParams();
  const put = (name: string, value: string | null, usual: string | null = null): void => {
    if (value !== null && value !== usual) query.set(name, value);
  };
  put('date', route.date === null ? null : toIso(route.date));
  put('stage', route.stage, START.stage);
  put('style', route.style, START.style);
  put('view', route.view, START.view);
  if (route.view !== 'side') {
    put('a', route.a, START.a);
    put('b', route.b, START.b);
    put('bdate', route.bDate === null ? null : toIso(route.bDate));
  }
  if (route.view === 'side') put('with', route.beside);
  put('px', route.px && route.px.map((v) => v.toFixed(0)).join(','));
  put(
    'area',
    route.area &&
      route.area
        .flat()
        .map((v) => v.toFixed(0))
        .join(','),
  );
  put('at', route.at && route.at.map((v) => Number(v.toFixed(2))).join(','));
  put('span', route.span && route.span.map(toIso).join(','));
  put('range', route.range && route.range.join(','));
  put('bands', route.bands ? '1' : null);
  put('years', route.years ? '1' : null);
  put('colour', route.colour ? '1' : null);
  put('sensor', route.sensor, START.sensor);
  put('show', route.show, START.show);
  put('gap', route.gap);
  put('rival', route.rival);
  put('quantity', route.quantity);
  put('dates', route.dates ? 'all' : null);
  put('layer', route.layer);
  put('score', route.score);
  put('region', route.region);
  const tail = query.toString().replaceAll('%2C', ',');
  return `/${parts.join('/')}${tail ? `?${tail}` : ''}`;
}

export function spanOf(text: string | null): Route['span'] {
  const [first, last, ...more] = (text ?? '').split(',').map(toDay);
  return typeof first === 'number' && typeof last === 'number' && first < last && !more.length ? [first, last] : null;
}

/** Corners in a row; null for fewer than three, or more than the server takes. */
export function ringOf(text: string | null): Route['area'] {
  const values = numbers(text, (text ?? '').split(',').length);
  if (!values || values.length % 2 || values.length < 2 * LEAST_CORNERS || values.length > 2 * MOST_CORNERS)
    return null;
  return Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i]!, values[2 * i + 1]!]);
}

export function isOneOf<T extends string>(all: readonly T[], value: string): value is T {
  return (all as readonly string[]).includes(value);
}

function pick<T extends string>(all: readonly T[], value: string | null, usual: T): T {
  return value !== null && isOneOf(all, value) ? value : usual;
}

export function numbers(text: string | null, count: number): number[] | null {
  const values = (text ?? '').split(',').map(Number);
  return text && values.length === count && values.every(Number.isFinite) ? values : null;
}
