/** The one fetch layer: typed answers, and errors as sentences. */
import type { Source, Stage } from './route';

export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** What was thrown, as an error. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

export interface SiteFacts {
  name: string;
  latitude: number;
  longitude: number;
  elevation: number | null;
  description: string;
  vegetation_type: string;
  registered: number[];
}

export type Scores = Record<string, number | null>;
export type Status = 'none' | 'raw' | 'prepared' | 'fused' | 'processed' | 'scored';

export interface SeasonStatus {
  season: number;
  raw: boolean;
  /** Whose raw products are there: phenocam, s2, s3. */
  fetched: string[];
  camera: Scores | null;
  problem: string | null;
  transitions: Record<string, string | null> | null;
  scenarios: Record<
    string,
    { status: Status; scores: Scores | null; intervals: Record<string, [number, number] | null> }
  >;
}

export interface Overview {
  sites: (SiteFacts & { seasons: SeasonStatus[] })[];
  scenarios: { key: string; strategy: string; mode: string; method: string; sigma: number | null }[];
  /** Files over all site-seasons. */
  tables: string[];
}

export interface Daily {
  folder: string;
  days: string[];
  names: string[];
}

export interface Screened {
  date: string;
  filename: string | null;
  ndvi: number | null;
  b02: number | null;
  b03: number | null;
  b04: number | null;
  b8a: number | null;
  rules: Record<string, string | null>;
}

export interface Layer {
  key: string;
  label: string;
  unit: string;
  explanation: string;
  path: string;
  days: string[];
  /** Band number of each day. */
  bands: number[];
}

export interface Season {
  site: SiteFacts & { seasons: number[] };
  season: number;
  scenario: string;
  epsg: number;
  marker: [number, number];
  /** Border of the ground that the camera shows, metres east and north; null where no camera is known. */
  footprint: [number, number][] | null;
  extent: [number, number, number, number];
  statuses: SeasonStatus;
  stages: Record<Stage, Partial<Record<Source, Daily>>>;
  excluded: Record<'s2' | 's3', Screened[]>;
  /** What Sentinel-3's numbers are: "top-of-atmosphere reflectance", where its files say so. */
  coarse_quantity: string | null;
  /** What the archives say of their data, where files say so: that they are synthetic, for one. */
  sources: string | null;
  quality: Layer[];
  photos: Daily;
  pack: boolean;
  tables: { path: string; bytes: number }[];
  maps: { path: string; bytes: number }[];
}

export type Column = (number | null)[];
export type Series = { date: string[] } & Record<string, Column | string[] | undefined>;

export interface SiteSeries {
  sources: Partial<Record<Source, Series>>;
  origin: string;
  camera: Series;
  transitions: Record<string, unknown> | null;
}

export interface PixelSeason {
  sources: Partial<Record<Source, Series>>;
  origin: string;
  longitude: number;
  latitude: number;
}

async function get(url: string, signal?: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem('The viewer’s server does not answer. Is `satfusion view` still running?', 0);
  }
  if (answer.ok) return answer;
  const body = (await answer.json().catch(() => ({}))) as { error?: string };
  throw new Problem(body.error ?? `The server answered ${answer.status} for ${url}.`, answer.status);
}

export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  return (await get(url, signal)).json() as Promise<T>;
}

export async function getBytes(url: string): Promise<ArrayBuffer> {
  return (await get(url)).arrayBuffer();
}

const partition = (site: string, season: number, scenario: string): string =>
  `${encodeURIComponent(site)}/${season}/${scenario}`;

export const overview = (): Promise<Overview> => getJson('/_api/catalog');

export const season = (site: string, year: number, scenario: string): Promise<Season> =>
  getJson(`/_api/season/${partition(site, year, scenario)}`);

export const siteSeries = (site: string, year: number, scenario: string, stage: Stage): Promise<SiteSeries> =>
  getJson(`/_api/series/${partition(site, year, scenario)}/${stage}`);

export interface ScenarioSeries {
  scenarios: Record<string, Series>;
  camera: Series;
  transitions: Record<string, unknown> | null;
}

export const scenarioSeries = (site: string, year: number): Promise<ScenarioSeries> =>
  getJson(`/_api/scenarios/${encodeURIComponent(site)}/${year}`);

export const pixelSeason = (
  site: string,
  year: number,
  scenario: string,
  stage: Stage,
  [x, y]: [number, number],
  signal: AbortSignal,
): Promise<PixelSeason> => getJson(`/_api/pixel/${partition(site, year, scenario)}/${stage}?x=${x}&y=${y}`, signal);

/** The server's figure of a day; `order` holds date, style, format, width, dpi and range. */
export const figureUrl = (season: Season, stage: Stage, order: Record<string, string>): string =>
  `/_figure/${season.site.name}/${season.season}/${season.scenario}/${stage}?${new URLSearchParams(order)}`;

export const fileUrl = (path: string): string => `/_files/${path}`;
export const indexUrl = (path: string, index: string): string => `/_index/${index}/${path}`;
export const jsonUrl = (path: string): string => `/_api/json/${path}`;
