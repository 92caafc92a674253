/** The gap benchmark: what fusion gave inside a gap, beside the scenes that were withheld. */
import { useMemo, useState } from 'preact/hooks';
import { getJson, jsonUrl, type Overview, type Season } from '../api';
import { toDay } from '../days';
import { MapPanel, useSharedView } from '../map/map';
import { difference, summary } from '../raster/frame';
import { differenceStyle, fits, STYLES } from '../raster/styles';
import { useFrame } from '../raster/use-shown';
import { hoverPlace, go, route, useLoaded } from '../state';
import { Files } from '../ui/files';
import { JsonView } from '../ui/json-view';
import { Legend } from '../ui/legend';
import { Await, Empty, Failure, number, Select, Table } from '../ui/parts';
import { scenarioName } from '../ui/words';

type Numbers = Record<string, number | null>;

interface Result {
  gap_days: number;
  transition?: string;
  prediction_date: string | null;
  withheld_s2_filename: string | null;
  error?: string | null;
  paths?: Record<string, string | null>;
  spatial?: { gap?: Numbers; no_gap?: Numbers; whittaker?: Numbers; delta_rmse?: number | null; delta_nse?: number | null } | null;
}

interface Crossover {
  metric?: string;
  whittaker_definition?: string;
  first_gap_days_fusion_nse_below_whittaker?: number | null;
  by_gap?: Numbers[];
}

interface Summary {
  scenario?: unknown;
  results?: Result[];
  whittaker_crossover?: Record<string, Crossover>;
  manifest?: unknown;
  [key: string]: unknown;
}

interface Tier {
  [method: string]: Record<string, Numbers & { own?: Numbers; estimated_share?: number | null }>;
}

interface GapRow {
  key: string;
  gap_days: number;
  transition: string;
  window_start: string;
  window_end: string;
  n_withheld_scenes: number;
  n_withheld_pixels: number;
  spatial: Tier;
  temporal?: Record<string, Numbers | null>;
  phenology?: Record<string, Numbers> | null;
  calibration?: Record<string, Record<string, Numbers>>;
}

interface GapMetrics {
  strategies?: Record<string, { gaps?: GapRow[]; no_gap?: unknown }>;
  crossover?: Record<string, Record<string, Record<string, unknown>>>;
}

const PATH_NAMES: Record<string, string> = {
  withheld_s2_refl: 'Withheld scene', fused_gap: 'Fused with the gap', fused_no_gap: 'Fused without the gap',
};
const KNOWN = ['results', 'whittaker_crossover', 'manifest', 'site_name', 'season', 'scenario'];

export const gapKey = (result: { gap_days: number; transition?: string }): string => `${result.gap_days}_${result.transition ?? 'gap'}`;

export function Gaps({ season }: { season: Season; overview: Overview | null }) {
  const base = `${season.site.name}/${season.season}/validation`;
  const paths = season.tables.map((file) => file.path);
  const own = `${base}/scenarios/${season.scenario}/gap_validation_summary.json`;
  const path = [own, `${base}/gap_validation_summary.json`].find((one) => paths.includes(one));
  const metricsPath = paths.find((one) => one === `${base}/gap_metrics.json`);
  const manifestPath = paths.find((one) => one === `${base}/gap_manifest.json`);
  const loaded = useLoaded(path ?? null, () => getJson<Summary>(jsonUrl(path!)));
  const root = useLoaded(path === own ? `${base}/gap_validation_summary.json` : null, () => getJson<Summary>(jsonUrl(`${base}/gap_validation_summary.json`)));
  const best = typeof root.data?.scenario === 'string' ? root.data.scenario : null;
  const metrics = useLoaded(metricsPath ?? null, () => getJson<GapMetrics>(jsonUrl(metricsPath!)));
  const manifest = useLoaded(manifestPath ?? null, () => getJson<{ entries?: Record<string, unknown>[] }>(jsonUrl(manifestPath!)));
  if (!path) {
    return (
      <>
        <h1>Gap validation, {season.site.name} {season.season}</h1>
        <Empty title="No gap benchmark of this season yet." command={`satfusion gaps ${season.site.name} ${season.season}`}>
          It withholds the Sentinel-2 scenes of 15 to 90 days and asks what fusion and its competitors give instead.
        </Empty>
      </>
    );
  }
  return (
    <>
      <h1>Gap validation, {season.site.name} {season.season}</h1>
      <p class="lead">Sentinel-2 scenes inside a gap are withheld; what is fused without them is scored, pixel by pixel in GCC, against them. Choose a row to see its pictures.</p>
      {best && best !== season.scenario && (
        <p class="note">Pictures are kept for the best scenario alone. <button type="button" class="quiet" onClick={() => go({ scenario: best }, true)}>{scenarioName(best)}</button></p>
      )}
      <Await loaded={loaded}>{(data) => <Results data={data} season={season} />}</Await>
      {metrics.error && <Failure error={metrics.error} />}
      {metrics.data && <Methods data={metrics.data} season={season} />}
      <Await loaded={loaded}>{(data) => <Crossovers data={data} />}</Await>
      {manifest.error && <Failure error={manifest.error} />}
      {manifest.data?.entries && <JsonView value={manifest.data.entries as never} name="What was withheld" depth={1} />}
      <Await loaded={loaded}>{(data) => <>{Object.entries(data).filter(([key]) => !KNOWN.includes(key)).map(([key, value]) => <JsonView key={key} value={value as never} name={key} depth={1} />)}</>}</Await>
      <Files season={season} title="Files" pick={(name) => name.startsWith('validation/')} />
    </>
  );
}

