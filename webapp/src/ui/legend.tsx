/** What the colours mean; the range is fixed over dates and sensors and can be set by hand. */
import { useEffect, useRef } from 'preact/hooks';
import { fromDayOfYear, shortDate } from '../days';
import { colourAt, type Style, type ValueStyle } from '../raster/styles';
import { go, route } from '../state';

interface Props {
  style: Style;
  range?: readonly [number, number] | null;
  /** Let the range be changed. */
  editable?: boolean;
  onFit?: () => void;
  /** Read values as days of this year. */
  year?: number;
  /** The range holds for all dates and sensors. */
  fixed?: boolean;
}

export function Legend({ style, range = null, editable = false, onFit, year, fixed = true }: Props) {
  const bar = useRef<HTMLCanvasElement>(null);
  const [low, high] = range ?? style.range;
  useEffect(() => {
    const context = bar.current?.getContext('2d');
    if (!context || style.kind !== 'value') return;
    for (let x = 0; x < 160; x += 1) {
      context.fillStyle = `rgb(${colourAt(style.ramp, x / 159).join(' ')})`;
      context.fillRect(x, 0, 1, 10);
    }
  }, [style]);
  const words = (value: number): string =>
    year ? shortDate(Math.round(fromDayOfYear(year, value))) : String(Number(value.toPrecision(3)));
  const change = (at: 0 | 1, text: string): void => {
    const value = Number(text);
    const next: [number, number] = at === 0 ? [value, high] : [low, value];
    if (text.trim() !== '' && Number.isFinite(value) && next[0] < next[1]) go({ range: next });
  };
  const end = (at: 0 | 1) =>
    editable ? (
      <input
        key={`${style.key}${at}${at ? high : low}`}
        type="text"
        data-end={at}
        inputMode="decimal"
        size={5}
        value={words(at ? high : low)}
        aria-label={at ? 'Upper end of the colour range' : 'Lower end of the colour range'}
        onChange={(event) => change(at, event.currentTarget.value)}
      />
    ) : (
      <span data-end={at}>{words(at ? high : low)}</span>
    );
  if (style.kind === 'value' && style.classes) return <Classes style={style} classes={style.classes} />;
  return (
    <div class="colour-legend">
      <span class="colour-name">
        {style.label}
        {style.kind === 'value' && style.unit && !year ? `, ${style.unit}` : ''}
      </span>
      {end(0)}
      {style.kind === 'value' ? (
        <canvas
          ref={bar}
          width={160}
          height={10}
          role="img"
          aria-label={`colours from ${words(low)} to ${words(high)}`}
        />
      ) : (
        <span class="arrow">reflectance →</span>
      )}
      {end(1)}
      {editable && onFit && (
        <button
          type="button"
          class="quiet"
          onClick={onFit}
          title="Set the range to what the season holds (2 % to 98 %)"
        >
          Fit season
        </button>
      )}
      {editable && route.value.range && (
        <button type="button" class="quiet" onClick={() => go({ range: null })}>
          Reset
        </button>
      )}
      <span class="note">
        {[style.note, fixed && 'same range on every date and sensor'].filter(Boolean).join(' · ')}
      </span>
    </div>
  );
}

function Classes({ style, classes }: { style: ValueStyle; classes: readonly string[] }) {
  return (
    <ul class="colour-legend classes" aria-label={style.label}>
      {classes.map((words, i) => (
        <li key={words}>
          <span
            class="class-chip"
            style={{ background: `rgb(${colourAt(style.ramp, i / (classes.length - 1)).join(' ')})` }}
          />
          {words}
        </li>
      ))}
    </ul>
  );
}
