/** The gap benchmark: what fusion gave inside a gap, beside the scenes that were withheld. */
import { getJson, jsonUrl, type Overview, type Season } from '../api';
import { go, route, useLoaded } from '../state';
import { Files } from '../ui/files';
import { JsonView } from '../ui/json-view';
import { Await, Empty, Failure, number, Table } from '../ui/parts';
import { Period } from '../ui/period';
import { scenarioName, scenarioOf } from '../ui/words';
import {
  gapKey,
  transitionWords,
  type GapMetrics,
  type Result,
  type Summary,
  type WhittakerCrossover,
} from './gap-files';
import { GapMatrix, gapsOf, Methods } from './gap-methods';
import { GapPictures } from './gap-pictures';

const KNOWN = ['results', 'whittaker_crossover', 'manifest', 'site_name', 'season', 'scenario', 'period'];

export function Gaps({ season }: { season: Season; overview: Overview | null }) {
  const base = `${season.site.name}/${season.season}/validation`;
  const paths = season.tables.map((file) => file.path);
  const own = `${base}/scenarios/${season.scenario}/gap_validation_summary.json`;
  const path = [own, `${base}/gap_validation_summary.json`].find((one) => paths.includes(one));
  const metricsPath = paths.find((one) => one === `${base}/gap_metrics.json`);
  const manifestPath = paths.find((one) => one === `${base}/gap_manifest.json`);
  const loaded = useLoaded(path ?? null, () => getJson<Summary>(jsonUrl(path!)));
  const root = useLoaded(path === own ? `${base}/gap_validation_summary.json` : null, () =>
    getJson<Summary>(jsonUrl(`${base}/gap_validation_summary.json`)),
  );
  const best = typeof root.data?.scenario === 'string' ? root.data.scenario : null;
  const metrics = useLoaded(metricsPath ?? null, () => getJson<GapMetrics>(jsonUrl(metricsPath!)));
  const manifest = useLoaded(manifestPath ?? null, () =>
    getJson<{ entries?: Record<string, unknown>[] }>(jsonUrl(manifestPath!)),
  );
  if (!path) {
    return (
      <>
        <h1>
          Gap validation, {season.site.name} {season.season}
        </h1>
        <Empty
          title="No gap benchmark of this season yet."
          command={`satfusion gaps ${season.site.name} ${season.season}`}
        >
          It withholds the Sentinel-2 scenes of 15 to 90 days and asks what fusion and its competitors give instead. It
          needs the prepared products of both strategies.
        </Empty>
      </>
    );
  }
  return (
    <>
      <h1>
        Gap validation, {season.site.name} {season.season}
      </h1>
      <p class="lead">
        Sentinel-2 scenes inside a gap are withheld; what is fused without them is scored, pixel by pixel in GCC,
        against them. Choose a gap to see its pictures.
      </p>
      <Period of={loaded.data?.period} />
      {best && best !== season.scenario && (
        <p class="note">
          Pictures are kept for the best scenario alone.{' '}
          <button type="button" class="quiet" onClick={() => go({ scenario: best }, true)}>
            {scenarioName(scenarioOf(best))}
          </button>
        </p>
      )}
      {metrics.data && <GapMatrix gaps={gapsOf(metrics.data, season)} season={season} />}
      <Await loaded={loaded}>{(data) => <Results data={data} season={season} metrics={metrics.data} />}</Await>
      {metrics.error && <Failure error={metrics.error} />}
      {metrics.data && <Methods data={metrics.data} season={season} />}
      <Await loaded={loaded}>{(data) => <Crossovers data={data} />}</Await>
      {manifest.error && <Failure error={manifest.error} />}
      {manifest.data?.entries && <Withheld entries={manifest.data.entries} />}
      <Await loaded={loaded}>
        {(data) => (
          <>
            {Object.entries(data)
              .filter(([key]) => !KNOWN.includes(key))
              .map(([key, value]) => (
                <JsonView key={key} value={value as never} name={key} depth={1} />
              ))}
          </>
        )}
      </Await>
      <Files season={season} title="Files" pick={(name) => name.startsWith('validation/')} />
    </>
  );
}

