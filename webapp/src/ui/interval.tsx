/** A number with its interval, as text and as a bar on the scale of its column. */
import { number } from './parts';

const WIDTH = 92;
const HEIGHT = 10;

type Ends = readonly [number, number] | null | undefined;

/** The range that holds all values and intervals of a column. */
export function span(values: readonly (readonly [number | null | undefined, Ends])[]): [number, number] {
  const all = values
    .flatMap(([value, ends]) => [value, ...(ends ?? [])])
    .filter((one): one is number => typeof one === 'number');
  return [Math.min(...all), Math.max(...all)];
}

interface Props {
  value: number | null | undefined;
  ends: Ends;
  within: readonly [number, number];
  digits: number;
  /** The best of its column. */
  top?: boolean;
}

export function Interval({ value, ends, within: [low, high], digits, top = false }: Props) {
  if (typeof value !== 'number') return <>–</>;
  const x = (at: number): number => 4 + ((at - low) / (high - low || 1)) * (WIDTH - 8);
  const words = number(value, digits);
  return (
    <span class="interval">
      <svg width={WIDTH} height={HEIGHT} aria-hidden="true">
        <line x1={0} x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} class="interval-scale" />
        {ends && <line x1={x(ends[0])} x2={x(ends[1])} y1={HEIGHT / 2} y2={HEIGHT / 2} class="interval-bar" />}
        <circle cx={x(value)} cy={HEIGHT / 2} r={3.5} class="interval-dot" />
      </svg>
      <span>
        {top ? (
          <strong class="top-score" title="best of this table">
            {words} ★
          </strong>
        ) : (
          words
        )}
        {ends && (
          <span class="aside">
            {' '}
            ({number(ends[0], digits)}–{number(ends[1], digits)})
          </span>
        )}
      </span>
    </span>
  );
}
