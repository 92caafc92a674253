/** One gap in pictures: withheld scene | fused with the gap | fused without | competitor, and what each misses below it. */
import { useMemo } from 'preact/hooks';
import { fileUrl, type Season } from '../api';
import { toDay } from '../days';
import { MapPanel, useSharedView } from '../map/map';
import { difference, summary, type Frame } from '../raster/frame';
import { differenceStyle, fits, STYLES } from '../raster/styles';
import { useFrame, type FrameState } from '../raster/use-shown';
import { hoverPlace, go, route } from '../state';
import { Legend } from '../ui/legend';
import { Empty, Failure, number, Select } from '../ui/parts';
import { saveSnapshot } from '../ui/snapshot';
import { gapKey, isRival, rivalName, transitionWords, type GapRow, type Result } from './gap-files';

const GCC = STYLES.find((one) => one.key === 'gcc')!;
const MISSED = differenceStyle(GCC);

interface Props {
  result: Result;
  season: Season;
  /** The gap's row of all methods' scores, when there is one. */
  scores: GapRow | undefined;
}

export function GapPictures({ result, season, scores }: Props) {
  const view = useSharedView(season);
  const style = STYLES.find((one) => one.key === route.value.style) ?? STYLES[0]!;
  const path = (name: string): string | null => below(result.paths?.[name], season);
  const rivals = rivalFiles(result, season);
  const rival = rivals.some(([name]) => name === route.value.rival)
    ? route.value.rival!
    : best(
        rivals.map(([name]) => name),
        scores,
      );
  const truth = useFrame(path('withheld_s2_refl'));
  const withGap = useFrame(path('fused_gap'));
  const noGap = useFrame(path('fused_no_gap'));
  const rivalPath = rivals.find(([name]) => name === rival)?.[1] ?? null;
  const competitor = useFrame(rivalPath);
  if (!Object.values(result.paths ?? {}).some(Boolean)) {
    return (
      <Empty title={`No pictures were kept for the ${result.gap_days}-day gap.`}>Its numbers stand in the table.</Empty>
    );
  }
  const panels: PanelOf[] = [
    { source: 'withheld', name: 'Withheld scene', path: path('withheld_s2_refl'), state: truth },
    { source: 'gap', name: 'Fused with the gap', path: path('fused_gap'), state: withGap },
    { source: 'no-gap', name: 'Fused without the gap', path: path('fused_no_gap'), state: noGap },
  ];
  if (rival !== undefined) panels.push({ source: 'rival', name: rivalName(rival), path: rivalPath, state: competitor });
  return (
    <section aria-label={`Pictures of the ${result.gap_days}-day gap`}>
      <div class="toolbar">
        <h2>
          {result.gap_days}-day gap at {transitionWords(result.transition)}, {result.prediction_date}
        </h2>
        <Select
          label="Show"
          value={style.key}
          options={STYLES.map((one) => [one.key, one.label] as const)}
          onChange={(value) => go({ style: value, range: null })}
        />
        {rivals.length > 1 && (
          <Select
            label="Competitor"
            value={rival!}
            options={rivals.map(([name]) => [name, rivalName(name)] as const)}
            onChange={(value) => go({ rival: value })}
          />
        )}
        <button
          type="button"
          class="quiet"
          onClick={() =>
            void saveSnapshot(
              season,
              `${result.gap_days}-day gap at ${transitionWords(result.transition)}, ${result.prediction_date}`,
            )
          }
        >
          PNG with caption
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => go({ page: 'explore', date: toDay(result.prediction_date) }, true)}
        >
          This day in Explore
        </button>
      </div>
      <div class="maps gap-maps" data-count={panels.length}>
        {panels.map((panel) => (
          <Picture key={panel.source} {...panel} season={season} view={view} />
        ))}
        <div class="missed-legend">
          <Legend style={style} range={route.value.range} editable />
          <Legend style={MISSED} fixed={false} />
          <p class="note">
            Below each picture: its GCC minus that of the withheld scene, over the scene’s clear pixels. Checkerboard:
            no estimate.
          </p>
        </div>
        {panels.slice(1).map((panel) => (
          <Missed key={panel.source} {...panel} truth={truth} season={season} view={view} />
        ))}
      </div>
    </section>
  );
}

/** The address of a path in the file, whichever folder it was written from. */
function below(path: string | null | undefined, season: Season): string | null {
  if (!path) return null;
  const home = `${season.site.name}/${season.season}/`;
  const at = path.indexOf(home);
  return at >= 0 ? path.slice(at) : `${home}${path.replace(/^\.?\//, '')}`;
}

/** Competitors' images of this gap's day, by method. */
function rivalFiles(result: Result, season: Season): [string, string][] {
  const folder = `${season.site.name}/${season.season}/validation/competitors/gap_${gapKey(result)}/`;
  return season.maps
    .filter(({ path }) => path.startsWith(folder))
    .map(({ path }) => [path.slice(folder.length).replace(/_\d{8}\.tif$/, ''), path]);
}

/** Of the competitors in pictures the one with the lowest RMSE in GCC. */
function best(names: readonly string[], scores: GapRow | undefined): string | undefined {
  const rmse = (name: string): number => scores?.spatial[name]?.gcc?.rmse ?? Infinity;
  return names.filter(isRival).toSorted((a, b) => rmse(a) - rmse(b))[0];
}

interface PanelOf {
  source: string;
  name: string;
  path: string | null;
  state: FrameState;
}

interface PanelProps extends PanelOf {
  season: Season;
  view: ReturnType<typeof useSharedView>;
}

function Picture({ source, name, path, state, season, view }: PanelProps) {
  const wanted = STYLES.find((one) => one.key === route.value.style) ?? STYLES[0]!;
  const style = !state.frame || fits(state.frame, wanted) ? wanted : GCC;
  const place = hoverPlace.value;
  return (
    <div class="panel" data-source={source}>
      <div class="panel-head">
        <h3>{name}</h3>
        {path && (
          <a class="panel-file" href={fileUrl(path)} download aria-label={`GeoTIFF: ${name}`}>
            GeoTIFF
          </a>
        )}
      </div>
      <MapPanel
        name={name}
        view={view}
        season={season}
        base={state.frame && { frame: state.frame, style, range: route.value.range }}
        day={state.url ?? ''}
        message={state.error && <Failure error={state.error} />}
      />
      <p class="readout">
        {place && state.frame
          ? `GCC ${number(finite(state.frame.at(state.frame.locate(place[0], place[1]), 'gcc')))}`
          : ' '}
      </p>
    </div>
  );
}

function Missed({ source, name, state, truth, season, view }: PanelProps & { truth: FrameState }) {
  const frame = useMemo(
    (): Frame | null => state.frame && truth.frame && difference(state.frame, truth.frame, 'gcc'),
    [state.frame, truth.frame],
  );
  const sums = useMemo(() => frame && summary(frame.planes[0]!), [frame]);
  return (
    <div class="panel" data-source={`${source}-missed`} data-name={`${name} − withheld`}>
      <MapPanel
        name={`${name} minus withheld scene, GCC`}
        view={view}
        season={season}
        base={frame && { frame, style: MISSED, range: null }}
        day={`${state.url}−${truth.url}`}
      />
      <p class="readout">
        {sums?.n
          ? `mean ${number(finite(sums.mean), 4)}  RMSE ${number(finite(sums.rmse), 4)}  n ${sums.n}`
          : sums
            ? 'no common pixel'
            : ' '}
      </p>
    </div>
  );
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
