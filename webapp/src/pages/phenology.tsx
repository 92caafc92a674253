/** When the season rises and falls: dates on the curves, dates of every pixel, and all sites' dates. */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { fileUrl, getJson, jsonUrl, siteSeries, type Overview, type Season } from '../api';
import type { Mark } from '../chart/chart';
import { findDates, type DatedTransition } from '../dates';
import { fromDayOfYear, shortDate, toIso } from '../days';
import { MapPanel, useSharedView } from '../map/map';
import { quantiles, type Frame } from '../raster/frame';
import { dateStyle, labelStyle, spreadStyle, type ValueStyle } from '../raster/styles';
import { useFrame } from '../raster/use-shown';
import { format, START } from '../route';
import { go, hoverPlace, route, useLoaded } from '../state';
import { Camera } from '../ui/camera';
import { cameraMarks, Curves } from '../ui/curves';
import { Files } from '../ui/files';
import { Legend } from '../ui/legend';
import { Check, Empty, Failure, number, Select, Table } from '../ui/parts';
import { useDateKeys } from '../ui/timeline';
import { COLOURS } from '../ui/words';

export function Phenology({ season, overview }: { season: Season; overview: Overview | null }) {
  const from = fromDayOfYear(season.season, 1);
  const to = fromDayOfYear(season.season + 1, 1) - 1;
  const series = useLoaded(`series/${season.site.name}/${season.season}/${season.scenario}`, () => siteSeries(season.site.name, season.season, season.scenario, 'processed'));
  const marks = useMemo(() => cameraMarks(series.data), [series.data]);
  useDateKeys(from, to, marks.map((mark) => mark.day).sort((a, b) => a - b));
  useEffect(() => {
    if (route.peek().date === null && series.data) go({ date: marks[0]?.day ?? from });
  }, [marks, series.data]);
  const paths = season.tables.map((file) => file.path).filter((path) => /phenology/.test(path) && path.endsWith('.json') && (path.includes(season.scenario) || /phenocam|camera/.test(path)));
  const tables = useLoaded(paths.join() || null, () => Promise.all(paths.map((path) => getJson<unknown>(jsonUrl(path)))));
  const dates = useMemo(() => (tables.data ?? []).flatMap((table) => findDates(table)), [tables.data]);
  const [all, setAll] = useState(false);
  const drawn = useMemo(() => (dates.length ? dates.filter((one) => all || /50/.test(one.path.join())).map(markOf) : undefined), [dates, all]);
  const command = `satfusion materialize ${season.site.name} ${season.season}`;
  return (
    <>
      <h1>Phenology, {season.site.name} {season.season}</h1>
      {series.error ? <Failure error={series.error} /> : <Curves season={season} series={series.data} pixel={null} from={from} to={to} dates={drawn} />}
      {series.data && !marks.length && <Empty title="No transition dates of the camera yet." command={command}>They are found in the camera’s three years of gcc_90.</Empty>}
      {tables.error && <Failure error={tables.error} />}
      {dates.length > 0 && (
        <>
          <Check label="10 and 25 % dates on the curves too" value={all} onChange={setAll} />
          <DateTable dates={dates} />
        </>
      )}
      <DateMaps season={season} command={command}>
        <Camera photos={season.photos} date={route.value.date ?? from} command={command} />
      </DateMaps>
      <AllSites overview={overview} />
      <Files season={season} title="Files" pick={(name) => name.includes('phenology')} />
    </>
  );
}

const COLOUR_OF: [RegExp, string][] = [[/camera|phenocam/, COLOURS.camera], [/fused|fusion/, COLOURS.fused], [/s2|whittaker/, COLOURS.s2], [/s3/, COLOURS.s3]];

function markOf({ path, day, interval }: DatedTransition): Mark {
  const name = path.join(' ');
  return { day, interval, label: name.replaceAll('_', ' '), colour: COLOUR_OF.find(([pattern]) => pattern.test(name))?.[1] ?? '#59636b' };
}

/** Every date with its interval, and how far it is from the camera's of the same transition. */
function DateTable({ dates }: { dates: readonly DatedTransition[] }) {
  const camera = new Map(dates.filter((one) => /camera|phenocam/.test(one.path.join())).map((one) => [one.path.at(-1), one.day]));
  return (
    <Table caption="Dates with their intervals" heads={['series', 'transition', 'date', 'from', 'to', 'days after the camera', 'how']}
      rows={dates.map(({ path, day, interval, label }) => {
        const seen = camera.get(path.at(-1));
        return [
          path.slice(0, -1).join(' ') || '–', path.at(-1)!.replaceAll('_', ' '),
          <button type="button" class="quiet" onClick={() => go({ date: day })}>{toIso(day)}</button>,
          interval ? toIso(interval[0]) : '–', interval ? toIso(interval[1]) : '–', seen === undefined ? '–' : number(day - seen), label,
        ];
      })} />
  );
}

