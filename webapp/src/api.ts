/** The one fetch layer: typed answers, and errors as sentences. */
import type {
  AreaSeason,
  ListedSite,
  Overview,
  PixelSeason,
  ScenarioSeries,
  SeasonAnswer as Season,
  SeasonStatus,
  SiteSeriesAnswer as SiteSeries,
} from './answers';
import type { Stage } from './route';

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

export type {
  AreaSeason,
  Daily,
  FoundFile,
  LayerAnswer as Layer,
  Overview,
  PixelSeason,
  ScenarioSeries,
  ScreenedScene,
  SeasonAnswer as Season,
  SeasonStatus,
  SiteSeriesAnswer as SiteSeries,
} from './answers';

export type SiteFacts = Omit<ListedSite, 'seasons'>;
export type Scores = Record<string, number | null>;
export type Status = SeasonStatus['scenarios'][string]['status'];

export type Column = (number | null)[];
export type Series = { date: string[] } & Record<string, Column | string[] | undefined>;

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

export const areaSeason = (
  site: string,
  year: number,
  scenario: string,
  ring: readonly (readonly number[])[],
  signal: AbortSignal,
): Promise<AreaSeason> => getJson(`/_api/area/${partition(site, year, scenario)}?ring=${ring.flat().join()}`, signal);

/** The server's figure of a day; `order` holds date, style, format, width, dpi and range. */
export const figureUrl = (season: Season, stage: Stage, order: Record<string, string>): string =>
  `/_figure/${season.site.name}/${season.season}/${season.scenario}/${stage}?${new URLSearchParams(order)}`;

export const fileUrl = (path: string): string => `/_files/${path}`;
export const indexUrl = (path: string, index: string): string => `/_index/${index}/${path}`;
export const jsonUrl = (path: string): string => `/_api/json/${path}`;
