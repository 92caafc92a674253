/** Days are whole numbers since 1970-01-01 UTC; local time never enters. */

const DAY_MS = 86_400_000;
/** Least space of a month's name. */
const ROOM_PX = 27;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Day number of an ISO date (a time after it is dropped), or null when it is none. */
export function toDay(iso: string | null | undefined): number | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(iso ?? '');
  if (!found) return null;
  const time = Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3]));
  const day = time / DAY_MS;
  return toIso(day) === found[0] ? day : null;
}

export function toIso(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

export function dayOfYear(day: number): number {
  const year = new Date(day * DAY_MS).getUTCFullYear();
  return day - Date.UTC(year, 0, 1) / DAY_MS + 1;
}

/** Day number of a day of year (1 = 1 January), also outside 1-366. */
export function fromDayOfYear(year: number, doy: number): number {
  return Date.UTC(year, 0, 1) / DAY_MS + doy - 1;
}

/** "12 May" */
export function shortDate(day: number): string {
  const date = new Date(day * DAY_MS);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

/** First days of the months within [from, to], with their names. */
export function months(from: number, to: number): { day: number; label: string }[] {
  const marks = [];
  const start = new Date(from * DAY_MS);
  for (let m = start.getUTCMonth(); ; m += 1) {
    const day = Date.UTC(start.getUTCFullYear(), m, 1) / DAY_MS;
    if (day > to) return marks;
    if (day >= from) marks.push({ day, label: MONTHS[((m % 12) + 12) % 12]! });
  }
}

/** The same with every label that would touch the one before it left out; `width` is that of the whole span in pixels. */
export function roomyMonths(from: number, to: number, width: number): { day: number; label: string }[] {
  const every = Math.ceil((ROOM_PX * (to - from)) / (30 * width));
  return months(from, to).map((month, i) => (i % every ? { ...month, label: '' } : month));
}

/** "same day", "+2 d", "-1 d": how far a shown day is from the wanted one. */
export function lag(shown: number, wanted: number): string {
  const d = shown - wanted;
  return d === 0 ? 'same day' : `${d > 0 ? '+' : '−'}${Math.abs(d)} d`;
}

/** Index of the value nearest to `day` in ascending `days`; the earlier on a tie; -1 when empty. */
export function nearest(days: readonly number[], day: number): number {
  if (!days.length) return -1;
  let low = 0;
  let high = days.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (days[middle]! < day) low = middle + 1;
    else high = middle;
  }
  return low > 0 && day - days[low - 1]! <= Math.abs(days[low]! - day) ? low - 1 : low;
}

/** The nearest scene after (1) or before (-1) `day`. */
export function nextScene(scenes: readonly number[], day: number, sign: 1 | -1): number | null {
  const at = nearest(scenes, day);
  if (at < 0) return null;
  for (let i = Math.max(0, at - 1); i < scenes.length && sign === 1; i += 1) if (scenes[i]! > day) return scenes[i]!;
  for (let i = Math.min(scenes.length - 1, at + 1); i >= 0 && sign === -1; i -= 1)
    if (scenes[i]! < day) return scenes[i]!;
  return null;
}
