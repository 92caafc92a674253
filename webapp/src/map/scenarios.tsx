/** One day under two scenarios: values and standard deviations, each pair on one colour scale. */
import { useMemo } from 'preact/hooks';
import type View from 'ol/View';
import { season as loadSeason, type Layer, type Season } from '../api';
import { toDay, toIso } from '../days';
import type { Style } from '../raster/styles';
import { useDays, useFrame } from '../raster/use-shown';
import type { Stage } from '../route';
import { hoverPlace, route, useLoaded } from '../state';
import { Legend } from '../ui/legend';
import { Failure, number } from '../ui/parts';
import { COLOURS, scenarioName, scenarioShort } from '../ui/words';
import { deviationOf, deviationStyle, layerOf, styleFor, styleKey, withUnit } from './choose';
import { MapPanel } from './map';

interface Props {
  season: Season;
  rival: string;
  stage: Stage;
  date: number;
  view: View;
}

export function Scenarios({ season, rival, stage, date, view }: Props) {
  const { site, season: year } = season;
  const other = useLoaded(`season/${site.name}/${year}/${rival}`, () => loadSeason(site.name, year, rival), true);
  const wanted = styleKey(season, stage, route.value.style);
  const style = withUnit(styleFor(wanted, 'fused', null, season));
  const deviation = deviationOf(season, wanted) ?? (other.data ? deviationOf(other.data, wanted) : undefined);
  const common = { stage, date, view, wanted };
  return (
    <>
      <div class="maps" data-count={4} data-with={rival}>
        <Pair {...common} letter="A" season={season} />
        {other.data && <Pair {...common} letter="B" season={other.data} />}
        {other.error && <Failure error={other.error} />}
      </div>
      <div class="legends">
        <Legend style={style} range={route.value.range} editable />
        {deviation && <Legend style={deviationStyle(deviation)} />}
        <span class="note">Checkerboard: no estimate. A and B share each scale.</span>
      </div>
    </>
  );
}

interface PairProps {
  season: Season;
  letter: 'A' | 'B';
  stage: Stage;
  date: number;
  view: View;
  wanted: string;
}

function Pair({ season, letter, stage, date, view, wanted }: PairProps) {
  const daily = season.stages[stage].fused;
  const index = useDays(daily).indexOf(date);
  const layer = layerOf(season, wanted);
  // Index-then-Blend fuses GCC alone: its GCC in place of a band would stand under the band's scale.
  const fusesIt = styleKey(season, stage, wanted) === wanted;
  const file = index < 0 || !fusesIt ? null : `${daily!.folder}/${daily!.names[index]}`;
  const value = usePlane(layer, date, file);
  const spread = deviationOf(season, wanted);
  const deviation = usePlane(spread, date, null);
  const nothing = fusesIt ? 'No estimate on this day.' : 'This scenario fuses GCC alone; show GCC to compare.';
  // Where the scenario has no value of the day, a deviation would stand for nothing that is shown.
  const none = value.path === null;
  const place = { season, view, date, letter };
  return (
    <>
      <Panel
        {...place}
        what="value"
        state={value}
        style={withUnit(styleFor(wanted, 'fused', value.frame, season))}
        range={route.value.range}
        missing={nothing}
      />
      <Panel
        {...place}
        what="deviation"
        state={none ? NOTHING : deviation}
        style={spread ? deviationStyle(spread) : null}
        range={null}
        missing={spread || !fusesIt ? nothing : 'No deviation of this; show a band, or GCC under Index-then-Blend.'}
      />
    </>
  );
}

type Plane = ReturnType<typeof useFrame> & { path: string | null };
const NOTHING: Plane = { frame: null, error: null, url: null, path: null };

/** The frame of exactly that day: a neighbour's would hide that there is no estimate. */
function usePlane(layer: Layer | undefined, date: number, file: string | null): Plane {
  const days = useMemo(() => layer?.days.map((iso) => toDay(iso)!) ?? [], [layer]);
  const band = layer?.bands[days.indexOf(date)];
  const path = layer ? (band ? layer.path : null) : file;
  return { ...useFrame(path, band), path };
}

interface PanelProps {
  season: Season;
  view: View;
  date: number;
  letter: 'A' | 'B';
  what: 'value' | 'deviation';
  state: Plane;
  style: Style | null;
  range: [number, number] | null;
  missing: string;
}

function Panel({ season, view, date, letter, what, state, style, range, missing }: PanelProps) {
  const words = `${letter}: ${scenarioName(season.scenario)}`;
  const { frame, error } = state;
  const place = hoverPlace.value ?? route.value.px;
  const at = frame && place ? frame.locate(place[0], place[1]) : -1;
  const here = style?.kind === 'value' && frame && at >= 0 ? frame.at(at, style.quantity) : null;
  return (
    <div class="panel" data-source={`${letter.toLowerCase()}-${what}`}>
      <h2 class="panel-head">
        <span class="dot" style={{ background: COLOURS.fused }} aria-hidden="true" />
        {`${letter}: ${scenarioShort(season.scenario)}`}
        <span class="style-name">{what === 'deviation' ? 'standard deviation' : style!.label}</span>
      </h2>
      <MapPanel
        name={`${words}, ${what === 'deviation' ? 'standard deviation' : 'value'}`}
        view={view}
        season={season}
        base={useMemo(() => frame && style && { frame, style, range }, [frame, style, range])}
        day={frame ? toIso(date) : ''}
        message={
          error ? (
            <div class="notice failure" role="alert">
              <strong>Not shown.</strong> {error.message}
            </div>
          ) : (
            state.path === null && <p>{missing}</p>
          )
        }
      />
      <p class="readout">{here === null ? '\u00a0' : Number.isNaN(here) ? 'no estimate' : number(here, 4)}</p>
    </div>
  );
}
