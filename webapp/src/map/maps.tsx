/** The maps of a season: side by side, swiped, blinked or subtracted, always on one view. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type View from 'ol/View';
import type { Season } from '../api';
import { lag, toDay, toIso } from '../days';
import { difference, quantiles, summary, type Frame } from '../raster/frame';
import { address, load } from '../raster/store';
import { differenceStyle, type Style } from '../raster/styles';
import { nearestFile, useFrame, type FrameState } from '../raster/use-shown';
import type { Source, Stage } from '../route';
import { go, hoverPlace, route } from '../state';
import { Legend } from '../ui/legend';
import { Scenarios } from './scenarios';
import { SwipeLine } from './swipe-line';
import { DayInput, number, Select } from '../ui/parts';
import { COLOURS, SOURCE_NAMES } from '../ui/words';
import { layerOf, styleFor } from './choose';
import { fitView, forgetPlace, MapPanel, useSharedView, type Shown } from './map';

const BLINK_MS = 850;

export function sourcesOf(stage: Stage): Source[] {
  if (stage === 'raw') return ['s2', 'scl', 's3'];
  return stage === 'prepared' ? ['s2', 'distance', 's3'] : ['s2', 'fused', 's3'];
}

interface Props {
  season: Season;
  stage: Stage;
  days: Partial<Record<Source, number[]>>;
  date: number;
}

interface Seen extends FrameState {
  source: Source;
  day: number | null;
  style: Style;
}

/** What `source` shows on `date`: the nearest day there is. */
function useSeen({ season, stage, days }: Omit<Props, 'date'>, source: Source, date: number): Seen {
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

function shown(seen: Seen, range: [number, number] | null): Shown | null {
  return (
    seen.frame && { frame: seen.frame, style: seen.style, range: seen.style.key === route.value.style ? range : null }
  );
}

export function Maps({ children, ...props }: Props & { children: ComponentChildren }) {
  const { season, stage } = props;
  const view = useSharedView(season);
  const mode = route.value.view;
  const sources = sourcesOf(stage);
  const rival = sources.includes('fused') && mode === 'side' ? route.value.beside : null;
  const reset = (): void => {
    const box = document.querySelector('.map-box');
    forgetPlace();
    go({ at: null });
    if (box) fitView(view, season, box.clientWidth, box.clientHeight);
  };
  return (
    <section class="maps-section" aria-label="Maps">
      {rival ? (
        <Scenarios {...props} rival={rival} view={view} />
      ) : mode === 'side' ? (
        <div class="maps" data-count={sources.length}>
          {sources.map((source) => (
            <Side key={source} {...props} source={source} view={view} />
          ))}
          {children}
        </div>
      ) : (
        <Compare {...props} view={view} sources={sources}>
          {children}
        </Compare>
      )}
      {mode === 'side' && !rival && <SideLegend {...props} />}
      <div class="map-tools">
        <button type="button" class="quiet" onClick={() => zoom(view, 0.6)} aria-label="Zoom in">
          +
        </button>
        <button type="button" class="quiet" onClick={() => zoom(view, 1 / 0.6)} aria-label="Zoom out">
          −
        </button>
        <button type="button" class="quiet" onClick={reset}>
          Whole site
        </button>
        <Scale view={view} />
        <Place season={season} />
      </div>
    </section>
  );
}

function zoom(view: View, factor: number): void {
  const resolution = view.getResolution();
  const center = view.getCenter();
  if (!resolution || !center) return;
  view.setResolution(resolution * factor);
  go({ at: [Math.round(center[0]!), Math.round(center[1]!), Number((resolution * factor).toFixed(2))] });
}

function Side({ source, view, ...props }: Props & { source: Source; view: View }) {
  const seen = useSeen(props, source, props.date);
  return (
    <div class="panel" data-source={source}>
      <Head seen={seen} date={props.date} quantity={source === 's3' ? props.season.coarse_quantity : null} />
      <MapPanel
        name={SOURCE_NAMES[source]}
        view={view}
        season={props.season}
        base={shown(seen, route.value.range)}
        day={seen.day === null ? '' : toIso(seen.day)}
        message={<Message seen={seen} />}
      />
      <Readout seen={seen} />
    </div>
  );
}

function Head({
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

function Message({ seen }: { seen: Seen }) {
  if (seen.error)
    return (
      <div class="notice failure" role="alert">
        <strong>Not shown.</strong> {seen.error.message}
      </div>
    );
  if (seen.day === null) return <p>No {SOURCE_NAMES[seen.source]} product here.</p>;
  return null;
}

function Readout({ seen }: { seen: Seen }) {
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
const short = (value: number): string => (Number.isNaN(value) ? '–' : number(value, 3));

function SideLegend(props: Props) {
  const fused = useSeen(props, sourcesOf(props.stage)[1]!, props.date);
  const s2 = useSeen(props, 's2', props.date);
  const main = layerOf(props.season, route.value.style) ? fused.style : s2.style;
  const others = [s2.style, fused.style].filter(
    (style, i, all) => style.key !== main.key && all.findIndex((o) => o.key === style.key) === i,
  );
  return (
    <div class="legends">
      <Legend
        style={main}
        range={main.key === route.value.style ? route.value.range : null}
        editable
        onFit={() => void fitSeason(props, main)}
      />
      {others.map((style) => (
        <Legend key={style.key} style={style} />
      ))}
    </div>
  );
}

/** Set the range to the 2 % and 98 % quantiles of nine days of the season; it then holds for all dates. */
async function fitSeason({ season, stage, days }: Props, style: Style): Promise<void> {
  const layer = layerOf(season, style.key);
  const source: Source = (['fused', 's2', 's3'] as const).find((one) => days[one]?.length) ?? 's2';
  const count = layer ? layer.days.length : days[source]!.length;
  const picks = Array.from({ length: Math.min(9, count) }, (_, i) =>
    Math.floor(((i + 0.5) * count) / Math.min(9, count)),
  );
  const daily = season.stages[stage][source];
  const urls = picks.map((i) =>
    layer ? address(layer.path, layer.bands[i]) : address(`${daily!.folder}/${daily!.names[i]}`),
  );
  const frames = await Promise.all(urls.map(load));
  const planes = frames.flatMap((frame) =>
    style.kind === 'colour' ? style.bands.map((q) => frame.plane(q)) : [frame.plane(style.quantity)],
  );
  const [low, high] = quantiles(planes, [0.02, 0.98]);
  if (low! < high!) go({ range: [Number(low!.toPrecision(3)), Number(high!.toPrecision(3))] });
}

function Compare({
  view,
  sources,
  children,
  ...props
}: Props & { view: View; sources: Source[]; children: ComponentChildren }) {
  const { a: wantedA, b: wantedB, bDate, view: mode } = route.value;
  const a = sources.includes(wantedA) ? wantedA : sources[0]!;
  const b = sources.includes(wantedB) ? wantedB : sources[1]!;
  const seenA = useSeen(props, a, props.date);
  const seenB = useSeen(props, b, bDate ?? props.date);
  const blink = useBlink(mode === 'blink');
  const options = sources.map((source) => [source, SOURCE_NAMES[source]] as const);
  return (
    <>
      <div class="toolbar" role="group" aria-label="What is compared">
        <Select label="A" value={a} options={options} onChange={(value) => go({ a: value })} />
        <Select label="B" value={b} options={options} onChange={(value) => go({ b: value })} />
        <label class="field">
          <span>B on</span>
          <DayInput label="Day of B, as YYYY-MM-DD" day={bDate ?? props.date} onChange={(day) => go({ bDate: day })} />
        </label>
        {bDate === null ? (
          <button
            type="button"
            class="quiet"
            onClick={() => go({ bDate: props.date })}
            title="B stays on this day while A moves"
          >
            Pin B to this day
          </button>
        ) : (
          <button type="button" class="quiet" onClick={() => go({ bDate: null })}>
            B on A’s day
          </button>
        )}
        {mode === 'blink' && (
          <button type="button" aria-pressed={blink.running} onClick={blink.toggle}>
            {blink.running ? 'Stop blinking' : 'Blink'}
          </button>
        )}
        {mode === 'blink' && !blink.running && (
          <button type="button" onClick={blink.flip}>
            Show {blink.second ? 'A' : 'B'}
          </button>
        )}
      </div>
      <div class="maps compare">
        {mode === 'difference' ? (
          <Difference {...props} view={view} a={seenA} b={seenB} bDate={bDate ?? props.date} />
        ) : (
          <Together
            {...props}
            view={view}
            a={seenA}
            b={seenB}
            second={mode === 'blink' ? blink.second : null}
            bDate={bDate ?? props.date}
          />
        )}
        {children}
      </div>
    </>
  );
}

/** One map with two pictures: split by the swipe, or the one or the other. */
function Together({
  season,
  view,
  a,
  b,
  second,
  date,
  bDate,
}: Props & { view: View; a: Seen; b: Seen; second: boolean | null; bDate: number }) {
  const range = route.value.range;
  const swipe = second === null;
  const base = swipe || !second ? a : b;
  return (
    <div class="panel wide" data-source="compare" data-blink={second === null ? undefined : second ? 'b' : 'a'}>
      <div class="compare-heads">
        <Head seen={a} date={date} letter="A" />
        <Head seen={b} date={bDate} letter="B" />
      </div>
      <MapPanel
        name={
          swipe
            ? `${SOURCE_NAMES[a.source]} left, ${SOURCE_NAMES[b.source]} right of the line`
            : SOURCE_NAMES[base.source]
        }
        view={view}
        season={season}
        base={shown(base, range)}
        over={swipe ? shown(b, range) : null}
        day={base.day === null ? '' : toIso(base.day)}
        message={<Message seen={base} />}
      >
        {swipe && <SwipeLine />}
        {!swipe && (
          <span class="blink-word" aria-live="off">
            {second ? `B: ${SOURCE_NAMES[b.source]}` : `A: ${SOURCE_NAMES[a.source]}`}
          </span>
        )}
      </MapPanel>
      <div class="compare-heads">
        <Readout seen={a} />
        <Readout seen={b} />
      </div>
      <Legend style={a.style} range={range} editable />
    </div>
  );
}

function Difference({ season, view, a, b, date, bDate }: Props & { view: View; a: Seen; b: Seen; bDate: number }) {
  const style = differenceStyle(a.style);
  const quantity = a.style.kind === 'colour' ? 'gcc' : a.style.quantity;
  const frame = useMemo(
    () =>
      a.frame && b.frame && b.frame.has(quantity) && a.frame.has(quantity)
        ? difference(a.frame, b.frame, quantity)
        : null,
    [a.frame, b.frame, quantity],
  );
  const sums = useMemo(() => frame && summary(frame.planes[0]!), [frame]);
  const range = route.value.range;
  const missing = a.error ?? b.error;
  return (
    <div class="panel wide" data-source="difference">
      <div class="compare-heads">
        <Head seen={a} date={date} letter="A" />
        <Head seen={b} date={bDate} letter="B" />
      </div>
      <MapPanel
        name="A minus B"
        view={view}
        season={season}
        base={frame && { frame, style, range }}
        day={a.day === null ? '' : toIso(a.day)}
        message={
          missing ? (
            <Message seen={a.error ? a : b} />
          ) : (
            !frame && <p>Both need a product on their day, in the same quantity.</p>
          )
        }
      />
      <Numbers frame={frame} sums={sums} />
      <Legend style={style} range={range} editable />
    </div>
  );
}

function Numbers({ frame, sums }: { frame: Frame | null; sums: ReturnType<typeof summary> | null }) {
  const place = hoverPlace.value ?? route.value.px;
  if (!frame || !sums) return <p class="readout">&nbsp;</p>;
  const here = place ? frame.at(frame.locate(place[0], place[1]), 'value') : NaN;
  return (
    <p class="readout">
      <span>mean {short(sums.mean)} </span>
      <span>MAE {short(sums.mae)} </span>
      <span>RMSE {short(sums.rmse)} </span>
      <span>n {sums.n} </span>
      {place && <span>here {short(here)}</span>}
    </p>
  );
}

function useBlink(active: boolean): { second: boolean; running: boolean; toggle: () => void; flip: () => void } {
  const [second, setSecond] = useState(false);
  const [running, setRunning] = useState(() => !matchMedia('(prefers-reduced-motion: reduce)').matches);
  useEffect(() => {
    if (!active || !running) return undefined;
    const timer = setInterval(() => setSecond((before) => !before), BLINK_MS);
    return () => clearInterval(timer);
  }, [active, running]);
  return { second, running, toggle: () => setRunning(!running), flip: () => setSecond(!second) };
}

/** A bar of round length. */
function Scale({ view }: { view: View }) {
  const [resolution, setResolution] = useState(view.getResolution() ?? 5);
  useEffect(() => {
    const changed = (): void => setResolution(view.getResolution() ?? 5);
    view.on('change:resolution', changed);
    changed();
    return () => view.un('change:resolution', changed);
  }, [view]);
  const target = resolution * 90;
  const power = 10 ** Math.floor(Math.log10(target));
  const length = [5, 2, 1].map((m) => m * power).find((m) => m <= target) ?? power;
  return (
    <span class="scale">
      <span class="scale-bar" style={{ width: `${length / resolution}px` }} />
      {length >= 1000 ? `${length / 1000} km` : `${length} m`}
    </span>
  );
}

function Place({ season }: { season: Season }) {
  const place = hoverPlace.value;
  return (
    <span class="note place">
      EPSG:{season.epsg}
      {place ? ` · ${place[0].toFixed(0)} E ${place[1].toFixed(0)} N` : ''}
    </span>
  );
}