function DateMaps({ season, command, children }: { season: Season; command: string; children: ComponentChildren }) {
  const maps = season.maps.filter((file) => /phenology/.test(file.path) && file.path.includes(season.scenario));
  const nameOf = (path: string): string => path.split('/').at(-1)!.replace(/\.\w+$/, '');
  const names = maps.map((file) => nameOf(file.path));
  const chosen = names.includes(route.value.layer ?? '') ? route.value.layer! : names.find((name) => /rising_50/.test(name)) ?? names[0];
  const other = names.find((name) => name === chosen?.replace('rising', 'falling') && name !== chosen) ?? names.find((name) => name === chosen?.replace('falling', 'rising') && name !== chosen);
  const pathOf = (name: string): string => maps[names.indexOf(name)]!.path;
  const view = useSharedView(season);
  if (!chosen) {
    return (
      <div class="maps compare">
        <Empty title={`No date maps of ${season.site.name} ${season.season} under this scenario yet.`} command={command}>They give the 10, 25 and 50 % dates of every 10 m pixel with their intervals.</Empty>
        {children}
      </div>
    );
  }
  return (
    <section aria-label="Date maps">
      <div class="toolbar">
        <h2>Dates of every pixel</h2>
        <Select label="Layer" value={chosen} options={names.map((name) => [name, name.replaceAll('_', ' ')] as const)} onChange={(layer) => go({ layer, range: null })} />
        <a href={fileUrl(pathOf(chosen))} download>GeoTIFF</a>
        <span class="note">Click a map: that pixel’s season in Explore is one step away.</span>
        {route.value.px && <button type="button" class="quiet" onClick={() => go({ page: 'explore' }, true)}>Season of the chosen pixel</button>}
      </div>
      <div class="maps" data-count="2">
        <DateMap key={chosen} name={chosen} path={pathOf(chosen)} season={season} view={view} />
        {other && <DateMap key={other} name={other} path={pathOf(other)} season={season} view={view} />}
        {children}
      </div>
    </section>
  );
}

function DateMap({ name, path, season, view }: { name: string; path: string; season: Season; view: ReturnType<typeof useSharedView> }) {
  const state = useFrame(path);
  const style = useMemo(() => (state.frame ? styleOf(name, state.frame) : null), [state.frame, name]);
  const place = hoverPlace.value ?? route.value.px;
  const value = state.frame && place ? state.frame.at(state.frame.locate(place[0], place[1]), 'value') : NaN;
  const isDate = style?.unit === 'day of year';
  const words = Number.isNaN(value) ? (place ? 'no date here' : ' ') : isDate ? `${shortDate(Math.round(fromDayOfYear(season.season, value)))} (day ${value.toFixed(1)})` : style?.classes?.[value] ?? number(value);
  return (
    <div class="panel" data-source={name}>
      <h2 class="panel-head">{name.replaceAll('_', ' ')}</h2>
      <MapPanel name={name} view={view} season={season} base={state.frame && style && { frame: state.frame, style, range: null }} day={name} message={state.error && <Failure error={state.error} />} />
      <p class="readout">{words}</p>
      {style && <Legend style={style} year={isDate ? season.season : undefined} fixed={false} />}
    </div>
  );
}

/** Dates are drawn over the range that they span here; intervals in days from 0; labels as classes. */
function styleOf(name: string, frame: Frame): ValueStyle {
  const label = name.replaceAll('_', ' ');
  if (/label/.test(name)) return labelStyle(name, label);
  const [low, high] = quantiles([frame.planes[0]!], [0.02, 0.98]) as [number, number];
  if (/width|interval|spread|seasons/.test(name)) return spreadStyle(name, label, Math.max(1, Math.ceil(high)));
  return dateStyle(name, label, [Math.floor(low) - 1, Math.ceil(high) + 1]);
}

function AllSites({ overview }: { overview: Overview | null }) {
  if (!overview) return null;
  const rows = overview.sites.flatMap((site) => site.seasons.filter((one) => one.transitions).map((one) => {
    const target = { ...START, site: site.name, season: one.season, page: 'phenology' as const };
    const up = one.transitions!.green_up_50pct_date;
    const down = one.transitions!.green_down_50pct_date;
    const length = up && down ? Math.round((Date.parse(down) - Date.parse(up)) / 86_400_000) : null;
    return [<a href={format(target)}>{site.name}</a>, one.season, site.vegetation_type || '–', up ?? '–', down ?? '–', number(length)];
  }));
  return rows.length ? <Table caption="Camera, 50 % dates of all sites" heads={['site', 'season', 'vegetation', 'green-up', 'green-down', 'days between']} rows={rows} /> : null;
}

