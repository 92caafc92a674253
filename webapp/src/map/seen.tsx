/** What one source shows on a day, and how a panel says so. */
import { useMemo } from 'preact/hooks';
import type { Season } from '../api';
import { lag, toDay, toIso } from '../days';
import type { Style } from '../raster/styles';
import { nearestFile, useFrame, type FrameState } from '../raster/use-shown';
import type { Source, Stage } from '../route';
import { hoverPlace, route } from '../state';
import { number } from '../ui/parts';
import { COLOURS, SOURCE_NAMES } from '../ui/words';
import { layerOf, styleFor } from './choose';
import type { Shown } from './map';

export function sourcesOf(stage: Stage): Source[] {
  if (stage === 'raw') return ['s2', 'scl', 's3'];
  return stage === 'prepared' ? ['s2', 'distance', 's3'] : ['s2', 'fused', 's3'];
}

export interface Props {
  season: Season;
  stage: Stage;
  days: Partial<Record<Source, number[]>>;
  date: number;
}

export interface Seen extends FrameState {
  source: Source;
  day: number | null;
  style: Style;
}

/** What `source` shows on `date`: the nearest day there is. */
export function useSeen({ season, stage, days }: Omit<Props, 'date'>, source: Source, date: number): Seen {
  const wanted = route.value.style;
  const layer = source === 'fused' ? layerOf(season, wanted) : undefined;
  const file = nearestFile(season.stages[stage][source], days[source] ?? [], date);
  const layerDays = useMemo(() => layer?.days.map((iso) => toDay(iso)!) ?? [], [layer]);
  const band = layer ? layer.bands[layerDays.indexOf(date)] : undefined;
  const path = layer ? (band ? layer.path : null) : file.path;
  const state = useFrame(path, band);
  return {
    ...state,
    source,
    day: layer ? (band ? date : null) : file.day,
    style: styleFor(wanted, source, state.frame, season),
  };
}

export function shown(seen: Seen, range: [number, number] | null): Shown | null {
  return (
    seen.frame && { frame: seen.frame, style: seen.style, range: seen.style.key === route.value.style ? range : null }
  );
}

export function Head({
  seen,
  date,
  letter,
  quantity = null,
}: {
  seen: Seen;
  date: number;
  letter?: string;
  quantity?: string | null;
}) {
  const { day, source, style } = seen;
  const asked = route.value.style;
  return (
    <h2 class="panel-head">
      <span class="dot" style={{ background: COLOURS[source] }} aria-hidden="true" />
      {letter && `${letter}: `}
      {SOURCE_NAMES[source]}
      {day === null ? (
        <span class="lag off">no day</span>
      ) : (
        <span class={day === date ? 'lag' : 'lag off'}>
          {toIso(day)}
          {day === date ? '' : ` (${lag(day, date)})`}
        </span>
      )}
      {style.key !== asked && style.label !== SOURCE_NAMES[source] && <span class="style-name">{style.label}</span>}
      {quantity && (
        <abbr class="style-name" title={quantity}>
          {quantity.startsWith('top-of-atmosphere') ? 'TOA' : 'surface'}
        </abbr>
      )}
    </h2>
  );
}

export function Message({ seen }: { seen: Seen }) {
  if (seen.error)
    return (
      <div class="notice failure" role="alert">
        <strong>Not shown.</strong> {seen.error.message}
      </div>
    );
  if (seen.day === null) return <p>No {SOURCE_NAMES[seen.source]} product here.</p>;
  return null;
}

export function Readout({ seen }: { seen: Seen }) {
  const place = hoverPlace.value ?? route.value.px;
  const frame = seen.frame;
  if (!place || !frame) return <p class="readout">&nbsp;</p>;
  const at = frame.locate(place[0], place[1]);
  if (at < 0) return <p class="readout">outside</p>;
  const words = frame.isReflectance
    ? (['b02', 'b03', 'b04', 'b8a', 'ndvi', 'gcc'] as const).map((q) => `${q.toUpperCase()} ${short(frame.at(at, q))}`)
    : [`${seen.style.label} ${inWords(seen.style, frame.at(at, 'value'))}`];
  return (
    <p class="readout">
      {words.map((one) => (
        <span key={one}>{one} </span>
      ))}
    </p>
  );
}

const inWords = (style: Style, value: number): string =>
  (style.kind === 'value' && style.classes?.[value]) || short(value);
export const short = (value: number): string => (Number.isNaN(value) ? '–' : number(value, 3));
