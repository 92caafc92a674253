import { describe, expect, it } from 'vitest';
import { dayOfYear, fromDayOfYear, lag, months, nearest, nextScene, roomyMonths, toDay, toIso } from '../src/days';

describe('days', () => {
  it('are UTC on both sides of every change of clocks', () => {
    for (let day = toDay('2024-01-01')!; day <= toDay('2024-12-31')!; day += 1) expect(toDay(toIso(day))).toBe(day);
    expect(toDay('2024-03-31T23:59:59Z')).toBe(toDay('2024-03-31'));
  });

  it.each(['2024-02-30', '2023-02-29', '2024-13-01', '20240101', '', 'soon', null, undefined])('refuse %o', (text) => {
    expect(toDay(text)).toBeNull();
  });

  it('count from 1 January, in leap years too', () => {
    expect(dayOfYear(toDay('2024-12-31')!)).toBe(366);
    expect(toIso(fromDayOfYear(2024, 60))).toBe('2024-02-29');
    expect(toIso(fromDayOfYear(2024, 0))).toBe('2023-12-31');
  });

  it('say how far a shown day is from the wanted one', () => {
    expect([lag(10, 10), lag(12, 10), lag(9, 10)]).toEqual(['same day', '+2 d', '−1 d']);
  });

  it('find the nearest of a sorted list, the earlier of two equally near', () => {
    const days = [10, 14, 20, 21];
    expect([0, 10, 12, 13, 17, 19, 99].map((day) => days[nearest(days, day)])).toEqual([10, 10, 10, 14, 14, 20, 21]);
    expect(nearest([], 5)).toBe(-1);
  });

  it('mark the months between two days, across New Year', () => {
    const marks = months(toDay('2023-11-17')!, toDay('2024-02-14')!);
    expect(marks.map((mark) => `${mark.label} ${toIso(mark.day)}`)).toEqual([
      'Dec 2023-12-01',
      'Jan 2024-01-01',
      'Feb 2024-02-01',
    ]);
  });

  it('leave out month names that would touch on a narrow screen', () => {
    const [from, to] = [toDay('2024-01-01')!, toDay('2024-12-31')!];
    expect(roomyMonths(from, to, 1300).map((mark) => mark.label)).not.toContain('');
    expect(roomyMonths(from, to, 250).map((mark) => mark.label)).toEqual([
      'Jan',
      '',
      'Mar',
      '',
      'May',
      '',
      'Jul',
      '',
      'Sep',
      '',
      'Nov',
      '',
    ]);
  });

  it('jump to the next and the previous scene, also from between', () => {
    const scenes = [10, 14, 20];
    expect([nextScene(scenes, 14, 1), nextScene(scenes, 15, 1), nextScene(scenes, 20, 1)]).toEqual([20, 20, null]);
    expect([nextScene(scenes, 14, -1), nextScene(scenes, 15, -1), nextScene(scenes, 10, -1)]).toEqual([10, 14, null]);
    expect([nextScene(scenes, 99, -1), nextScene(scenes, -99, 1), nextScene([], 5, 1)]).toEqual([20, 10, null]);
  });
});
