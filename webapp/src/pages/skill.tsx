/** What is left of the scores once the camera's own colours are taken away (`skill.json`, docs/metrics.md). */
import type { ComponentChildren } from 'preact';
import { getJson, jsonUrl, type Season } from '../api';
import { go, route, useLoaded } from '../state';
import { Await, number, Select, Table } from '../ui/parts';
import { Interval, span } from '../ui/interval';
import { ScenarioLink } from '../ui/link';
import { baselineName, SCENARIO_KEYS, scenarioShort, STRATEGY_END, strategyOf } from '../ui/words';

type Pair = [number, number];

interface Calibrated {
  rmse: number | null;
  mae: number | null;
  bias: number | null;
  nse: number | null;
  rmse_interval?: Pair | null;
  nse_interval?: Pair | null;
}

interface Skill {
  n_samples: number;
  camera_bias: number | null;
  camera_gain: number | null;
  calibrated?: Calibrated | null;
  spearman_r?: number | null;
  spearman_r_interval?: Pair | null;
  lag?: { lag_days: number | null; pearson_r: number | null; at_limit: boolean } | null;
  phases?: Record<string, { n_samples: number; rmse: number | null; bias: number | null }> | null;
}

interface Versus {
  first: string;
  second: string;
  rmse_difference: number | null;
  interval: Pair | null;
  p_holm: number | null;
  different: boolean | null;
}

/** One region of interest: the scenarios' skill, and that of the series without fusion. */
interface Region {
  vegetation?: string | null;
  camera_days?: number;
  scenarios?: Record<string, Skill | null>;
  baselines?: Record<string, Skill | null>;
}

interface SkillFile {
  parameters?: Record<string, unknown>;
  /** The site's own first; the comparisons are those of it. */
  regions?: Record<string, Region>;
  comparisons?: Versus[];
  against_baselines?: Versus[];
}

export function SkillScores({ season }: { season: Season }) {
  const path = `${season.site.name}/${season.season}/skill.json`;
  const there = season.tables.some((file) => file.path === path);
  const loaded = useLoaded(there ? path : null, () => getJson<SkillFile>(jsonUrl(path)));
  return there ? <Await loaded={loaded}>{(data) => <Tables data={data} season={season} />}</Await> : null;
}

function Tables({ data, season }: { data: SkillFile; season: Season }) {
  const regions = Object.keys(data.regions ?? {});
  const region = regions.includes(route.value.region ?? '') ? route.value.region! : regions[0];
  if (region === undefined) return null;
  const { scenarios = {}, baselines = {}, vegetation, camera_days } = data.regions![region]!;
  const scores = SCENARIO_KEYS.flatMap((key): [string, Skill][] => {
    const found = scenarios[key];
    return found ? [[key, found]] : [];
  });
  const others = Object.entries(baselines).filter((entry): entry is [string, Skill] => entry[1] !== null);
  const keys = scores.map(([key]) => key);
  return (
    <section aria-labelledby="skill">
      <div class="toolbar">
        <h2 id="skill">Skill without the camera’s own colours</h2>
        {regions.length > 1 ? (
          <Select
            label="Region of interest"
            value={region}
            options={regions.map((one) => [one, one] as const)}
            onChange={(value) => go({ region: value })}
          />
        ) : (
          <span class="note">Region of interest {region}</span>
        )}
        {vegetation && (
          <span class="note">
            {vegetation}
            {camera_days ? `, ${camera_days} days of the camera` : ''}
          </span>
        )}
      </div>
      <p class="lead">
        Each series is put on the camera’s scale by a line fitted on the other parts of the season, then scored. Bars
        and numbers in brackets are 95 % intervals over blocks of days.
      </p>
      <Calibrations
        rows={[
          ...scores.map(([key, one]) => ({ name: <ScenarioLink season={season} name={key} />, one })),
          ...others.map(([key, one]) => ({ name: baselineName(key), one })),
        ]}
      />
      <div class="tables">
        <Phases scores={scores} season={season} />
        {region === regions[0] && <Comparisons rows={data.comparisons ?? []} keys={keys} />}
        {region === regions[0] && <AgainstBaselines rows={data.against_baselines ?? []} keys={keys} />}
      </div>
    </section>
  );
}

type Scored = readonly (readonly [string, Skill])[];

interface Row {
  name: ComponentChildren;
  one: Skill;
}

type Estimate = [number | null | undefined, Pair | null | undefined];

const ESTIMATES: { label: string; digits: number; sign: 1 | -1; of: (one: Skill) => Estimate }[] = [
  { label: 'RMSE', digits: 4, sign: -1, of: ({ calibrated }) => [calibrated?.rmse, calibrated?.rmse_interval] },
  { label: 'NSE', digits: 3, sign: 1, of: ({ calibrated }) => [calibrated?.nse, calibrated?.nse_interval] },
  {
    label: 'Spearman r',
    digits: 3,
    sign: 1,
    of: ({ spearman_r, spearman_r_interval }) => [spearman_r, spearman_r_interval],
  },
];

