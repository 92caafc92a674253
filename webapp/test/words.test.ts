import { expect, test } from 'vitest';
import { isRival, rivalName } from '../src/pages/gap-files';
import { SCENARIO_KEYS, scenarioName, scenarioOf, scenarioShort, sourcesInShort } from '../src/ui/words';

test('every scenario has a name of its own, by its method', () => {
  expect(SCENARIO_KEYS).toHaveLength(12);
  for (const name of [scenarioName, scenarioShort]) {
    expect(new Set(SCENARIO_KEYS.map(name)).size).toBe(12);
  }
  expect(scenarioName('aggressive_sigma20')).toBe('aggressive · σ 20 d · BtI');
  expect(scenarioName('nonaggressive_itb_kriging')).toBe('nonaggressive · kriging · ItB');
  expect(scenarioShort('nonaggressive_itb_kriging')).toBe('non kriging ItB');
});

test('scores name the scenario in the spelling of the contract', () => {
  expect(scenarioOf('aggressive_sigma20_itb')).toBe('aggressive_itb_sigma20');
  expect(scenarioOf('aggressive_itb_kriging')).toBe('aggressive_itb_kriging');
});

test('what archives say of their data is their collections, and "synthetic" where one says so', () => {
  const said = 'sentinel-2-l2a: licence x; Synthetic data | OLCI: licence y';
  expect(sourcesInShort(said)).toBe('synthetic, sentinel-2-l2a, OLCI');
  expect(sourcesInShort('sentinel-2-l2a: licence x')).toBe('sentinel-2-l2a');
});

test('no scenario is a competitor of another one in the gap benchmark, by whichever method', () => {
  expect(SCENARIO_KEYS.filter(isRival)).toEqual([]);
  expect(['nearest', 'linear', 'whittaker', 'harmonic', 'starfm'].every(isRival)).toBe(true);
  expect(rivalName('linear')).toBe('Linear in time');
});
