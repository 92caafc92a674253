/** When the season rises and falls: dates on the curves, dates of every pixel, and all sites' dates. */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { fileUrl, getJson, jsonUrl, siteSeries, type Overview, type Season } from '../api';
import type { Mark } from '../chart/chart';
import { findDates, type DatedTransition } from '../dates';
import { fromDayOfYear, shortDate, toDay } from '../days';
import { MapPanel, useSharedView } from '../map/map';
import { Frame, quantiles } from '../raster/frame';
import { DATE_LABELS, dateStyle, labelStyle, spreadStyle, type ValueStyle } from '../raster/styles';
import { useFrame } from '../raster/use-shown';
import { START } from '../route';
import { go, hoverPlace, route, useLoaded } from '../state';
import { Camera } from '../ui/camera';
import { cameraMarks, Curves, isEmpty } from '../ui/curves';
import { Files } from '../ui/files';
import { Legend } from '../ui/legend';
import { Link } from '../ui/link';
import { Check, Empty, Failure, number, Select, Table } from '../ui/parts';
import { saveSnapshot } from '../ui/snapshot';
import { useDateKeys } from '../ui/timeline';
import { COLOURS } from '../ui/words';
import { DatePivot, type PivotDate } from './date-pivot';

export function Phenology({ season, overview }: { season: Season; overview: Overview | null }) {
  const from = fromDayOfYear(season.season, 1);
  const to = fromDayOfYear(season.season + 1, 1) - 1;
  const series = useLoaded(`series/${season.site.name}/${season.season}/${season.scenario}`, () =>
    siteSeries(season.site.name, season.season, season.scenario, 'processed'),
  );
  const marks = useMemo(() => cameraMarks(series.data), [series.data]);
  useDateKeys(
    from,
    to,
    marks.map((mark) => mark.day).sort((a, b) => a - b),
  );
  useEffect(() => {
    if (route.peek().date === null && series.data) go({ date: marks[0]?.day ?? from });
  }, [marks, series.data]);
  const paths = season.tables
    .map((file) => file.path)
    .filter(
      (path) =>
        path.endsWith('/camera_dates.json') ||
        (path.includes(`/phenology_${season.scenario}/`) && path.endsWith('.json')),
    );
  const tables = useLoaded(paths.join() || null, () =>
    Promise.all(paths.map((path) => getJson<unknown>(jsonUrl(path)))),
  );
  const dates = useMemo(() => {
    const found = (tables.data ?? []).flatMap((table) => findDates(table));
    return inOrder(
      found.some((one) => sourceOf(one) === 'camera')
        ? found
        : [...cameraDates(series.data?.transitions ?? null), ...found],
    );
  }, [tables.data, series.data]);
  const all = route.value.dates;
  const drawn = useMemo(
    () => (dates.length ? dates.filter((one) => all || /50/.test(one.path.join())).map(markOf) : undefined),
    [dates, all],
  );
  const command = `satfusion materialize ${season.site.name} ${season.season}`;
  return (
    <>
      <h1>
        Phenology, {season.site.name} {season.season}
      </h1>
      {series.error && <Failure error={series.error} />}
      {series.data && !isEmpty(series.data) && (
        <Curves season={season} series={series.data} pixel={null} from={from} to={to} dates={drawn} />
      )}
      {series.data && !marks.length && (
        <Empty title="No transition dates of the camera yet." command={command}>
          They are found in the camera’s three years of gcc_90.
        </Empty>
      )}
      {tables.error && <Failure error={tables.error} />}
      {dates.length > 0 && (
        <>
          <Check label="10 and 25 % dates on the curves too" value={all} onChange={(value) => go({ dates: value })} />
          <DatePivot
            dates={dates.map(pivotDate)}
            reference="camera"
            sourceWords={sourceWords}
            note={(tables.data ?? []).flatMap(withoutSeason).map(whyNot).join(' ')}
          />
        </>
      )}
      <DateMaps season={season} command={command}>
        <Camera photos={season.photos} date={route.value.date ?? from} command={command} />
      </DateMaps>
      <AllSites overview={overview} />
      <Files
        season={season}
        title="Files"
        pick={(name) => name.includes('phenology') || name.endsWith('camera_dates.json')}
      />
    </>
  );
}

const COLOUR_OF: [RegExp, string][] = [
  [/camera/, COLOURS.camera],
  [/fused/, COLOURS.fused],
  [/s2/, COLOURS.s2],
];

const SOURCE_WORDS: Record<string, string> = {
  camera: 'Camera',
  fused: 'Fused',
  s2: 'Sentinel-2 alone',
  fused_and_scenes: 'Fused, drawn to its scenes',
};
const LIMB_WORDS: Record<string, string> = { rising: 'green-up', falling: 'green-down' };
const LABEL_WORDS: Record<string, string> = {
  ok: 'dated',
  borrowed: 'base borrowed from the other side',
  gap: 'in a gap of the series',
  truncated: 'season truncated',
  no_season: 'no season',
  no_data: 'too few observations',
};

