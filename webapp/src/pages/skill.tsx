/** What is left of the scores once the camera's own colours are taken away (`skill.json`, docs/metrics.md). */
import type { ComponentChildren } from 'preact';
import { getJson, jsonUrl, type Season } from '../api';
import { go, route, useLoaded } from '../state';
import { Await, number, Select, Table } from '../ui/parts';
import { Interval, span } from '../ui/interval';
import { ScenarioLink } from '../ui/link';
import { SCENARIO_KEYS, scenarioShort, scoreKey } from '../ui/words';

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
  region?: string;
  first: string;
  second: string;
  rmse_difference: number | null;
  interval: Pair | null;
  p_holm: number | null;
  different: boolean | null;
}

interface Region {
  vegetation: string | null;
  scenarios: Record<string, Skill | null>;
}

interface SkillFile {
  parameters?: Record<string, unknown>;
  regions: Record<string, Region>;
  comparisons?: Versus[] | Record<string, Versus[]>;
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
  const scores = SCENARIO_KEYS.flatMap((key): [string, Skill][] => {
    const found = data.regions[region]!.scenarios[scoreKey(key)];
    return found ? [[key, found]] : [];
  });
  return (
    <section aria-labelledby="skill">
      <div class="toolbar">
        <h2 id="skill">Skill without the camera’s own colours</h2>
        {regions.length > 1
          ? <Select label="Region of interest" value={region} options={regions.map((one) => [one, one] as const)} onChange={(value) => go({ region: value })} />
          : <span class="note">Region of interest {region}</span>}
      </div>
      <p class="lead">
        Each series is put on the camera’s scale by a line fitted on the other parts of the season, then scored. Bars and numbers in brackets are 95 % intervals over blocks of days.
      </p>
      <Calibrations scores={scores} season={season} />
      <div class="tables">
        <Phases scores={scores} season={season} />
        <Comparisons rows={versusOf(data, region)} keys={scores.map(([key]) => key)} />
      </div>
    </section>
  );
}

/** A file holds its comparisons in one list or one a region. */
function versusOf({ comparisons = [] }: SkillFile, region: string): Versus[] {
  return Array.isArray(comparisons) ? comparisons.filter((one) => (one.region ?? region) === region) : comparisons[region] ?? [];
}

type Scored = readonly (readonly [string, Skill])[];

function Calibrations({ scores, season }: { scores: Scored; season: Season }) {
  const of = (name: 'rmse' | 'nse') => scores.map(([, one]): [number | null | undefined, Pair | null | undefined] => [one.calibrated?.[name], one.calibrated?.[`${name}_interval`]]);
  const rmse = of('rmse');
  const nse = of('nse');
  const rank = scores.map(([, one]): [number | null | undefined, Pair | null | undefined] => [one.spearman_r, one.spearman_r_interval]);
  const [rmseSpan, nseSpan, rankSpan] = [span(rmse), span(nse), span(rank)];
  const best = (values: typeof rmse, sign: 1 | -1): number => Math.max(...values.flatMap(([value]) => (typeof value === 'number' ? [sign * value] : [])));
  const [lowest, highest, closest] = [best(rmse, -1), best(nse, 1), best(rank, 1)];
  return (
    <Table caption="Fused GCC against gcc_90, calibrated" heads={['scenario', 'RMSE', 'NSE', 'Spearman r', 'lag, d', 'bias', 'camera gain', 'n']}
      note="lag: by how many days the fused series must be moved to fit the camera best; gain: camera GCC a unit of fused GCC."
      rows={scores.map(([key, one], i) => [
        <ScenarioLink key={key} season={season} name={key} />,
        <Interval value={rmse[i]![0]} ends={rmse[i]![1]} within={rmseSpan} digits={4} top={-(rmse[i]![0] ?? NaN) === lowest} />,
        <Interval value={nse[i]![0]} ends={nse[i]![1]} within={nseSpan} digits={3} top={nse[i]![0] === highest} />,
        <Interval value={rank[i]![0]} ends={rank[i]![1]} within={rankSpan} digits={3} top={rank[i]![0] === closest} />,
        lagWords(one.lag), number(one.calibrated?.bias, 4), number(one.camera_gain, 2), number(one.n_samples),
      ])} />
  );
}

function lagWords(lag: Skill['lag']): string {
  if (!lag || lag.lag_days === null) return '–';
  const days = `${lag.lag_days > 0 ? '+' : lag.lag_days < 0 ? '−' : ''}${Math.abs(lag.lag_days)}`;
  return lag.at_limit ? `${days} or more` : days;
}

const PHASES: [string, string][] = [['green_up', 'green-up'], ['peak', 'peak'], ['green_down', 'green-down'], ['dormancy', 'dormancy']];

function Phases({ scores, season }: { scores: Scored; season: Season }) {
  const phases = PHASES.filter(([key]) => scores.some(([, one]) => one.phases?.[key]));
  if (!phases.length) return null;
  const lowest = phases.map(([key]) => Math.min(...scores.map(([, one]) => one.phases?.[key]?.rmse ?? Infinity)));
  return (
    <Table caption="Phases of the season: calibrated RMSE (bias)" heads={['scenario', ...phases.map(([, words]) => words)]}
      rows={scores.map(([key, one]): ComponentChildren[] => [
        <ScenarioLink key={key} season={season} name={key} />,
        ...phases.map(([phase], i) => {
          const found = one.phases?.[phase];
          if (!found || found.rmse === null) return '–';
          const words = number(found.rmse, 4);
          return <>{found.rmse === lowest[i] ? <strong class="top-score" title="lowest of this phase">{words} ★</strong> : words} <span class="aside">({signed(found.bias)})</span></>;
        }),
      ])} note={`Days: ${phases.map(([key, words]) => `${words} ${scores.map(([, one]) => one.phases?.[key]?.n_samples).find(Boolean) ?? 0}`).join(', ')}.`} />
  );
}

const signed = (value: number | null | undefined): string => (typeof value === 'number' ? `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}` : '–');

/** Every pair on common days: row minus column, so that a negative number says that the row is better. */
function Comparisons({ rows, keys }: { rows: readonly Versus[]; keys: readonly string[] }) {
  if (!rows.length) return null;
  const find = (row: string, column: string): { value: number; other: Versus } | null => {
    for (const one of rows) {
      if (one.rmse_difference === null) continue;
      if (one.first === scoreKey(row) && one.second === scoreKey(column)) return { value: one.rmse_difference, other: one };
      if (one.second === scoreKey(row) && one.first === scoreKey(column)) return { value: -one.rmse_difference, other: one };
    }
    return null;
  };
  return (
    <Table caption="Pairs: RMSE of the row minus RMSE of the column, in 0.001" heads={['row − column', ...keys.map(scenarioShort)]}
      note="Below 0 the row is nearer to the camera. Marked ◆ and bold: the difference holds at 5 % over all pairs (Holm)."
      rows={keys.map((row) => [
        scenarioShort(row),
        ...keys.map((column) => {
          const found = row === column ? null : find(row, column);
          if (!found) return row === column ? '·' : '–';
          const words = `${found.value < 0 ? '−' : '+'}${Math.abs(1000 * found.value).toFixed(2)}`;
          const title = `${scenarioShort(row)} against ${scenarioShort(column)}: adjusted p ${number(found.other.p_holm, 3)}`;
          return <span class={found.value < 0 ? 'better' : 'worse'} title={title}>{found.other.different ? <strong>{words} ◆</strong> : words}</span>;
        }),
      ])} />
  );
}
