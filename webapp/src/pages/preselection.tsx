/** Which scenes the pre-selection excluded, by which rule, under both strategies. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { fileUrl, type Overview, type ScreenedScene, type Season } from '../api';
import { Chart, type Curve } from '../chart/chart';
import { fromDayOfYear, lag, nearest, toDay, toIso } from '../days';
import { picture, MapPanel, useSharedView } from '../map/map';
import { address, load } from '../raster/store';
import { STYLES } from '../raster/styles';
import { useFrame } from '../raster/use-shown';
import type { Show } from '../route';
import { go, route } from '../state';
import { gccOf } from '../ui/curves';
import { Legend } from '../ui/legend';
import { Empty, number, Select, Toggle } from '../ui/parts';
import { Timeline, useDateKeys } from '../ui/timeline';
import { COLOURS, RULE_SHORT, RULES, strategyOf } from '../ui/words';

const STRATEGIES = ['aggressive', 'nonaggressive'] as const;
const LEVELS = { aggressive: 0.3, nonaggressive: 0.2 };
const DARK = 0.01;
const QUANTITIES = [
  ['gcc', 'GCC', 3],
  ['ndvi', 'NDVI', 2],
  ['b02', 'Blue reflectance', 3],
  ['b03', 'Green reflectance', 3],
  ['b04', 'Red reflectance', 3],
  ['b8a', 'Near-infrared reflectance', 3],
] as const;

export function Preselection({ season }: { season: Season; overview: Overview | null }) {
  const { sensor, date, show } = route.value;
  const strategy = strategyOf(season.scenario) as 'aggressive' | 'nonaggressive';
  const scenes = season.excluded[sensor];
  const from = fromDayOfYear(season.season, 1) - 45;
  const to = fromDayOfYear(season.season + 1, 1) + 44;
  const days = useMemo(() => scenes.map((scene) => toDay(scene.date)!), [scenes]);
  useDateKeys(from, to, days);
  useEffect(() => {
    if (date === null && days.length) go({ date: days[nearest(days, fromDayOfYear(season.season, 190))]! });
  }, [days, date === null]);
  const at = nearest(days, date ?? from);
  const chosen = scenes[at];
  const kept = scenes.filter((scene) => !scene.rules[strategy]);
  const out = scenes.filter((scene) => scene.rules[strategy]);
  const dayNumbers = (list: ScreenedScene[]): number[] => list.map((scene) => toDay(scene.date)!);
  const base = `${season.site.name}/${season.season}/raw/preselection/${sensor}_preselection`;
  return (
    <>
      <h1 class="visually-hidden">
        Preselection, {season.site.name} {season.season}
      </h1>
      <div class="toolbar">
        <Toggle
          label="Sensor"
          value={sensor}
          options={[
            ['s2', 'Sentinel-2'],
            ['s3', 'Sentinel-3'],
          ]}
          onChange={(value) => go({ sensor: value })}
        />
        <Toggle
          label="Strategy"
          value={strategy}
          options={STRATEGIES.map((one) => [one, one] as const)}
          onChange={(value) => go({ scenario: season.scenario.replace(/^(non)?aggressive/, value) }, true)}
        />
        <Select
          label="Show scenes"
          value={show}
          options={[
            ['all', 'all'],
            ['kept', 'kept'],
            ['excluded', 'excluded'],
            ['differ', 'where the strategies differ'],
          ]}
          onChange={(value) => go({ show: value })}
        />
        {scenes.length > 0 && (
          <span class="links">
            <a href={fileUrl(`${base}.json`)} download>
              JSON
            </a>{' '}
            <a href={fileUrl(`${base}.csv`)} download>
              CSV
            </a>
          </span>
        )}
      </div>
      {!scenes.length ? (
        <Empty
          title={`No pre-selection of ${season.site.name} ${season.season} yet.`}
          command={`satfusion materialize ${season.site.name} ${season.season}`}
        >
          It judges every raw scene at the site, before anything is prepared.
        </Empty>
      ) : (
        <>
          <Timeline
            rows={[
              { label: sensor.toUpperCase(), colour: COLOURS[sensor], days: dayNumbers(kept), hollow: dayNumbers(out) },
            ]}
            from={from}
            to={to}
            scenes={days}
            sensor={sensor === 's2' ? 'Sentinel-2' : 'Sentinel-3'}
            words={`${toIso(date ?? from)}, ${kept.length} scenes kept, ${out.length} excluded`}
          />
          <Summary scenes={scenes} />
          <div class="screening">
            {chosen && <Scene season={season} scene={chosen} date={date ?? from} />}
            <div class="band-charts">
              {QUANTITIES.map(([key, label, digits]) => (
                <Chart
                  key={key}
                  name={`${season.site.name}_${season.season}_${sensor}_preselection_${key}`}
                  title={label}
                  digits={digits}
                  height={150}
                  curves={curves(key, sensor, kept, out)}
                  from={from}
                  to={to}
                  levels={
                    key === 'ndvi'
                      ? [
                          {
                            value: LEVELS[strategy],
                            label: `excluded below ${LEVELS[strategy]} if also low for its ±14 days`,
                          },
                        ]
                      : key === 'b02'
                        ? [{ value: DARK, label: 'dark below 0.01' }]
                        : []
                  }
                />
              ))}
            </div>
          </div>
          <Filmstrip season={season} scenes={scenes.filter((scene) => wanted(scene, show, strategy))} chosen={chosen} />
        </>
      )}
    </>
  );
}

function wanted(scene: ScreenedScene, filter: Show, strategy: string): boolean {
  const excluded = Boolean(scene.rules[strategy]);
  if (filter === 'all') return true;
  if (filter === 'differ') return Boolean(scene.rules.aggressive) !== Boolean(scene.rules.nonaggressive);
  return (filter === 'excluded') === excluded;
}

function curves(key: string, sensor: 's2' | 's3', kept: ScreenedScene[], out: ScreenedScene[]): Curve[] {
  const make = (list: ScreenedScene[], label: string, shape: Curve['shape']): Curve => ({
    key: `${sensor}_${label}`,
    label,
    shape,
    colour: COLOURS[sensor],
    days: list.map((scene) => toDay(scene.date)!),
    values: list.map((scene) => scene[key as 'ndvi'] ?? gccOf(scene, key)),
  });
  return [make(kept, 'kept', 'dot'), make(out, 'excluded', 'ring')];
}

function Summary({ scenes }: { scenes: ScreenedScene[] }) {
  const count = (strategy: string, rule: string): number =>
    scenes.filter((scene) => scene.rules[strategy] === rule).length;
  const rules = [...new Set(scenes.flatMap((scene) => Object.values(scene.rules)))].filter(
    (rule): rule is string => rule !== null,
  );
  return (
    <p class="verdicts">
      {STRATEGIES.map((strategy) => (
        <span key={strategy}>
          <strong>{strategy}</strong>: {scenes.filter((scene) => !scene.rules[strategy]).length} of {scenes.length} kept
          {rules
            .map((rule) => (count(strategy, rule) ? `, ${count(strategy, rule)} ${RULE_SHORT[rule] ?? rule}` : ''))
            .join('')}
        </span>
      ))}
    </p>
  );
}

function pathOf(season: Season, scene: ScreenedScene): string | null {
  return scene.filename && `${season.site.name}/${season.season}/raw/${route.value.sensor}/${scene.filename}`;
}

function Scene({ season, scene, date }: { season: Season; scene: ScreenedScene; date: number }) {
  const view = useSharedView(season);
  const style = STYLES.find((one) => one.key === route.value.style) ?? STYLES[0]!;
  const state = useFrame(pathOf(season, scene));
  const day = toDay(scene.date)!;
  return (
    <div class="panel" data-source="raw">
      <h2 class="panel-head">
        Raw scene{' '}
        <span class={day === date ? 'lag' : 'lag off'}>
          {scene.date}
          {day === date ? '' : ` (${lag(day, date)})`}
        </span>
      </h2>
      <MapPanel
        name="raw scene"
        view={view}
        season={season}
        base={state.frame && { frame: state.frame, style, range: route.value.range }}
        day={scene.date}
        message={
          state.error && (
            <div class="notice failure" role="alert">
              <strong>Not shown.</strong> {state.error.message}
            </div>
          )
        }
      />
      <Select
        label="Show"
        value={style.key}
        options={STYLES.map((one) => [one.key, one.label] as const)}
        onChange={(value) => go({ style: value, range: null })}
      />
      <Legend style={style} range={route.value.range} editable />
      <dl class="facts">
        <div>
          <dt>File</dt>
          <dd>{scene.filename}</dd>
        </div>
        <div>
          <dt>NDVI</dt>
          <dd>{number(scene.ndvi)}</dd>
        </div>
        <div>
          <dt>Blue</dt>
          <dd>{number(scene.b02)}</dd>
        </div>
        {STRATEGIES.map((one) => (
          <div key={one}>
            <dt>{one}</dt>
            <dd>{verdict(scene.rules[one])}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

const verdict = (rule: string | null | undefined): string => (rule ? `excluded: ${RULES[rule] ?? rule}` : 'kept');

/** Every scene as a chip with its verdicts; a click goes there. */
function Filmstrip({
  season,
  scenes,
  chosen,
}: {
  season: Season;
  scenes: ScreenedScene[];
  chosen: ScreenedScene | undefined;
}) {
  const box = useRef<HTMLDivElement>(null);
  const strategy = strategyOf(season.scenario);
  // The chosen scene is kept in sight within the box; the page itself stays where it is.
  useEffect(() => {
    const chip = box.current?.querySelector<HTMLElement>('[aria-pressed="true"]');
    if (!box.current || !chip) return;
    const top = chip.offsetTop - box.current.offsetTop;
    const { scrollTop, clientHeight } = box.current;
    if (top < scrollTop || top + chip.offsetHeight > scrollTop + clientHeight)
      box.current.scrollTop = top - clientHeight / 3;
  }, [chosen]);
  return (
    <section aria-labelledby="scenes">
      <h2 id="scenes">Scenes ({scenes.length})</h2>
      <div class="filmstrip-box" ref={box} role="region" aria-label="Filmstrip" tabIndex={0}>
        <ol class="filmstrip">
          {scenes.map((scene) => (
            <li key={scene.filename ?? scene.date}>
              <button
                type="button"
                class={scene.rules[strategy] ? 'chip out' : 'chip'}
                aria-pressed={scene === chosen}
                onClick={() => go({ date: toDay(scene.date)! })}
              >
                <Chip path={pathOf(season, scene)} />
                <span class="chip-date">{scene.date}</span>
                <span class="chip-rule">{verdicts(scene)}</span>
              </button>
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}

/** "kept", "low NDVI", or both strategies' verdicts where they differ. */
function verdicts({ rules }: ScreenedScene): string {
  const [first, second] = STRATEGIES.map((strategy) =>
    rules[strategy] ? (RULE_SHORT[rules[strategy]] ?? rules[strategy]) : 'kept',
  );
  return first === second ? first! : `agg. ${first}, non. ${second}`;
}

/** A small true-colour picture, loaded when it comes into sight. */
function Chip({ path }: { path: string | null }) {
  const [target, setTarget] = useState<HTMLCanvasElement | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!target || !path) return undefined;
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      load(address(path)).then(
        (frame) =>
          crisp(target).drawImage(
            picture({ frame, style: STYLES[0]!, range: null }).canvas,
            0,
            0,
            target.width,
            target.height,
          ),
        () => setFailed(true),
      );
    });
    watch.observe(target);
    return () => watch.disconnect();
  }, [target, path]);
  return failed ? (
    <span class="chip-failed">unreadable</span>
  ) : (
    <canvas ref={setTarget} width={88} height={88} aria-hidden="true" />
  );
}

/** Pixels stay pixels, however large they are drawn. */
function crisp(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d')!;
  context.imageSmoothingEnabled = false;
  return context;
}
