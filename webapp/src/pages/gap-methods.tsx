/** All methods on the same withheld pixels: spatial, temporal and phenology tier, calibration, and where fusion wins. */
import type { Season } from '../api';
import { go, route } from '../state';
import { JsonView } from '../ui/json-view';
import { number, Select, Table } from '../ui/parts';
import { isItb, scenarioName, strategyOf } from '../ui/words';
import { isRival, rivalName, transitionWords, type Crossover, type GapMetrics, type GapRow } from './gap-files';

const methodName = (method: string): string => (isRival(method) ? rivalName(method) : scenarioName(method));

export function gapsOf(data: GapMetrics, season: Season): GapRow[] {
  return data.strategies?.[strategyOf(season.scenario)]?.gaps ?? [];
}

/** Every gap at a glance: the scenario's error beside its best competitor's; a cell opens its gap. */
export function GapMatrix({ gaps, season }: { gaps: readonly GapRow[]; season: Season }) {
  const lengths = [...new Set(gaps.map((gap) => gap.gap_days))].sort((a, b) => a - b);
  const transitions = [...new Set(gaps.map((gap) => gap.transition))];
  if (!gaps.length) return null;
  return (
    <Table
      caption={`RMSE of GCC inside the gap: ${scenarioName(season.scenario)}, then the best competitor`}
      heads={['gap at', ...lengths.map((days) => `${days} days`)]}
      note="On the same pixels, those that every method estimates. ★ the lower one; EFAST looks 30 days either way, so in the middle of a long gap it gives nothing."
      rows={transitions.map((transition) => [
        transitionWords(transition),
        ...lengths.map((days) => {
          const gap = gaps.find((one) => one.gap_days === days && one.transition === transition);
          return gap ? <Duel gap={gap} scenario={season.scenario} /> : '–';
        }),
      ])}
    />
  );
}

function Duel({ gap, scenario }: { gap: GapRow; scenario: string }) {
  const fused = gap.spatial[scenario]?.gcc?.rmse ?? null;
  const rivals = Object.entries(gap.spatial).flatMap(([method, by]): [string, number][] =>
    isRival(method) && typeof by.gcc?.rmse === 'number' ? [[method, by.gcc.rmse]] : [],
  );
  const [rival, least] = rivals.sort((a, b) => a[1] - b[1])[0] ?? ['', null];
  const wins = fused !== null && (least === null || fused <= least);
  return (
    <button type="button" class="duel" aria-pressed={route.value.gap === gap.key} onClick={() => go({ gap: gap.key })}>
      <span class="duel-fused">
        {number(fused, 4)}
        {wins && ' ★'}
      </span>
      <span>
        {number(least, 4)} {rivalName(rival)}
        {!wins && least !== null && ' ★'}
      </span>
    </button>
  );
}

export function Methods({ data, season }: { data: GapMetrics; season: Season }) {
  const gaps = gapsOf(data, season);
  const gap = gaps.find((one) => one.key === route.value.gap) ?? gaps[0];
  if (!gap) return Object.keys(data).length ? <JsonView value={data as never} name="gap metrics" depth={1} /> : null;
  const quantities = [...new Set(Object.values(gap.spatial).flatMap((by) => Object.keys(by)))];
  const quantity = quantities.includes(route.value.quantity ?? '') ? route.value.quantity! : 'gcc';
  const rows = Object.entries(gap.spatial).flatMap(([method, by]) =>
    by[quantity] ? [{ method, score: by[quantity] }] : [],
  );
  rows.sort((a, b) => (a.score.rmse ?? Infinity) - (b.score.rmse ?? Infinity));
  return (
    <section aria-label="Methods">
      <div class="toolbar">
        <h2>Competitors on the same pixels</h2>
        <Select
          label="Gap"
          value={gap.key}
          options={gaps.map(
            (one) =>
              [
                one.key,
                `${one.gap_days} days at ${transitionWords(one.transition)} (${one.n_withheld_scenes} scenes)`,
              ] as const,
          )}
          onChange={(value) => go({ gap: value })}
        />
        {quantities.length > 0 && (
          <Select
            label="Quantity"
            value={quantity}
            options={quantities.map((one) => [one, one] as const)}
            onChange={(value) => go({ quantity: value })}
          />
        )}
        <span class="note">
          {gap.window_start} to {gap.window_end}, {gap.n_withheld_pixels} withheld pixels, {strategyOf(season.scenario)}
        </span>
      </div>
      <Table
        caption={`Spatial tier, ${quantity}, best RMSE first`}
        heads={['method', 'RMSE', 'MAE', 'bias', 'r', 'NSE', 'n', 'share estimated', 'RMSE on its own pixels']}
        rows={rows.map(({ method, score }) => [
          methodName(method),
          number(score.rmse, 4),
          number(score.mae, 4),
          number(score.mean_bias, 4),
          number(score.pearson_r),
          number(score.nse_s2),
          number(score.n_pixels),
          number(score.estimated_share),
          number(score.own?.rmse, 4),
        ])}
      />
      <div class="tables">
        <Temporal gap={gap} />
        <Lateness gap={gap} />
        <Calibration gap={gap} />
      </div>
      <Crossovers data={data.crossover?.[season.scenario]} />
    </section>
  );
}

