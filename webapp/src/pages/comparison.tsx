/** All scenarios against the camera, day by day: one highlighted, the others in grey behind it. */
import { useMemo, useState } from 'preact/hooks';
import { scenarioSeries, type ScenarioSeries, type Season } from '../api';
import { Chart, type Curve } from '../chart/chart';
import { fromDayOfYear } from '../days';
import { useLoaded } from '../state';
import { cameraMarks } from '../ui/curves';
import { column, daysOf } from '../ui/series-columns';
import { Failure } from '../ui/parts';
import { COLOURS, SCENARIO_KEYS, scenarioName } from '../ui/words';
import { Multiples, type Small } from './multiples';

const OTHERS = 'var(--crowd)';

export function Comparison({ season }: { season: Season }) {
  const loaded = useLoaded(`scenarios/${season.site.name}/${season.season}`, () =>
    scenarioSeries(season.site.name, season.season),
  );
  const [wanted, choose] = useState<string | null>(null);
  const small = useMemo(() => (loaded.data ? multiplesOf(loaded.data) : []), [loaded.data]);
  const keys = small.map((one) => one.key);
  const chosen = [wanted, season.scenario, keys[0]].find((key) => key && keys.includes(key)) ?? '';
  const curves = useMemo(() => (loaded.data ? comparisons(loaded.data, chosen) : null), [loaded.data, chosen]);
  if (loaded.error) return <Failure error={loaded.error} />;
  if (!curves || !loaded.data) return null;
  const name = `${season.site.name}_${season.season}`;
  const from = fromDayOfYear(season.season, 1);
  const to = fromDayOfYear(season.season + 1, 1) - 1;
  const camera = { days: daysOf(loaded.data.camera), values: column(loaded.data.camera, 'gcc') };
  return (
    <>
      {small.length > 1 && (
        <Multiples
          curves={small}
          camera={camera}
          from={from}
          to={to}
          chosen={chosen}
          colour={COLOURS.fused}
          onChoose={choose}
        />
      )}
      <Chart
        key={`gcc ${chosen}`}
        name={`${name}_gcc_scenarios`}
        title="Fused GCC of all scenarios, and the camera"
        curves={curves.gcc}
        from={from}
        to={to}
        height={240}
        marks={cameraMarks(loaded.data)}
      />
      <Chart
        key={`residual ${chosen}`}
        name={`${name}_residuals`}
        title="Residual, fused GCC minus gcc_90"
        curves={curves.residual}
        from={from}
        to={to}
        height={190}
        levels={[{ value: 0, label: '' }]}
      />
    </>
  );
}

/** What each day misses of the camera's on the same day; null where either has none. */
function residualsOf(series: ScenarioSeries['scenarios'][string], camera: ScenarioSeries['camera']): (number | null)[] {
  const seen = column(camera, 'gcc');
  const truth = new Map(daysOf(camera).map((day, i) => [day, seen[i]]));
  const days = daysOf(series);
  return column(series, 'gcc').map((value, i) => {
    const there = truth.get(days[i]!);
    return value === null || there === null || there === undefined ? null : value - there;
  });
}

function multiplesOf({ scenarios, camera }: ScenarioSeries): Small[] {
  return SCENARIO_KEYS.flatMap((key) => {
    const series = scenarios[key];
    if (!series) return [];
    const missed = residualsOf(series, camera).filter((value): value is number => value !== null);
    const mean = (values: number[]) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : null);
    const square = mean(missed.map((value) => value ** 2));
    return [
      {
        key,
        days: daysOf(series),
        values: column(series, 'gcc'),
        bias: mean(missed),
        rmse: square === null ? null : Math.sqrt(square),
      },
    ];
  });
}

function comparisons({ scenarios, camera }: ScenarioSeries, chosen: string): { gcc: Curve[]; residual: Curve[] } {
  const truth: Curve = {
    key: 'phenocam_gcc_90',
    label: 'Camera gcc_90',
    colour: COLOURS.camera,
    shape: 'line',
    lineWidth: 2.2,
    days: daysOf(camera),
    values: column(camera, 'gcc'),
  };
  const there = SCENARIO_KEYS.filter((key) => scenarios[key]);
  // What is drawn last lies on top.
  const order = [...there.filter((key) => key !== chosen), ...there.filter((key) => key === chosen)];
  const curves = order.map((key) => {
    const series = scenarios[key]!;
    const curve = {
      key,
      label: scenarioName(key),
      colour: key === chosen ? COLOURS.fused : OTHERS,
      shape: 'line',
      lineWidth: key === chosen ? 2.2 : 1,
      days: daysOf(series),
    } as const;
    return {
      gcc: { ...curve, values: column(series, 'gcc') },
      residual: { ...curve, values: residualsOf(series, camera) },
    };
  });
  const gcc = curves.map((one) => one.gcc);
  return { gcc: [...gcc.slice(0, -1), truth, ...gcc.slice(-1)], residual: curves.map((one) => one.residual) };
}
