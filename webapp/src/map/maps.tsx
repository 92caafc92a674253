/** The maps of a season: side by side, under two scenarios, or compared, always on one view. */
import { useEffect, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type View from 'ol/View';
import type { Season } from '../api';
import { toIso } from '../days';
import { quantiles } from '../raster/frame';
import { address, load } from '../raster/store';
import type { Style } from '../raster/styles';
import type { Source } from '../route';
import { go, hoverPlace, route } from '../state';
import { AreaTools } from '../ui/area';
import { Legend } from '../ui/legend';
import { SOURCE_NAMES } from '../ui/words';
import { layerOf } from './choose';
import { Compare } from './compare';
import { fitView, forgetPlace, MapPanel, useSharedView } from './map';
import { Scenarios } from './scenarios';
import { Head, Message, Readout, shown, sourcesOf, useSeen, type Props } from './seen';

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
        <AreaTools />
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
