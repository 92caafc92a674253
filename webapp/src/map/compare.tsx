/** Two pictures on one map: swiped, blinked or subtracted. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type View from 'ol/View';
import { toIso } from '../days';
import { difference, summary, type Frame } from '../raster/frame';
import { differenceStyle } from '../raster/styles';
import type { Source } from '../route';
import { go, hoverPlace, route } from '../state';
import { Legend } from '../ui/legend';
import { DayInput, Select } from '../ui/parts';
import { SOURCE_NAMES } from '../ui/words';
import { MapPanel } from './map';
import { Head, Message, Readout, short, shown, useSeen, type Props, type Seen } from './seen';
import { SwipeLine } from './swipe-line';

const BLINK_MS = 850;

export function Compare({
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
