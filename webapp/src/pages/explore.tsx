/** The main page: S2 | fused | S3, the camera and the curves, on one day. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { areaSeason, pixelSeason, siteSeries, type Overview, type Season } from '../api';
import { fromDayOfYear, nearest, toDay, toIso } from '../days';
import { Maps } from '../map/maps';
import { sourcesOf } from '../map/seen';
import { STAGES, VIEWS, type Source, type Stage, type View } from '../route';
import { address, prefetch } from '../raster/store';
import { nearestFile } from '../raster/use-shown';
import { go, route, useLoaded } from '../state';
import { AreaCard, areaIsRead } from '../ui/area';
import { Camera } from '../ui/camera';
import { Curves, isEmpty } from '../ui/curves';
import { thereAndNot } from '../ui/fetched';
import { Downloads } from '../ui/downloads';
import { Link } from '../ui/link';
import { Check, Command, Empty, Failure, number, Select, Toggle } from '../ui/parts';
import { Timeline, useDateKeys, type Row } from '../ui/timeline';
import { COLOURS, SCENARIO_KEYS, scenarioName, SCORE_NAMES, STAGE_NAMES, STAGE_NOTES } from '../ui/words';
import { otherYears, useYears } from '../ui/years';
import { differenceName, styleKey, styleOptions } from '../map/choose';

const MARGIN = 45;
/** Days around the shown one whose frames are loaded ahead, nearest first. */
const AHEAD = [1, -1, 2, -2, 3, 4, -3, 5, 6, -4, 7, 8];

const VIEW_NAMES: Record<Exclude<View, 'difference'>, string> = { side: 'Side', swipe: 'Swipe', blink: 'Blink' };