/** Source, limb and percent: what a record's place in the file says. */
const sourceOf = (one: DatedTransition): string => one.path[0] ?? '';
const transitionOf = (one: DatedTransition): string =>
  one.path
    .slice(1)
    .map((part) => LIMB_WORDS[part] ?? part)
    .join(' ')
    .replaceAll('_', ' ');
const sourceWords = (source: string): string => SOURCE_WORDS[source] ?? source;

/** Source by source, each from the start of the season to its end. */
function inOrder(dates: readonly DatedTransition[]): DatedTransition[] {
  const sources = Object.keys(SOURCE_WORDS);
  const rank = (one: DatedTransition): number => (sources.indexOf(sourceOf(one)) + 9) % 9;
  return dates.toSorted((a, b) => rank(a) - rank(b) || a.day - b.day);
}

/** Sources of a file that show no season, and why. */
function withoutSeason(table: unknown): [string, string][] {
  return Object.entries(
    (table ?? {}) as Record<string, { label?: string; rising?: unknown; falling?: unknown } | null>,
  ).flatMap(([source, one]): [string, string][] =>
    one?.label && !one.rising && !one.falling ? [[source, one.label]] : [],
  );
}

function markOf(one: DatedTransition): Mark {
  return {
    day: one.day,
    interval: one.interval,
    label: `${sourceWords(sourceOf(one))} ${transitionOf(one)} %`,
    colour: COLOUR_OF.find(([pattern]) => pattern.test(sourceOf(one)))?.[1] ?? COLOURS.distance,
  };
}

/** The camera's 50 % dates of the contract, which come without an interval. */
function cameraDates(transitions: Record<string, unknown> | null): DatedTransition[] {
  return (
    [
      ['green_up_50pct_date', 'rising'],
      ['green_down_50pct_date', 'falling'],
    ] as const
  ).flatMap(([key, limb]) => {
    const value = transitions?.[key];
    const day = typeof value === 'string' ? toDay(value) : null;
    return day === null ? [] : [{ path: ['camera', limb, '50'], day, interval: null, label: '' }];
  });
}

/** A record of a file as a cell of the pivot. */
const pivotDate = (one: DatedTransition): PivotDate => ({
  source: sourceOf(one),
  transition: transitionOf(one),
  day: one.day,
  interval: one.interval,
  how: LABEL_WORDS[one.label] ?? one.label,
});

const whyNot = ([source, label]: [string, string]): string => `${sourceWords(source)}: ${LABEL_WORDS[label] ?? label}.`;

type Limb = 'rising' | 'falling';
const LAYERS: [string, string][] = [
  ...['50', '25', '10'].map((percent): [string, string] => [percent, `${percent} % dates`]),
  ...['50', '25', '10'].map((percent): [string, string] => [
    `${percent}:width`,
    `${percent} % dates, width of the interval`,
  ]),
  ...['50', '25', '10'].map((percent): [string, string] => [
    `${percent}:label`,
    `${percent} % dates, how they came about`,
  ]),
];

function DateMaps({ season, command, children }: { season: Season; command: string; children: ComponentChildren }) {
  const folder = `${season.site.name}/${season.season}/phenology_${season.scenario}`;
  const there = season.maps.some((file) => file.path.startsWith(`${folder}/`));
  const chosen = LAYERS.some(([key]) => key === route.value.layer) ? route.value.layer! : '50';
  const [percent, what = 'date'] = chosen.split(':') as [string, string?];
  const view = useSharedView(season);
  if (!there) {
    return (
      <div class="maps compare">
        <Empty
          title={`No date maps of ${season.site.name} ${season.season} under this scenario yet.`}
          command={`${command} --until evaluation`}
        >
          They give the 10, 25 and 50 % dates of every 10 m pixel with their intervals.
        </Empty>
        {children}
      </div>
    );
  }
  return (
    <section aria-label="Date maps">
      <div class="toolbar">
        <h2>Dates of every pixel</h2>
        <Select label="Layer" value={chosen} options={LAYERS} onChange={(layer) => go({ layer })} />
        {(['rising', 'falling'] as const).map((limb) => (
          <a key={limb} href={fileUrl(`${folder}/${limb}_${percent}.tif`)} download>
            GeoTIFF {LIMB_WORDS[limb]} {percent} %
          </a>
        ))}
        <button type="button" class="quiet" onClick={() => void saveSnapshot(season, 'phenology')}>
          PNG with caption
        </button>
        {route.value.px && (
          <button type="button" class="quiet" onClick={() => go({ page: 'explore' }, true)}>
            Season of the chosen pixel
          </button>
        )}
      </div>
      <div class="maps" data-count="2">
        {(['rising', 'falling'] as const).map((limb) => (
          <DateMap key={limb} limb={limb} percent={percent} what={what} folder={folder} season={season} view={view} />
        ))}
        {children}
      </div>
      <p class="note">Checkerboard: no date; the layer “how they came about” says why. Click a pixel for its season.</p>
    </section>
  );
}

