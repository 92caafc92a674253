/** The site's other seasons, each on the days of the shown one. */
import { siteSeries, type Overview, type Season, type SiteSeries } from '../api';
import type { Curve } from '../chart/chart';
import { fromDayOfYear } from '../days';
import { route, useLoaded, type Loaded } from '../state';
import { column, daysOf } from './series-columns';

/** Told apart by these, and by the year that the legend says; the earliest first. */
const COLOURS = ['var(--year-1)', 'var(--year-2)', 'var(--year-3)', 'var(--year-4)'];
const WIDTH = 1.3;

export type Year = readonly [year: number, series: SiteSeries];

/** Years other than the shown one in which this scenario has been fused. */
export function otherYears(overview: Overview | null, season: Season): number[] {
  const here = overview?.sites.find((one) => one.name === season.site.name)?.seasons ?? [];
  return here
    .filter((one) => one.season !== season.season)
    .filter((one) => ['processed', 'scored'].includes(one.scenarios[season.scenario]?.status ?? ''))
    .map((one) => one.season)
    .sort((a, b) => a - b);
}

/** Their series, where they are asked for. */
export function useYears(years: readonly number[], season: Season): Loaded<Year[]> {
  const { name } = season.site;
  const key = route.value.years && years.length ? `years/${name}/${season.scenario}/${years.join()}` : null;
  return useLoaded(
    key,
    () =>
      Promise.all(
        years.map(async (year): Promise<Year> => [year, await siteSeries(name, year, season.scenario, 'processed')]),
      ),
    true,
  );
}

/** Fused curves of other years, moved by whole days so that days of the year lie over each other. */
export function curvesOfYears(years: readonly Year[], season: Season, key: string): Curve[] {
  return years.flatMap(([year, series], i) => {
    const moved = fromDayOfYear(season.season, 1) - fromDayOfYear(year, 1);
    const values = column(series.sources.fused, key);
    const days = daysOf(series.sources.fused).map((day) => day + moved);
    const curve = { colour: COLOURS[i % COLOURS.length]!, shape: i < COLOURS.length ? 'line' : 'dash' } as const;
    return values.length
      ? [{ key: `fused_${year}`, label: `Fused ${year}`, ...curve, lineWidth: WIDTH, days, values }]
      : [];
  });
}
