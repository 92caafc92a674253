/** Names and colours of things, the same everywhere; the colours are the style sheet's. */
import type { Source, Stage } from '../route';

export const COLOURS: Record<Source | 'camera', string> = {
  s2: 'var(--s2)',
  fused: 'var(--fused)',
  s3: 'var(--s3)',
  camera: 'var(--camera)',
  distance: 'var(--other)',
  scl: 'var(--other)',
};

export const SOURCE_NAMES: Record<Source, string> = {
  s2: 'Sentinel-2',
  fused: 'Fused',
  s3: 'Sentinel-3',
  distance: 'Distance to cloud',
  scl: 'Scene classes',
};

export const STAGE_NAMES: Record<Stage, string> = {
  raw: 'Raw',
  prepared: 'Prepared',
  fusion: 'Fusion',
  processed: 'Postprocessed',
};

export const STAGE_NOTES: Record<Stage, string> = {
  raw: 'scenes as acquired, screened or not',
  prepared: 'masked scenes, their distance to cloud, daily composites',
  fusion: 'fused days on the whole grid',
  processed: 'cut to the window that is valid on all days',
};

export const RULES: Record<string, string> = {
  no_ndvi: 'no valid NDVI',
  dark: 'dark: mean blue below 0.01',
  low_ndvi: 'NDVI too low for its ±14 days',
  excluded: 'excluded',
};

export const RULE_SHORT: Record<string, string> = {
  no_ndvi: 'no NDVI',
  dark: 'dark',
  low_ndvi: 'low NDVI',
  excluded: 'excluded',
};

export const SCORE_NAMES: Record<string, string> = {
  nse_calibrated: 'NSE, calibrated',
  rmse_calibrated: 'RMSE, calibrated',
  nse_pc: 'NSE_PC',
  r_squared: 'NSE (r_squared)',
  pearson_r: 'Pearson r',
  pearson_r2: 'r²',
  nrmse: 'nRMSE',
  rmse: 'RMSE',
  mae: 'MAE',
  n_samples: 'n',
};

/** "aggressive · σ 20 d · BtI", "nonaggressive · kriging · ItB" */
export function scenarioName(key: string): string {
  const strategy = key.startsWith('non') ? 'nonaggressive' : 'aggressive';
  const mode = key.includes('_itb') ? 'ItB' : 'BtI';
  return `${strategy} · ${isKriging(key) ? 'kriging' : `σ ${key.slice(-2)} d`} · ${mode}`;
}

const BASELINES: Record<string, string> = {
  s2: 'Sentinel-2, all scenes',
  s2_cloudfree: 'Sentinel-2, kept scenes without a mask',
  s2_whittaker_lambda400: 'Sentinel-2, kept scenes without a mask, Whittaker λ 400',
  s2_masked: 'Sentinel-2, kept scenes, masked',
  s2_masked_whittaker_lambda400: 'Sentinel-2, kept scenes, masked, Whittaker λ 400',
  s3: 'Sentinel-3 composites',
};
export const STRATEGY_END = /_(non)?aggressive$/;

/** A series without fusion, with its strategy: "s2_cloudfree_aggressive". */
export function baselineName(key: string): string {
  const kind = key.replace(STRATEGY_END, '');
  const strategy = key.slice(kind.length + 1);
  return `${BASELINES[kind] ?? kind}${strategy ? `, ${strategy}` : ''}`;
}

/** "agg σ20 BtI", "non kriging ItB" */
export const scenarioShort = (key: string): string =>
  `${key.startsWith('non') ? 'non' : 'agg'} ${isKriging(key) ? 'kriging' : `σ${key.slice(-2)}`} ${isItb(key) ? 'ItB' : 'BtI'}`;

/** metrics.json writes "aggressive_sigma20_itb" for the scenario "aggressive_itb_sigma20". */
export const scenarioOf = (key: string): string => key.replace(/_(sigma\d+)_itb$/, '_itb_$1');

export const isKriging = (key: string): boolean => key.endsWith('_kriging');
export const isItb = (key: string): boolean => key.includes('_itb');
export const strategyOf = (key: string): string => (key.startsWith('non') ? 'nonaggressive' : 'aggressive');

export const SCENARIO_KEYS = ['aggressive', 'nonaggressive'].flatMap((strategy) =>
  ['', '_itb'].flatMap((mode) => ['sigma20', 'sigma30', 'kriging'].map((method) => `${strategy}${mode}_${method}`)),
);

/** What archives say of their data, in a line: the collections, and "synthetic" where one of them says that. */
export function sourcesInShort(text: string): string {
  const collections = text.split(' | ').map((statement) => statement.split(':')[0]);
  return `${/synthetic/i.test(text) ? 'synthetic, ' : ''}${collections.join(', ')}`;
}