function Results({ data, season }: { data: Summary; season: Season }) {
  const results = data.results ?? [];
  const chosen = results.find((result) => gapKey(result) === route.value.gap) ?? results.find((result) => result.paths && Object.values(result.paths).some(Boolean)) ?? results[0];
  return (
    <>
      <Table caption={`Gaps, ${describe(data.scenario)}`}
        heads={['gap', 'transition', 'day', 'withheld scene', 'RMSE gap', 'RMSE no gap', 'ΔRMSE', 'NSE gap', 'NSE no gap', 'ΔNSE', 'NSE Whittaker', 'bias gap', 'r gap', 'n pixels', 'note']}
        rows={results.map((result) => {
          const { gap, no_gap: none, whittaker, delta_rmse, delta_nse } = result.spatial ?? {};
          return [
            <button type="button" aria-pressed={result === chosen} onClick={() => go({ gap: gapKey(result) })}>{result.gap_days} d</button>,
            result.transition ?? '–', result.prediction_date ?? '–', result.withheld_s2_filename ?? '–',
            number(gap?.rmse, 4), number(none?.rmse, 4), number(delta_rmse, 4), number(gap?.nse_s2), number(none?.nse_s2), number(delta_nse), number(whittaker?.nse_s2), number(gap?.mean_bias, 4), number(gap?.pearson_r), number(gap?.n_pixels), result.error ?? '',
          ];
        })} />
      {chosen && <Pictures key={gapKey(chosen)} result={chosen} season={season} />}
    </>
  );
}

function describe(scenario: unknown): string {
  return typeof scenario === 'string' ? scenario : scenario ? JSON.stringify(scenario) : '';
}

/** The address of a path in the file, whichever folder it was written from. */
function below(path: string, season: Season): string {
  const home = `${season.site.name}/${season.season}/`;
  const at = path.indexOf(home);
  return at >= 0 ? path.slice(at) : `${home}${path.replace(/^\.?\//, '')}`;
}

function Pictures({ result, season }: { result: Result; season: Season }) {
  const view = useSharedView(season);
  const style = STYLES.find((one) => one.key === route.value.style) ?? STYLES[0]!;
  const paths = Object.entries(result.paths ?? {}).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const order = ['withheld_s2_refl', 'fused_gap', 'fused_no_gap'];
  paths.sort(([a], [b]) => (order.indexOf(a) + 9) % 9 - (order.indexOf(b) + 9) % 9);
  const truth = paths.find(([name]) => name === 'withheld_s2_refl')?.[1];
  const [minus, setMinus] = useState('fused_gap');
  if (!paths.length) return <Empty title={`No pictures were kept for the ${result.gap_days}-day gap.`}>Its numbers stand in the table.</Empty>;
  return (
    <section aria-label={`Pictures of the ${result.gap_days}-day gap`}>
      <div class="toolbar">
        <h2>{result.gap_days}-day gap{result.transition ? ` at ${result.transition.replace('_', '-')}` : ''}, {result.prediction_date}</h2>
        <Select label="Show" value={style.key} options={STYLES.map((one) => [one.key, one.label] as const)} onChange={(value) => go({ style: value, range: null })} />
        {truth && <Select label="Difference of" value={minus} options={paths.filter(([name]) => name !== 'withheld_s2_refl').map(([name]) => [name, PATH_NAMES[name] ?? name] as const)} onChange={setMinus} />}
        <button type="button" class="quiet" onClick={() => go({ page: 'explore', date: toDay(result.prediction_date) }, true)}>This day in Explore</button>
      </div>
      <div class="maps" data-count={paths.length + 1}>
        {paths.map(([name, path]) => <GapPicture key={name} name={PATH_NAMES[name] ?? name} path={below(path, season)} season={season} view={view} />)}
        {truth && <Minus path={below(result.paths![minus] ?? truth, season)} truth={below(truth, season)} name={PATH_NAMES[minus] ?? minus} season={season} view={view} />}
      </div>
      <Legend style={style} range={route.value.range} editable />
    </section>
  );
}

function GapPicture({ name, path, season, view }: { name: string; path: string; season: Season; view: ReturnType<typeof useSharedView> }) {
  const state = useFrame(path);
  const wanted = STYLES.find((one) => one.key === route.value.style) ?? STYLES[0]!;
  const style = !state.frame || fits(state.frame, wanted) ? wanted : STYLES.find((one) => one.key === 'gcc')!;
  const place = hoverPlace.value;
  return (
    <div class="panel" data-source={name}>
      <h2 class="panel-head">{name}</h2>
      <MapPanel name={name} view={view} season={season} base={state.frame && { frame: state.frame, style, range: route.value.range }} day={path} message={state.error && <Failure error={state.error} />} />
      <p class="readout">{place && state.frame ? `GCC ${number(finite(state.frame.at(state.frame.locate(place[0], place[1]), 'gcc')))}` : ' '}</p>
    </div>
  );
}

