/* Written by `make api-types` from satfusion_assets/viewer/answers.py. */
import type { Series } from './api';
import type { Source, Stage } from './route';

/**
 * Every answer, by the address below ``/_api``.
 */
export interface Answers {
  catalog: Overview;
  season: SeasonAnswer;
  series: SiteSeriesAnswer;
  pixel: PixelSeason;
  area: AreaSeason;
  scenarios: ScenarioSeries;
  error?: string;
}
/**
 * tables: files over all site-seasons.
 */
export interface Overview {
  sites: ListedSite[];
  scenarios: ScenarioFacts[];
  tables: string[];
}
/**
 * A site with how far its seasons have come.
 */
export interface ListedSite {
  name: string;
  latitude: number;
  longitude: number;
  elevation: number | null;
  description: string;
  vegetation_type: string;
  registered: number[];
  seasons: SeasonStatus[];
}
/**
 * raw: whether there is a Sentinel-2 scene. fetched: whose raw products are there, phenocam, s2, s3. problem: files
 * that cannot be used, in a sentence.
 */
export interface SeasonStatus {
  season: number;
  raw: boolean;
  fetched: string[];
  camera: {
    [k: string]: number | null;
  } | null;
  problem: string | null;
  transitions: {
    [k: string]: string | null;
  } | null;
  scenarios: {
    [k: string]: ScenarioStatus;
  };
}
/**
 * intervals: 95 % intervals of the calibrated scores.
 */
export interface ScenarioStatus {
  status: 'none' | 'raw' | 'prepared' | 'fused' | 'processed' | 'scored';
  scores: {
    [k: string]: number | null;
  } | null;
  intervals: {
    [k: string]: [number, number] | null;
  };
}
/**
 * What a scenario is.
 */
export interface ScenarioFacts {
  key: string;
  strategy: string;
  mode: string;
  method: string;
  sigma: number | null;
}
/**
 * Everything that exists of one site-season under a scenario.
 *
 * footprint: border of the ground that the camera shows, metres east and north; None where no camera is known.
 * coarse_quantity: what Sentinel-3's numbers are, where its files say so. sources: what the archives say of their
 * data, where files say so: that they are synthetic, for one.
 */
export interface SeasonAnswer {
  site: SiteWithSeasons;
  season: number;
  scenario: string;
  epsg: number;
  /**
   * @minItems 2
   * @maxItems 2
   */
  marker: [number, number];
  footprint: [number, number][] | null;
  /**
   * @minItems 4
   * @maxItems 4
   */
  extent: [number, number, number, number];
  statuses: SeasonStatus;
  stages: Record<Stage, Partial<Record<Source, Daily>>>;
  excluded: Excluded;
  coarse_quantity: string | null;
  sources: string | null;
  quality: LayerAnswer[];
  photos: Daily;
  pack: boolean;
  tables: FoundFile[];
  maps: FoundFile[];
}
/**
 * A site with its seasons.
 */
export interface SiteWithSeasons {
  name: string;
  latitude: number;
  longitude: number;
  elevation: number | null;
  description: string;
  vegetation_type: string;
  registered: number[];
  seasons: number[];
}
/**
 * Raw scenes of both sensors, each with what excluded it.
 */
export interface Excluded {
  s2: ScreenedScene[];
  s3: ScreenedScene[];
}
/**
 * One raw scene's window at the site; rules: which rule excluded it, by strategy.
 */
export interface ScreenedScene {
  date: string;
  filename: string | null;
  ndvi: number | null;
  b02: number | null;
  b03: number | null;
  b04: number | null;
  b8a: number | null;
  rules: {
    [k: string]: string | null;
  };
}
/**
 * A quality layer; bands: band number of each day.
 */
export interface LayerAnswer {
  key: string;
  label: string;
  unit: string;
  explanation: string;
  path: string;
  days: string[];
  bands: number[];
}
/**
 * A folder's daily files: days and names side by side.
 */
export interface Daily {
  folder: string;
  days: string[];
  names: string[];
}
/**
 * A file to take away.
 */
export interface FoundFile {
  path: string;
  bytes: number;
}
/**
 * Curves at the site; origin: where they were read.
 */
export interface SiteSeriesAnswer {
  camera: Series;
  transitions: {
    [k: string]: string | null;
  } | null;
  sources: Partial<Record<Source, Series>>;
  origin: string;
}
/**
 * Curves of one pixel.
 */
export interface PixelSeason {
  sources: Partial<Record<Source, Series>>;
  origin: string;
  longitude: number;
  latitude: number;
}
/**
 * Curves of a drawn area: each quantity with its ``_spread`` over the pixels and their number ``_n``. pixels: how
 * many lie in it.
 */
export interface AreaSeason {
  sources: Partial<Record<Source, Series>>;
  pixels: number;
}
/**
 * Published fused GCC at the site, by scenario.
 */
export interface ScenarioSeries {
  camera: Series;
  transitions: {
    [k: string]: string | null;
  } | null;
  scenarios: {
    [k: string]: Series;
  };
}
