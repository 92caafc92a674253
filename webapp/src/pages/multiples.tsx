/** Every scenario's fused GCC in a small chart of its own, with the camera's and, in grey, all the others'. */
import { COLOURS, scenarioName } from '../ui/words';

export interface Small {
  key: string;
  days: readonly number[];
  values: readonly (number | null)[];
  /** Mean of what it misses of the camera's, and its root mean square; null where no day is common. */
  bias: number | null;
  rmse: number | null;
}

const WIDTH = 220;
const HEIGHT = 84;
/** A line joins neighbours at most this many days apart. */
const BRIDGE = 4;

interface Props {
  curves: readonly Small[];
  camera: Pick<Small, 'days' | 'values'>;
  from: number;
  to: number;
  chosen: string;
  colour: string;
  onChoose: (key: string) => void;
}

export function Multiples({ curves, camera, from, to, chosen, colour, onChoose }: Props) {
  const all = [camera, ...curves].flatMap(({ values }) => values.filter((value): value is number => value !== null));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const path = ({ days, values }: Pick<Small, 'days' | 'values'>) => line(days, values, from, to, low, high);
  const others = curves.map(path).join('');
  return (
    <div class="multiples" role="group" aria-label="One chart a scenario; the pressed one is drawn large">
      {curves.map((curve) => (
        <button
          key={curve.key}
          type="button"
          class="multiple"
          aria-pressed={curve.key === chosen}
          onClick={() => onChoose(curve.key)}
        >
          <span class="multiple-name">{scenarioName(curve.key)}</span>
          <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
            <path d={others} class="multiple-others" />
            <path d={path(camera)} stroke={COLOURS.camera} />
            <path d={path(curve)} stroke={colour} class="multiple-own" />
          </svg>
          <span class="note">{missed(curve)}</span>
        </button>
      ))}
    </div>
  );
}

const missed = ({ bias, rmse }: Small): string =>
  bias === null || rmse === null
    ? 'no day in common'
    : `bias ${bias < 0 ? '−' : '+'}${Math.abs(bias).toFixed(3)}, RMSE ${rmse.toFixed(3)}`;

function line(
  days: readonly number[],
  values: readonly (number | null)[],
  from: number,
  to: number,
  low: number,
  high: number,
): string {
  let last = -Infinity;
  let drawn = '';
  days.forEach((day, i) => {
    const value = values[i];
    if (value === null || value === undefined || day < from || day > to) return;
    const x = ((day - from) / (to - from)) * WIDTH;
    const y = HEIGHT - ((value - low) / (high - low || 1)) * HEIGHT;
    drawn += `${day - last > BRIDGE ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    last = day;
  });
  return drawn;
}