function Minus({ path, truth, name, season, view }: { path: string; truth: string; name: string; season: Season; view: ReturnType<typeof useSharedView> }) {
  const a = useFrame(path);
  const b = useFrame(truth);
  const frame = useMemo(() => a.frame && b.frame && difference(a.frame, b.frame, 'gcc'), [a.frame, b.frame]);
  const style = differenceStyle(STYLES.find((one) => one.key === 'gcc')!);
  const sums = useMemo(() => frame && summary(frame.planes[0]!), [frame]);
  return (
    <div class="panel" data-source="minus">
      <h2 class="panel-head">{name} − withheld, GCC</h2>
      <MapPanel name={`${name} minus withheld`} view={view} season={season} base={frame && { frame, style, range: null }} day={path} message={(a.error ?? b.error) && <Failure error={(a.error ?? b.error)!} />} />
      <p class="readout">{sums ? `mean ${number(finite(sums.mean), 4)}  RMSE ${number(finite(sums.rmse), 4)}  n ${sums.n}` : ' '}</p>
      <Legend style={style} fixed={false} />
    </div>
  );
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** All methods on the same withheld pixels, best first. */
function Methods({ data, season }: { data: GapMetrics; season: Season }) {
  const strategy = season.scenario.startsWith('non') ? 'nonaggressive' : 'aggressive';
  const gaps = data.strategies?.[strategy]?.gaps ?? [];
  const [quantity, setQuantity] = useState('gcc');
  const gap = gaps.find((one) => one.key === route.value.gap) ?? gaps[0];
  if (!gap) return Object.keys(data).length ? <JsonView value={data as never} name="gap metrics" depth={1} /> : null;
  const quantities = [...new Set(Object.values(gap.spatial).flatMap((by) => Object.keys(by)))];
  const rows = Object.entries(gap.spatial).flatMap(([method, by]) => (by[quantity] ? [{ method, score: by[quantity]! }] : []));
  rows.sort((a, b) => (a.score.rmse ?? Infinity) - (b.score.rmse ?? Infinity));
  return (
    <section aria-label="Methods">
      <div class="toolbar">
        <h2>Competitors on the same pixels</h2>
        <Select label="Gap" value={gap.key} options={gaps.map((one) => [one.key, `${one.key.replaceAll('_', ' ')} (${one.n_withheld_scenes} scenes)`] as const)} onChange={(value) => go({ gap: value })} />
        {quantities.length > 0 && <Select label="Quantity" value={quantity} options={quantities.map((one) => [one, one] as const)} onChange={setQuantity} />}
        <span class="note">{gap.window_start} to {gap.window_end}, {gap.n_withheld_pixels} withheld pixels, {strategy}</span>
      </div>
      <Table caption={`Spatial tier, ${quantity}, best RMSE first`} heads={['method', 'RMSE', 'MAE', 'bias', 'r', 'NSE', 'n', 'share estimated', 'RMSE on its own pixels']}
        rows={rows.map(({ method, score }) => [method, number(score.rmse, 4), number(score.mae, 4), number(score.mean_bias, 4), number(score.pearson_r), number(score.nse_s2), number(score.n_pixels), number(score.estimated_share), number(score.own?.rmse, 4)])} />
      {gap.temporal && <JsonView value={gap.temporal as never} name="Temporal tier: whole season against the camera" depth={1} />}
      {gap.phenology && <JsonView value={gap.phenology as never} name="Phenology tier: days late" depth={1} />}
      {gap.calibration && Object.keys(gap.calibration).length > 0 && <JsonView value={gap.calibration as never} name="Calibration of the standard deviation" depth={1} />}
      {data.crossover?.[season.scenario] && <JsonView value={data.crossover[season.scenario] as never} name="Crossover with each competitor" depth={1} />}
    </section>
  );
}

function Crossovers({ data }: { data: Summary }) {
  return (
    <>
      {Object.entries(data.whittaker_crossover ?? {}).map(([scenario, crossover]) => (
        <Table key={scenario} caption={`Crossover with Whittaker, ${scenario}`} heads={['gap, d', 'NSE fusion', 'NSE Whittaker', 'ahead']}
          note={`${crossover.whittaker_definition ?? ''}. Fusion first falls below at ${crossover.first_gap_days_fusion_nse_below_whittaker ?? 'no tested'} days. Score: ${crossover.metric ?? ''}.`}
          rows={(crossover.by_gap ?? []).map((row) => [number(row.gap_days), number(row.nse_s2_fusion), number(row.nse_s2_whittaker), ahead(row.nse_s2_fusion, row.nse_s2_whittaker)])} />
      ))}
    </>
  );
}

function ahead(fusion: number | null | undefined, other: number | null | undefined): string {
  if (typeof fusion !== 'number' || typeof other !== 'number') return '–';
  return fusion >= other ? 'fusion' : 'Whittaker';
}
