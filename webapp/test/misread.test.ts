import { describe, expect, it } from 'vitest';
import { misread } from '../src/misread';
import { format, parse, START } from '../src/route';

describe('what was not understood of an address', () => {
  it('is nothing in an address that the viewer wrote', () => {
    const route = { ...START, site: 'innsbruck', season: 2024, scenario: 'aggressive_sigma20', date: 19860 };
    const full = { ...route, px: [1, 2] as [number, number], span: [19850, 19900] as [number, number], bands: true };
    const [path, query] = format(full).split('?');
    expect(misread(path!, `?${query}`)).toEqual([]);
    expect(parse(path!, `?${query}`).span).toEqual([19850, 19900]);
  });
  it('is said of a day that is none, a wrong word and an unknown name', () => {
    expect(misread('/innsbruck/2024', '?date=2024-02-30&view=swpie&zoom=3')).toEqual([
      'date=2024-02-30 is not a day like 2024-05-17.',
      'view=swpie is not one of side, swipe, blink, difference.',
      'zoom is not known.',
    ]);
  });
  it('is said of a scenario that is none', () => {
    expect(misread('/innsbruck/2024/agressive_sigma20', '')).toEqual([
      '“agressive_sigma20” is neither a scenario nor a page.',
    ]);
  });
  it('is said of curves that would end before they begin', () => {
    expect(misread('/innsbruck/2024', '?span=2024-06-30,2024-04-01')).toHaveLength(1);
  });
});