interface DateMapProps {
  limb: Limb;
  percent: string;
  what: string;
  folder: string;
  season: Season;
  view: ReturnType<typeof useSharedView>;
}

/** Bands of a date file: the date, the lower and the upper end of its interval; of the label file: one a transition. */
function DateMap({ limb, percent, what, folder, season, view }: DateMapProps) {
  const name = `${limb}_${percent}`;
  const dates = useFrame(`${folder}/${name}.tif`);
  const labels = useFrame(`${folder}/labels.tif`);
  const shown = useMemo(() => {
    if (what === 'label') return labels.frame && labelled(labels.frame, name);
    if (!dates.frame) return null;
    const frame = what === 'width' ? widthOf(dates.frame) : dates.frame;
    return { frame, style: styleOf(name, what, frame) };
  }, [dates.frame, labels.frame, what, name]);
  const place = hoverPlace.value ?? route.value.px;
  const error = what === 'label' ? labels.error : dates.error;
  return (
    <div class="panel" data-source={limb}>
      <h2 class="panel-head">
        {limb === 'rising' ? 'Green-up' : 'Green-down'} {percent} %
      </h2>
      <MapPanel
        name={`${limb} ${percent} %`}
        view={view}
        season={season}
        base={shown && { ...shown, range: null }}
        day={`${percent}:${what}`}
        message={error && <Failure error={error} />}
      />
      <p class="readout">
        {place && dates.frame ? inWords(dates.frame, labels.frame, name, place, season.season) : ' '}
      </p>
      {shown && <Legend style={shown.style} year={what === 'date' ? season.season : undefined} fixed={false} />}
    </div>
  );
}

/** "2 May (28 Apr to 7 May), dated" */
function inWords(
  dates: Frame,
  labels: Frame | null,
  name: string,
  [east, north]: [number, number],
  year: number,
): string {
  const at = dates.locate(east, north);
  const [day, lower, upper] = dates.planes.map((plane) => (at < 0 ? NaN : plane[at]!));
  const label = labels && labelled(labels, name);
  const how = label ? (DATE_LABELS[label.frame.at(label.frame.locate(east, north), 'value')] ?? '') : '';
  const date = (value: number | undefined): string =>
    value === undefined || Number.isNaN(value) ? '?' : shortDate(Math.round(fromDayOfYear(year, value)));
  return Number.isNaN(day)
    ? `no date${how ? `: ${how}` : ''}`
    : `${date(day)} (${date(lower)} to ${date(upper)})${how ? `, ${how}` : ''}`;
}

function plane(frame: Frame, values: Float32Array, band: string): Frame {
  return new Frame({ ...frame.header, bands: [band], dtype: 'float32', scale: 1, offset: 0, nodata: null }, values);
}

function labelled(labels: Frame, name: string): { frame: Frame; style: ValueStyle } | null {
  const values = labels.planes[labels.header.bands.indexOf(name)];
  return values ? { frame: plane(labels, values, name), style: labelStyle(name, name) } : null;
}

function widthOf(dates: Frame): Frame {
  const [, lower, upper] = dates.planes;
  return plane(
    dates,
    lower && upper ? upper.map((value, i) => value - lower[i]!) : new Float32Array(dates.planes[0]!.length).fill(NaN),
    'width',
  );
}

/** Dates are drawn over the range that they span here, widths from 0. */
function styleOf(name: string, what: string, frame: Frame): ValueStyle {
  const label = name
    .split('_')
    .map((part) => LIMB_WORDS[part] ?? part)
    .join(' ');
  const [low, high] = quantiles([frame.planes[0]!], [0.02, 0.98]) as [number, number];
  if (what === 'width')
    return spreadStyle(`${name}:width`, `${label}, 95 % interval`, Math.max(1, Math.ceil(high)) || 1);
  return dateStyle(name, label, Number.isNaN(low) ? [1, 366] : [Math.floor(low) - 1, Math.ceil(high) + 1]);
}

function AllSites({ overview }: { overview: Overview | null }) {
  if (!overview) return null;
  const rows = overview.sites.flatMap((site) =>
    site.seasons
      .filter((one) => one.transitions)
      .map((one) => {
        const target = { ...START, site: site.name, season: one.season, page: 'phenology' as const };
        const up = one.transitions!.green_up_50pct_date;
        const down = one.transitions!.green_down_50pct_date;
        const length = up && down ? Math.round((Date.parse(down) - Date.parse(up)) / 86_400_000) : null;
        return [
          <Link to={target}>{site.name}</Link>,
          one.season,
          site.vegetation_type || '–',
          up ?? '–',
          down ?? '–',
          number(length),
        ];
      }),
  );
  return rows.length ? (
    <Table
      caption="Camera, 50 % dates of all sites"
      heads={['site', 'season', 'vegetation', 'green-up', 'green-down', 'days between']}
      rows={rows}
    />
  ) : null;
}