function Calibrations({ rows }: { rows: readonly Row[] }) {
  const drawn = ESTIMATES.map(({ of, sign, digits }) => {
    const all = rows.map(({ one }) => of(one));
    const best = Math.max(...all.flatMap(([value]) => (typeof value === 'number' ? [sign * value] : [])));
    const within = span(all);
    return all.map(([value, ends]) => (
      <Interval
        value={value}
        ends={ends}
        within={within}
        digits={digits}
        top={typeof value === 'number' && sign * value === best}
      />
    ));
  });
  return (
    <Table
      caption="GCC against gcc_90, calibrated: scenarios, and what needs no fusion"
      heads={['series', ...ESTIMATES.map(({ label }) => label), 'lag, d', 'bias', 'camera gain', 'n']}
      note="lag: by how many days the series must be moved to fit the camera best; gain: camera GCC a unit of the series’ GCC; n: common days, of which a daily series has more than single scenes."
      rows={rows.map(({ name, one }, i) => [
        name,
        ...drawn.map((column) => column[i]),
        lagWords(one.lag),
        number(one.calibrated?.bias, 4),
        number(one.camera_gain, 2),
        number(one.n_samples),
      ])}
    />
  );
}

function lagWords(lag: Skill['lag']): string {
  if (!lag || lag.lag_days === null) return '–';
  const days = `${lag.lag_days > 0 ? '+' : lag.lag_days < 0 ? '−' : ''}${Math.abs(lag.lag_days)}`;
  return lag.at_limit ? `${days} or more` : days;
}

const PHASES: [string, string][] = [
  ['green_up', 'green-up'],
  ['peak', 'peak'],
  ['green_down', 'green-down'],
  ['dormancy', 'dormancy'],
];

function Phases({ scores, season }: { scores: Scored; season: Season }) {
  const phases = PHASES.filter(([key]) => scores.some(([, one]) => one.phases?.[key]));
  if (!phases.length) return null;
  const lowest = phases.map(([key]) => Math.min(...scores.map(([, one]) => one.phases?.[key]?.rmse ?? Infinity)));
  return (
    <Table
      caption="Phases of the season: calibrated RMSE (bias)"
      heads={['scenario', ...phases.map(([, words]) => words)]}
      rows={scores.map(([key, one]): ComponentChildren[] => [
        <ScenarioLink key={key} season={season} name={key} />,
        ...phases.map(([phase], i) => {
          const found = one.phases?.[phase];
          if (!found || found.rmse === null) return '–';
          const words = number(found.rmse, 4);
          return (
            <>
              {found.rmse === lowest[i] ? (
                <strong class="top-score" title="lowest of this phase">
                  {words} ★
                </strong>
              ) : (
                words
              )}{' '}
              <span class="aside">({signed(found.bias)})</span>
            </>
          );
        }),
      ])}
      note={`Days: ${phases.map(([key, words]) => `${words} ${scores.map(([, one]) => one.phases?.[key]?.n_samples).find(Boolean) ?? 0}`).join(', ')}.`}
    />
  );
}

const signed = (value: number | null | undefined): string =>
  typeof value === 'number' ? `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}` : '–';

/** Every pair on common days: row minus column, so that a negative number says that the row is better. */
function Comparisons({ rows, keys }: { rows: readonly Versus[]; keys: readonly string[] }) {
  if (!rows.length) return null;
  return (
    <Table
      caption="Pairs: RMSE of the row minus RMSE of the column, in 0.001"
      heads={['row − column', ...keys.map(scenarioShort)]}
      note="Below 0 the row is nearer to the camera. Marked ◆ and bold: the difference holds at 5 % over all pairs (Holm)."
      rows={keys.map((row) => [
        scenarioShort(row),
        ...keys.map((column) => (row === column ? '·' : <Difference rows={rows} first={row} second={column} />)),
      ])}
    />
  );
}

/** What fusion adds: each scenario beside its own strategy's series without fusion. */
function AgainstBaselines({ rows, keys }: { rows: readonly Versus[]; keys: readonly string[] }) {
  const kinds = [...new Set(rows.map((one) => one.second.replace(STRATEGY_END, '')))];
  if (!kinds.length) return null;
  return (
    <Table
      caption="What fusion adds: RMSE minus that of its own scenes and composites, in 0.001"
      heads={['scenario', ...kinds.map(baselineName)]}
      note="On the days that both and the camera have. Below 0 fusion is nearer to the camera. ◆: it holds at 5 % over all pairs (Holm)."
      rows={keys.map((key) => [
        scenarioShort(key),
        ...kinds.map((kind) => <Difference rows={rows} first={key} second={`${kind}_${strategyOf(key)}`} />),
      ])}
    />
  );
}

/** RMSE of `first` minus that of `second`, whichever way round the file has the pair. */
function Difference({ rows, first, second }: { rows: readonly Versus[]; first: string; second: string }) {
  const found = rows.find(
    (one) => (one.first === first && one.second === second) || (one.first === second && one.second === first),
  );
  if (!found || found.rmse_difference === null) return <>–</>;
  const value = found.first === first ? found.rmse_difference : -found.rmse_difference;
  const words = `${value < 0 ? '−' : '+'}${Math.abs(1000 * value).toFixed(2)}`;
  return (
    <span class={value < 0 ? 'better' : 'worse'} title={`adjusted p ${number(found.p_holm, 3)}`}>
      {found.different ? <strong>{words} ◆</strong> : words}
    </span>
  );
}
