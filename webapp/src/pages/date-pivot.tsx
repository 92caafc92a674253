/** Dates of a season as a pivot: a row a transition, a column a series, in days from the camera. */
import { toIso } from '../days';
import { go } from '../state';
import { Table } from '../ui/parts';

export interface PivotDate {
  source: string;
  transition: string;
  day: number;
  interval: [number, number] | null;
  how: string;
}

interface Props {
  dates: readonly PivotDate[];
  /** Against which the days off are counted. */
  reference: string;
  sourceWords: (source: string) => string;
  note: string;
}

export function DatePivot({ dates, reference, sourceWords, note }: Props) {
  const sources = [...new Set(dates.map((one) => one.source))];
  const transitions = inSeason(dates);
  const at = new Map(dates.map((one) => [`${one.source} ${one.transition}`, one]));
  return (
    <Table
      caption="Dates with their 95 % intervals"
      heads={['transition', ...sources.map(sourceWords)]}
      note={note}
      rows={transitions.map((transition) => [
        `${transition} %`,
        ...sources.map((source) => {
          const one = at.get(`${source} ${transition}`);
          return one ? <Cell date={one} seen={at.get(`${reference} ${transition}`)?.day} reference={reference} /> : '–';
        }),
      ])}
    />
  );
}

function Cell({ date, seen, reference }: { date: PivotDate; seen: number | undefined; reference: string }) {
  const { source, day, interval, how } = date;
  return (
    <span class="pivot-cell">
      <span>
        <button type="button" class="quiet" onClick={() => go({ date: day })}>
          {toIso(day)}
        </button>{' '}
        {seen !== undefined && source !== reference && <strong>{daysOff(day - seen)}</strong>}
      </span>
      <span class="note">
        {interval && `${toIso(interval[0]).slice(5)} to ${toIso(interval[1]).slice(5)}`}
        {interval && how && ', '}
        {how}
      </span>
    </span>
  );
}

/** Transitions in the order of the season: by their mean day over all series. */
function inSeason(dates: readonly PivotDate[]): string[] {
  const days = new Map<string, number[]>();
  for (const { transition, day } of dates) days.set(transition, [...(days.get(transition) ?? []), day]);
  const mean = (transition: string): number => {
    const all = days.get(transition)!;
    return all.reduce((a, b) => a + b, 0) / all.length;
  };
  return [...days.keys()].sort((a, b) => mean(a) - mean(b));
}

const daysOff = (days: number): string =>
  days === 0 ? 'same day' : `${days > 0 ? '+' : '−'}${Math.abs(days)} ${Math.abs(days) === 1 ? 'day' : 'days'}`;