function Results({ data, season, metrics }: { data: Summary; season: Season; metrics: GapMetrics | null }) {
  const results = data.results ?? [];
  const pictured = (result: Result): boolean => Object.values(result.paths ?? {}).some(Boolean);
  const chosen = results.find((result) => gapKey(result) === route.value.gap) ?? results.find(pictured) ?? results[0];
  const failed = results.some((result) => result.error);
  const scores = metrics ? gapsOf(metrics, season) : [];
  return (
    <>
      {chosen && (
        <GapPictures
          key={gapKey(chosen)}
          result={chosen}
          season={season}
          scores={scores.find((one) => one.key === gapKey(chosen))}
        />
      )}
      <Table
        caption={`Each gap’s main scene, ${typeof data.scenario === 'string' ? scenarioName(scenarioOf(data.scenario)) : scenarioName(season.scenario)}`}
        heads={[
          'gap',
          'at',
          'day',
          'RMSE gap',
          'RMSE no gap',
          'ΔRMSE',
          'NSE gap',
          'NSE no gap',
          'ΔNSE',
          'NSE Whittaker',
          'bias gap',
          'r gap',
          'n pixels',
          ...(failed ? ['note'] : []),
        ]}
        rows={results.map((result) => {
          const { gap, no_gap: none, whittaker, delta_rmse, delta_nse } = result.spatial ?? {};
          return [
            <button type="button" aria-pressed={result === chosen} onClick={() => go({ gap: gapKey(result) })}>
              {result.gap_days} d
            </button>,
            transitionWords(result.transition),
            result.prediction_date ?? '–',
            number(gap?.rmse, 4),
            number(none?.rmse, 4),
            number(delta_rmse, 4),
            number(gap?.nse_s2),
            number(none?.nse_s2),
            number(delta_nse),
            number(whittaker?.nse_s2),
            number(gap?.mean_bias, 4),
            number(gap?.pearson_r),
            gap?.n_pixels === 0 ? 'none estimated' : number(gap?.n_pixels),
            ...(failed ? [result.error ?? ''] : []),
          ];
        })}
      />
    </>
  );
}

function Crossovers({ data }: { data: Summary }) {
  return (
    <>
      {Object.entries(data.whittaker_crossover ?? {}).map(([scenario, crossover]) => (
        <details key={scenario} class="more">
          <summary>Crossover with Whittaker as in the thesis, {scenarioName(scenarioOf(scenario))}</summary>
          <WhittakerTable scenario={scenario} crossover={crossover} />
        </details>
      ))}
    </>
  );
}

function WhittakerTable({ scenario, crossover }: { scenario: string; crossover: WhittakerCrossover }) {
  return (
    <Table
      caption={`Crossover with Whittaker, ${scenario}`}
      heads={['gap, d', 'NSE fusion', 'NSE Whittaker', 'ahead']}
      note={`${crossover.whittaker_definition ?? ''}. Fusion first falls below at ${crossover.first_gap_days_fusion_nse_below_whittaker ?? 'no tested'} days. Score: ${crossover.metric ?? ''}.`}
      rows={(crossover.by_gap ?? []).map((row) => [
        number(row.gap_days),
        number(row.nse_s2_fusion),
        number(row.nse_s2_whittaker),
        ahead(row.nse_s2_fusion, row.nse_s2_whittaker),
      ])}
    />
  );
}

function ahead(fusion: number | null | undefined, other: number | null | undefined): string {
  if (typeof fusion !== 'number' || typeof other !== 'number') return '–';
  return fusion >= other ? 'fusion' : 'Whittaker';
}

/** The manifest: each gap's window, the day that is predicted, and all scenes that were taken out. */
function Withheld({ entries }: { entries: readonly Record<string, unknown>[] }) {
  const dates = (value: unknown): string =>
    Array.isArray(value) ? value.map((one) => (one as { date?: string }).date?.slice(5) ?? '').join(', ') : '–';
  return (
    <details class="more">
      <summary>What was withheld, and by which rule</summary>
      <Table
        caption="Gap manifest"
        heads={['gap', 'at', 'midpoint', 'rule', 'from', 'to', 'predicted', 'withheld scene', 'all withheld days']}
        rows={entries.map((one) => [
          `${String(one.gap_days)} d`,
          transitionWords(one.transition as string),
          ...[
            'midpoint_date',
            'midpoint_rule',
            'window_start',
            'window_end',
            'prediction_date',
            'withheld_s2_filename',
          ].map((key) => number(one[key])),
          dates(one.withheld),
        ])}
      />
    </details>
  );
}
