import { describe, expect, it } from 'vitest';
import { toDay } from '../src/days';
import { format, parse, START, type Route } from '../src/route';

const route = (change: Partial<Route>): Route => ({ ...START, ...change });

describe('the address', () => {
  it('says everything that is seen, and nothing that is usual', () => {
    expect(format(route({ site: 'innsbruck', season: 2024 }))).toBe('/innsbruck/2024');
    expect(
      format(
        route({
          site: 'ICOSFR-Fon1',
          season: 2023,
          scenario: 'aggressive_itb_sigma30',
          page: 'gaps',
          date: toDay('2023-05-17'),
          style: 'gcc',
          px: [675865, 5220905],
          gap: '30_green_up',
        }),
      ),
    ).toBe('/ICOSFR-Fon1/2023/aggressive_itb_sigma30/gaps?date=2023-05-17&style=gcc&px=675865,5220905&gap=30_green_up');
  });

  it.each([
    route({ site: 'innsbruck', season: 2024 }),
    route({
      site: 'innsbruck',
      season: 2024,
      scenario: 'nonaggressive_sigma20',
      page: 'phenology',
      layer: 'rising_50',
    }),
    route({
      site: 'a.b-c',
      season: 2019,
      date: toDay('2019-12-31'),
      stage: 'raw',
      view: 'swipe',
      a: 's3',
      b: 's2',
      bDate: toDay('2019-01-01'),
    }),
    route({
      site: 'innsbruck',
      season: 2024,
      range: [0.28, 0.5],
      at: [675865, 5220905, 1.5],
      area: [
        [675800, 5220800],
        [676000, 5220800],
        [675900, 5221000],
      ],
      years: true,
      bands: true,
      colour: true,
      sensor: 's3',
    }),
    route({ site: 'innsbruck', season: 2024, page: 'gaps', gap: '30_peak', rival: 'linear', quantity: 'ndvi' }),
    route({ site: 'innsbruck', season: 2024, page: 'preselection', show: 'differ' }),
    route({ site: 'innsbruck', season: 2024, page: 'metrics', region: 'innsbruck_GR_1000', dates: true }),
    route({ site: 'innsbruck', season: 2024, beside: 'aggressive_kriging', style: 'b8a' }),
    route({ score: 'pearson_r' }),
  ])('read back is the state it was written from: %o', (state) => {
    const url = new URL(format(state), 'http://x');
    expect(parse(url.pathname, url.search)).toEqual(state);
  });

  it('keeps what is usable of a broken one', () => {
    const state = parse('/innsbruck/2024/metrics', '?date=2024-13-01&view=sideways&px=1,two&range=0.1&stage=raw');
    expect(state).toEqual(route({ site: 'innsbruck', season: 2024, page: 'metrics', stage: 'raw' }));
  });

  it('takes a site whose name needs quoting as a name, never as a path', () => {
    expect(format(route({ site: '//evil.example', season: 2024 }))).toBe('/%2F%2Fevil.example/2024');
  });
});
