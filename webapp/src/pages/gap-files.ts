/** The files of the gap benchmark, as far as they are shown. */
import { SCENARIO_KEYS } from '../ui/words';

export type Numbers = Record<string, number | null>;

export interface Result {
  gap_days: number;
  transition?: string;
  prediction_date: string | null;
  error?: string | null;
  paths?: Record<string, string | null>;
  spatial?: {
    gap?: Numbers;
    no_gap?: Numbers;
    whittaker?: Numbers;
    delta_rmse?: number | null;
    delta_nse?: number | null;
  } | null;
}

export interface WhittakerCrossover {
  metric?: string;
  whittaker_definition?: string;
  first_gap_days_fusion_nse_below_whittaker?: number | null;
  by_gap?: Numbers[];
}

export interface Summary {
  scenario?: unknown;
  results?: Result[];
  whittaker_crossover?: Record<string, WhittakerCrossover>;
  manifest?: unknown;
  [key: string]: unknown;
}

export type Spatial = Numbers & { own?: Numbers; estimated_share?: number | null };

export interface GapRow {
  key: string;
  gap_days: number;
  transition: string;
  window_start: string;
  window_end: string;
  n_withheld_scenes: number;
  n_withheld_pixels: number;
  /** By method, then by quantity. */
  spatial: Record<string, Record<string, Spatial>>;
  temporal?: Record<string, Numbers | null>;
  phenology?: Record<string, Numbers | null> | null;
  calibration?: Record<string, Record<string, Numbers>>;
}

export interface Crossover {
  first_gap_days_fusion_nse_below?: number | null;
  first_gap_days_fusion_nse_above?: number | null;
  by_gap?: { gap_days: number; nse_fusion: number | null; nse_competitor: number | null }[];
}

export interface GapMetrics {
  strategies?: Record<string, { gaps?: GapRow[]; no_gap?: unknown }>;
  /** By scenario, competitor and transition. */
  crossover?: Record<string, Record<string, Record<string, Crossover>>>;
}

export const gapKey = (result: { gap_days: number; transition?: string }): string =>
  `${result.gap_days}_${result.transition ?? 'gap'}`;

export const transitionWords = (transition: string | undefined): string => (transition ?? 'gap').replace('_', '-');

/** Methods that are no scenario: Sentinel-2 alone, or STARFM. */
export const isRival = (method: string): boolean => !SCENARIO_KEYS.includes(method);

export const RIVALS: Record<string, string> = {
  nearest: 'Nearest clear observation',
  linear: 'Linear in time',
  whittaker: 'Whittaker smoother',
  harmonic: 'Harmonic fit',
  starfm: 'STARFM',
};
export const rivalName = (method: string): string => RIVALS[method] ?? method;