export function Explore({ season, overview }: { season: Season; overview: Overview | null }) {
  const { stage, view, px, area, date, style } = route.value;
  const products = season.stages[stage];
  const sources = sourcesOf(stage);
  const margin = stage === 'raw' || stage === 'prepared' ? MARGIN : 0;
  const from = fromDayOfYear(season.season, 1) - margin;
  const to = fromDayOfYear(season.season + 1, 1) - 1 + margin;
  const days = useMemo(
    () =>
      Object.fromEntries(
        sources.map((source) => [source, (products[source]?.days ?? []).map((iso) => toDay(iso)!)]),
      ) as Partial<Record<Source, number[]>>,
    [season, stage],
  );
  const scenes = days.s2 ?? [];
  const rows = useRows(season, stage, days);
  useDateKeys(from, to, scenes);
  useEffect(() => {
    if (date === null || date < from || date > to) go({ date: opening(season, days, from, to) });
  }, [season, stage, date === null]);
  useAhead(season, stage, days, date);

  const partition = `${season.site.name}/${season.season}/${season.scenario}/${stage}`;
  const series = useLoaded(
    `series/${partition}`,
    () => siteSeries(season.site.name, season.season, season.scenario, stage),
    false,
  );
  const pixel = useLoaded(
    px ? `pixel/${partition}/${px}` : null,
    (signal) => pixelSeason(season.site.name, season.season, season.scenario, stage, px!, signal),
    true,
  );
  const drawn = useLoaded(
    area && areaIsRead(stage) ? `area/${partition}/${area}` : null,
    (signal) => areaSeason(season.site.name, season.season, season.scenario, area!, signal),
    true,
  );
  const others = otherYears(overview, season);
  const years = useYears(others, season);
  const command = `satfusion materialize ${season.site.name} ${season.season}`;
  const nothing = sources.every((source) => !days[source]?.length);
  const shownDay = date ?? from;

  return (
    <>
      <h1 class="visually-hidden">
        {season.site.name} {season.season}
      </h1>
      <div class="toolbar" role="group" aria-label="What is shown">
        <Toggle
          label="Stage"
          value={stage}
          options={STAGES.map((key) => [key, STAGE_NAMES[key], STAGE_NOTES[key]] as const)}
          onChange={(value) => go({ stage: value }, true)}
        />
        <Select
          label="Show"
          value={styleKey(season, stage, style)}
          options={styleOptions(season, stage)}
          onChange={(value) => go({ style: value, range: null }, true)}
        />
        <Toggle
          label="View"
          value={view}
          options={VIEWS.map(
            (key) => [key, key === 'difference' ? differenceName(season, stage, style) : VIEW_NAMES[key]] as const,
          )}
          onChange={(value) => go({ view: value, range: null }, true)}
        />
        {view === 'side' && sources.includes('fused') && (
          <Select
            label="Beside"
            value={route.value.beside ?? ''}
            options={[
              ['', 'Sentinel-2, Sentinel-3'],
              ...SCENARIO_KEYS.filter((key) => key !== season.scenario).map((key) => [key, scenarioName(key)] as const),
            ]}
            onChange={(value) => go({ beside: value || null }, true)}
          />
        )}
        <Downloads season={season} stage={stage} series={series.data} pixel={pixel.data} />
      </div>
      {rows.some((row) => row.days.length) && (
        <Timeline rows={rows} from={from} to={to} scenes={scenes} words={spokenDay(shownDay, days)} />
      )}
      {nothing ? (
        <Empty
          title={`No ${STAGE_NAMES[stage].toLowerCase()} products of ${season.site.name} ${season.season} under this scenario.`}
          command={command}
        >
          {thereAndNot(season.statuses.fetched)} They appear here as soon as they are materialised, by this command or
          in Dagster. <OtherStages season={season} />
        </Empty>
      ) : (
        <Maps season={season} stage={stage} days={days} date={shownDay}>
          <Camera photos={season.photos} date={shownDay} command={command} />
        </Maps>
      )}
      {!(nothing && series.data && isEmpty(series.data)) && (
        <div class="curve-tools">
          {px ? <PixelCard px={px} state={pixel} /> : <Headline season={season} />}
          <AreaCard state={drawn} />
          {others.length > 0 && (
            <Check label="Other years" value={route.value.years} onChange={(on) => go({ years: on })} />
          )}
          <Check label="Band curves" value={route.value.bands} onChange={(bands) => go({ bands })} />
          <Check
            label="Sentinel-2 points in their true colour"
            value={route.value.colour}
            onChange={(colour) => go({ colour })}
          />
        </div>
      )}
      {series.error && <Failure error={series.error} />}
      {years.error && <Failure error={years.error} />}
      {!series.error && !(series.data && isEmpty(series.data)) && (
        <Curves
          season={season}
          series={series.data}
          pixel={px ? pixel.data : null}
          area={drawn.data}
          years={years.data ?? undefined}
          from={from}
          to={to}
        />
      )}
      <details class="help">
        <summary>Keys and reading</summary>
        <ul>
          <li>
            <kbd>←</kbd> <kbd>→</kbd> day, <kbd>Shift</kbd> + <kbd>←</kbd> <kbd>→</kbd> Sentinel-2 scene,{' '}
            <kbd>Page ↑↓</kbd> ten days, <kbd>Home</kbd> <kbd>End</kbd> season.
          </li>
          <li>
            A map reached by <kbd>Tab</kbd> takes the arrow keys for panning, <kbd>+</kbd> <kbd>−</kbd> for zoom,{' '}
            <kbd>Enter</kbd> for the pixel in its middle. <kbd>Ctrl</kbd> (<kbd>⌘</kbd>) and the wheel zoom the maps;
            the wheel alone scrolls the page. Drag over a curve to zoom to its days; a double click shows all days.
          </li>
          <li>
            Each panel names the day that it shows; “−1 d” is the day before the chosen one. Hollow marks are scenes
            that the pre-selection excluded.
          </li>
          <li>
            Checkerboard is missing data. The yellow square is the 3×3 window of the site’s series. All days are UTC.
            The band of fused GCC is that of GCC fused itself (Index-then-Blend, same strategy and sigma); NDVI has
            none.
          </li>
        </ul>
        <p class="note">The same from a shell:</p>
        <Command text={command} />
      </details>
    </>
  );
}

/** The stages that do have products, to go there. */
function OtherStages({ season }: { season: Season }) {
  const there = STAGES.filter((stage) => Object.values(season.stages[stage]).some((daily) => daily.days.length));
  if (!there.length) return null;
  return (
    <span class="links">
      There already:{' '}
      {there.map((stage) => (
        <Link key={stage} to={{ ...route.value, stage }}>
          {STAGE_NAMES[stage]}
        </Link>
      ))}
    </span>
  );
}

