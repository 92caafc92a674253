import { describe, expect, it } from 'vitest';
import type { Layer, Season } from '../src/api';
import { differenceName, styleFor, styleKey } from '../src/map/choose';

const season = (scenario: string, keys: string[] = []): Season =>
  ({
    scenario,
    quality: keys.map((key): Layer => ({ key, label: key, unit: '', explanation: '' }) as Layer),
  }) as Season;

describe('the difference view', () => {
  it('is named by what it shows where the style is a colour', () => {
    const one = season('aggressive_sigma20', ['days_to_scene']);
    expect(differenceName(one, 'fusion', 'true')).toBe('Difference of GCC');
    expect(differenceName(one, 'raw', 'nonsense')).toBe('Difference of GCC');
    for (const style of ['b8a', 'gcc', 'days_to_scene'])
      expect(differenceName(one, 'fusion', style)).toBe('Difference');
    expect(differenceName(season('aggressive_itb_sigma20'), 'fusion', 'true')).toBe('Difference');
  });
});

describe('the style of an address', () => {
  it.each(['standard_deviation', 'days_to_scene', 'nonsense'])(
    'that is no option here, %s, is named as it is drawn',
    (wanted) => {
      for (const stage of ['raw', 'prepared', 'processed'] as const) {
        const one = season('aggressive_sigma20');
        expect(styleKey(one, stage, wanted)).toBe(styleFor(wanted, 's2', null, one).key);
      }
    },
  );

  it('is GCC where nothing else was fused', () => {
    expect(styleKey(season('aggressive_itb_sigma20'), 'processed', 'true')).toBe('gcc');
    expect(styleKey(season('aggressive_itb_sigma20'), 'raw', 'true')).toBe('true');
  });

  it('is a quality layer where there is one', () => {
    const one = season('aggressive_sigma20', ['days_to_scene']);
    expect(styleKey(one, 'processed', 'days_to_scene')).toBe('days_to_scene');
    expect(styleKey(one, 'raw', 'days_to_scene')).toBe('true');
  });
});
