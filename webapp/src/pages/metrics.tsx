/** Every score of a season, and what it means. */
import type { ComponentChildren } from 'preact';
import { getJson, jsonUrl, type Overview, type Season } from '../api';
import { useLoaded } from '../state';
import { Files } from '../ui/files';
import { JsonView } from '../ui/json-view';
import { ScenarioLink } from '../ui/link';
import { Await, Empty, number, Table } from '../ui/parts';
import { Period } from '../ui/period';
import { baselineName, isItb, scenarioOf } from '../ui/words';
import { Comparison } from './comparison';
import { SkillScores } from './skill';

type Score = Record<string, number | null> & {
  date_range?: { start?: string; end?: string };
  residual_vs_phenocam?: Record<string, number | null>;
};
interface MetricsFile {
  phenocam_stats?: Record<string, number | null>;
  temporal?: Record<string, Score | null>;
  baseline?: Record<string, Score | Record<string, Score | null> | null>;
  derived?: {
    delta_nse_pc_sigma20_minus_sigma30?: Record<string, Record<string, number | null>>;
    bti_vs_itb_mean_residual?: Record<string, number | string | null>[];
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

const KNOWN = ['phenocam_stats', 'temporal', 'baseline', 'derived', 'scenario_keys', 'period'];
const COLUMNS: [string, string][] = [
  ['nse_pc', 'NSE_PC'],
  ['r_squared', 'NSE (r_squared)'],
  ['nse', 'NSE'],
  ['pearson_r', 'Pearson r'],
  ['pearson_r2', 'r²'],
  ['nrmse', 'nRMSE'],
  ['rmse', 'RMSE'],
  ['mae', 'MAE'],
  ['n_samples', 'n'],
];
const RESIDUAL: [string, string][] = [
  ['mean', 'residual mean'],
  ['std', 'residual std'],
  ['mae', 'residual MAE'],
  ['rmse', 'residual RMSE'],
];
export function Metrics({ season }: { season: Season; overview: Overview | null }) {
  const path = `${season.site.name}/${season.season}/metrics.json`;
  const there = season.tables.some((file) => file.path === path);
  const loaded = useLoaded(there ? path : null, () => getJson<MetricsFile>(jsonUrl(path)));
  return (
    <>
      <h1>
        Metrics, {season.site.name} {season.season}
      </h1>
      {!there && (
        <Empty
          title={`No metrics of ${season.site.name} ${season.season} yet.`}
          command={`satfusion materialize ${season.site.name} ${season.season}`}
        >
          They are the last step: the fused series of every scenario against the camera.
        </Empty>
      )}
      {there && <Comparison season={season} />}
      <SkillScores season={season} />
      {there && <Await loaded={loaded}>{(data) => <Contents data={data} season={season} />}</Await>}
      <Definitions />
      <Files season={season} title="Files" pick={(name) => !/^(raw|validation|phenology)/.test(name)} />
    </>
  );
}

const DERIVED = ['delta_nse_pc_sigma20_minus_sigma30', 'bti_vs_itb_mean_residual'];

function Contents({ data, season }: { data: MetricsFile; season: Season }) {
  const temporal = Object.entries(data.temporal ?? {});
  const fused = (itb: boolean): [ComponentChildren, Score | null][] =>
    temporal
      .filter(([key]) => isItb(key) === itb)
      .map(([key, score]) => [<ScenarioLink key={key} season={season} name={scenarioOf(key)} />, score]);
  const more = Object.entries(data).filter(([key]) => !KNOWN.includes(key));
  const rest = Object.entries(data.derived ?? {}).filter(([key]) => !DERIVED.includes(key));
  return (
    <section aria-labelledby="contract">
      <div class="toolbar">
        <h2 id="contract">Raw numbers, as in the thesis</h2>
      </div>
      <p class="lead">
        Each row compares a GCC series at the site with the camera’s gcc_90 on their common days, colours and all.
        NSE_PC near 1 is good; below 0 it is worse than the season’s mean. The best value of a column is marked ★.
      </p>
      <Period of={data.period} />
      <ScoreTable caption="Fused, Blend-then-Index" rows={fused(false)} />
      <ScoreTable caption="Fused, Index-then-Blend" rows={fused(true)} />
      <ScoreTable caption="Without fusion" rows={baselineRows(data.baseline ?? {})} />
      <div class="tables">
        {data.phenocam_stats && (
          <Table
            caption="Camera, gcc_90"
            heads={['mean', 'std', 'min', 'max', 'n']}
            rows={[['mean', 'std', 'min', 'max', 'n_samples'].map((key) => number(data.phenocam_stats![key], 4))]}
          />
        )}
        {data.derived?.delta_nse_pc_sigma20_minus_sigma30 && (
          <Table
            caption="ΔNSE_PC, sigma 20 minus sigma 30"
            heads={['mode', 'aggressive', 'nonaggressive']}
            note="Above 0: the shorter reach scores better."
            rows={Object.entries(data.derived.delta_nse_pc_sigma20_minus_sigma30).map(([mode, by]) => [
              mode === 'bti' ? 'BtI' : 'ItB',
              number(by.aggressive, 4),
              number(by.nonaggressive, 4),
            ])}
          />
        )}
        {data.derived?.bti_vs_itb_mean_residual && (
          <Table
            caption="Mean residual, BtI and ItB"
            heads={['strategy', 'sigma', 'BtI', 'ItB']}
            rows={data.derived.bti_vs_itb_mean_residual.map((row) => [
              row.strategy,
              number(row.sigma),
              number(row.mean_residual_bti, 4),
              number(row.mean_residual_itb, 4),
            ])}
          />
        )}
      </div>
      {[...rest, ...more].map(([key, value]) => (
        <JsonView key={key} value={value as never} name={key} depth={1} />
      ))}
    </section>
  );
}

function baselineRows(baseline: NonNullable<MetricsFile['baseline']>): [ComponentChildren, Score | null][] {
  return Object.entries(baseline).flatMap(([name, value]): [ComponentChildren, Score | null][] => {
    if (!value || 'n_samples' in value) return [[baselineName(name), value as Score | null]];
    return Object.entries(value as Record<string, Score | null>).map(([strategy, score]) => [
      baselineName(`${name}_${strategy}`),
      score,
    ]);
  });
}

function ScoreTable({ caption, rows }: { caption: string; rows: [ComponentChildren, Score | null][] }) {
  if (!rows.length) return null;
  const best = (key: string): number => {
    const sign = ['nrmse', 'rmse', 'mae'].includes(key) ? -1 : 1;
    const values = rows.map(([, score]) => score?.[key]).filter((v): v is number => typeof v === 'number');
    return values.length > 1 && key !== 'n_samples' ? Math.max(...values.map((v) => sign * v)) * sign : NaN;
  };
  const tops = Object.fromEntries(COLUMNS.map(([key]) => [key, best(key)]));
  return (
    <Table
      caption={caption}
      heads={['series', ...COLUMNS.map(([, label]) => label), ...RESIDUAL.map(([, label]) => label), 'from', 'to']}
      rows={rows.map(([name, score]) => [
        name,
        ...COLUMNS.map(([key]) =>
          score && score[key] === tops[key] ? (
            <strong class="top-score" title="best of this table">
              {number(score[key])} ★
            </strong>
          ) : (
            number(score?.[key])
          ),
        ),
        ...RESIDUAL.map(([key]) => number(score?.residual_vs_phenocam?.[key], 4)),
        score?.date_range?.start?.slice(0, 10) ?? '–',
        score?.date_range?.end?.slice(0, 10) ?? '–',
      ])}
    />
  );
}

function Definitions() {
  return (
    <details class="definitions">
      <summary>Definitions</summary>
      <dl class="facts">
        <div>
          <dt>NSE_PC, r_squared, NSE</dt>
          <dd>
            1 − Σ(series − camera)² / Σ(camera − mean camera)²: one number under three names of the contract; none of
            them is r². It mixes skill with the bias and gain between sensor and camera.
          </dd>
        </div>
        <div>
          <dt>r²</dt>
          <dd>The square of Pearson’s r (pearson_r2): free of bias and gain.</dd>
        </div>
        <div>
          <dt>nRMSE</dt>
          <dd>RMSE divided by the mean of the camera’s values.</dd>
        </div>
        <div>
          <dt>Residual</dt>
          <dd>fused GCC − gcc_90 on common days: mean (bias), spread, MAE, RMSE.</dd>
        </div>
        <div>
          <dt>Calibrated</dt>
          <dd>
            The series on the camera’s scale, y = bias + gain · x, each fifth of the season by the fit of the other
            four, so that no day is scored by a fit that has seen it. Intervals: block bootstrap. All definitions:
            docs/metrics.md.
          </dd>
        </div>
        <div>
          <dt>BtI, ItB</dt>
          <dd>Blend-then-Index fuses reflectance and computes GCC after; Index-then-Blend fuses GCC itself.</dd>
        </div>
      </dl>
    </details>
  );
}