/** The scenario's scores in one line, leading to all of them. */
function Headline({ season }: { season: Season }) {
  const scores = season.statuses.scenarios[season.scenario]?.scores;
  return (
    <p class="headline">
      {scores &&
        (['nse_calibrated', 'nse_pc', 'rmse', 'n_samples'] as const).map((key) => (
          <span key={key}>
            {SCORE_NAMES[key]} <strong>{number(scores[key])}</strong>
          </span>
        ))}
      {scores && <Link to={{ ...route.value, page: 'metrics' }}>all scores</Link>}
      <span class="note">Click a map for that pixel’s season.</span>
    </p>
  );
}

function PixelCard({
  px,
  state,
}: {
  px: [number, number];
  state: ReturnType<typeof useLoaded<import('../api').PixelSeason>>;
}) {
  return (
    <div class="pixel-card" role="status" data-pixel={state.data ? px.join() : ''}>
      <strong>
        Pixel {px[0].toFixed(0)} E, {px[1].toFixed(0)} N
      </strong>
      {state.data && (
        <span>
          {state.data.latitude.toFixed(5)}°, {state.data.longitude.toFixed(5)}° · from the {state.data.origin}
        </span>
      )}
      {state.loading && <span>Loading…</span>}
      <button type="button" class="quiet" onClick={() => go({ px: null })}>
        Back to the site
      </button>
      {state.error && <Failure error={state.error} />}
    </div>
  );
}

/** The day to open: a Sentinel-2 scene near midsummer of the site's hemisphere, else the nearest day of anything. */
function opening(season: Season, days: Partial<Record<Source, number[]>>, from: number, to: number): number {
  const peak = fromDayOfYear(season.season, season.site.latitude >= 0 ? 190 : 15);
  const list = [days.s2, days.fused, days.s3].find((some) => some?.some((day) => day >= from && day <= to));
  const inside = (list ?? []).filter((day) => day >= from && day <= to);
  return inside[nearest(inside, peak)] ?? peak;
}

function spokenDay(day: number, days: Partial<Record<Source, number[]>>): string {
  const near = days.s2?.[nearest(days.s2, day)];
  const words =
    near === undefined
      ? 'no Sentinel-2 scene'
      : near === day
        ? 'a Sentinel-2 scene'
        : `Sentinel-2 ${Math.abs(near - day)} days ${near > day ? 'later' : 'earlier'}`;
  return `${toIso(day)}, ${words}`;
}

function useRows(season: Season, stage: Stage, days: Partial<Record<Source, number[]>>): Row[] {
  return useMemo(() => {
    const strategy = season.scenario.startsWith('non') ? 'nonaggressive' : 'aggressive';
    const row = (source: Source, label: string): Row => {
      if (source !== 's2' && source !== 's3') return { label, colour: COLOURS[source], days: days[source] ?? [] };
      const screened = season.excluded[source];
      if (!screened.length) return { label, colour: COLOURS[source], days: days[source] ?? [] };
      const out = screened.filter((scene) => scene.rules[strategy]).map((scene) => toDay(scene.date)!);
      const kept = screened.filter((scene) => !scene.rules[strategy]).map((scene) => toDay(scene.date)!);
      return {
        label,
        colour: COLOURS[source],
        days: stage === 'raw' ? kept : (days[source] ?? []),
        hollow: out.filter((day) => !kept.includes(day)),
      };
    };
    const shown = sourcesOf(stage)
      .filter((source) => source !== 'distance' && source !== 'scl')
      .map((source) => row(source, source === 'fused' ? 'Fused' : source.toUpperCase()));
    return [...shown, { label: 'Camera', colour: COLOURS.camera, days: season.photos.days.map((iso) => toDay(iso)!) }];
  }, [season, stage, days]);
}

/** Load the neighbours of the shown day, further ahead than behind. */
function useAhead(season: Season, stage: Stage, days: Partial<Record<Source, number[]>>, date: number | null): void {
  const last = useRef(date);
  useEffect(() => {
    if (date === null) return undefined;
    const forward = date >= (last.current ?? date) ? 1 : -1;
    last.current = date;
    const timer = setTimeout(() => {
      const urls = new Set<string>();
      for (const by of AHEAD) {
        for (const source of sourcesOf(stage)) {
          const near = nearestFile(season.stages[stage][source], days[source] ?? [], date + by * forward);
          if (near.path) urls.add(address(near.path));
        }
      }
      prefetch([...urls]);
    }, 30);
    return () => clearTimeout(timer);
  }, [season, stage, date]);
}
