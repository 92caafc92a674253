/** Transition dates wherever a table file has them: any record with a date and the two ends of its interval. */
import { toDay } from './days';

export interface DatedTransition {
  /** Where in the file it stands: source, season, transition. */
  path: string[];
  day: number;
  interval: [number, number] | null;
  label: string;
}

/** All records like `{"date": "2024-05-02", "lower": "2024-04-28", "upper": "2024-05-06", "label": "ok"}` below `value`. */
export function findDates(value: unknown, path: string[] = []): DatedTransition[] {
  if (typeof value !== 'object' || value === null) return [];
  const record = value as Record<string, unknown>;
  const day = typeof record.date === 'string' ? toDay(record.date) : null;
  if (day !== null && 'lower' in record && 'upper' in record) {
    const ends = [record.lower, record.upper].map((end) => (typeof end === 'string' ? toDay(end) : null));
    const known = ends[0] !== null && ends[1] !== null;
    return [
      {
        path,
        day,
        interval: known ? [ends[0]!, ends[1]!] : null,
        label: typeof record.label === 'string' ? record.label : '',
      },
    ];
  }
  return Object.entries(record).flatMap(([key, one]) => findDates(one, [...path, key]));
}
