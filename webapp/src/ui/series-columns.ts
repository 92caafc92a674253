/** Columns of a series as charts take them. */
import type { Column, Series } from '../api';
import { toDay } from '../days';

export function column(series: Series | undefined, key: string): Column {
  return (series?.[key] as Column | undefined) ?? [];
}

export function daysOf(series: Series | undefined): number[] {
  return (series?.date ?? []).map((iso) => toDay(iso)!);
}
