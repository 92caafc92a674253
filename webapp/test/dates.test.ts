import { expect, it } from 'vitest';
import { findDates } from '../src/dates';
import { toDay } from '../src/days';

it('dates are found wherever a table has them, with the interval that is known', () => {
  const table = {
    camera: { rising_50: { date: '2024-05-02', lower: '2024-04-28', upper: '2024-05-06', label: 'ok' } },
    fused: [
      {
        falling_50: { date: '2024-10-04', lower: null, upper: '2024-10-09' },
        rising_10: { date: null, lower: null, upper: null },
      },
    ],
    green_up_50pct_date: '2024-05-02',
  };
  expect(findDates(table)).toEqual([
    {
      path: ['camera', 'rising_50'],
      day: toDay('2024-05-02'),
      interval: [toDay('2024-04-28'), toDay('2024-05-06')],
      label: 'ok',
    },
    { path: ['fused', '0', 'falling_50'], day: toDay('2024-10-04'), interval: null, label: '' },
  ]);
});