function Temporal({ gap }: { gap: GapRow }) {
  const rows = Object.entries(gap.temporal ?? {});
  if (!rows.length) return null;
  return (
    <Table
      caption="Temporal tier: the whole season’s GCC at the site against the camera"
      heads={['method', 'NSE_PC', 'r', 'RMSE', 'MAE', 'n']}
      rows={rows.map(([method, one]) => [
        methodName(method),
        number(one?.nse_pc),
        number(one?.pearson_r),
        number(one?.rmse, 4),
        number(one?.mae, 4),
        number(one?.n_samples),
      ])}
    />
  );
}

function Lateness({ gap }: { gap: GapRow }) {
  const rows = Object.entries(gap.phenology ?? {});
  const dates = [...new Set(rows.flatMap(([, one]) => Object.keys(one ?? {})))];
  if (!rows.length || !dates.length) return null;
  return (
    <Table
      caption="Phenology tier: days after the camera"
      heads={['method', ...dates.map((date) => `${date.replace('_', ' ')} %`)]}
      note="Below 0: earlier than the camera. –: the series has no such date."
      rows={rows.map(([method, one]) => [methodName(method), ...dates.map((date) => number(one?.[date]))])}
    />
  );
}

function Calibration({ gap }: { gap: GapRow }) {
  const rows = Object.entries(gap.calibration ?? {}).flatMap(([method, by]) =>
    Object.entries(by).map(([band, one]) => [`${methodName(method)}${isItb(method) ? '' : `, ${band}`}`, one] as const),
  );
  if (!rows.length) return null;
  return (
    <Table
      caption="Stated standard deviations against what was missed"
      heads={['method', 'within 68 %', 'within 95 %', 'z RMS', 'CRPS', 'mean sd', 'n']}
      note="Right are 0.683, 0.95 and 1."
      rows={rows.map(([name, one]) => [
        name,
        number(one.coverage_68),
        number(one.coverage_95),
        number(one.z_rms, 2),
        number(one.crps, 4),
        number(one.mean_sd, 4),
        number(one.n),
      ])}
    />
  );
}

/** Per competitor and transition: NSE of fusion and of the competitor over the gap lengths. */
function Crossovers({ data }: { data: Record<string, Record<string, Crossover>> | undefined }) {
  const rows = Object.entries(data ?? {}).flatMap(([rival, by]) =>
    Object.entries(by).map(([transition, one]) => ({ rival, transition, one })),
  );
  const lengths = [...new Set(rows.flatMap(({ one }) => (one.by_gap ?? []).map((row) => row.gap_days)))].sort(
    (a, b) => a - b,
  );
  if (!rows.length) return null;
  return (
    <Table
      caption="Crossover with each competitor: NSE of fusion, NSE of the competitor"
      heads={[
        'competitor',
        'gap at',
        ...lengths.map((days) => `${days} d`),
        'fusion first below',
        'fusion first above',
      ]}
      note="★ fusion is ahead. First below and above: the shortest gap, in days, at which it is."
      rows={rows.map(({ rival, transition, one }) => [
        rivalName(rival),
        transitionWords(transition),
        ...lengths.map((days) => {
          const row = one.by_gap?.find((some) => some.gap_days === days);
          return row
            ? `${number(row.nse_fusion, 2)} · ${number(row.nse_competitor, 2)}${ahead(row.nse_fusion, row.nse_competitor) ? ' ★' : ''}`
            : '–';
        }),
        number(one.first_gap_days_fusion_nse_below),
        number(one.first_gap_days_fusion_nse_above),
      ])}
    />
  );
}

const ahead = (fusion: number | null, other: number | null): boolean =>
  fusion !== null && other !== null && fusion >= other;
