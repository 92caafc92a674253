/** One map panel: what it shows is said above it, the values under the pointer below it. */
import OlMap from 'ol/Map';
import View from 'ol/View';
import { platformModifierKey } from 'ol/events/condition';
import { defaults as interactions } from 'ol/interaction/defaults';
import MouseWheelZoom from 'ol/interaction/MouseWheelZoom';
import Projection from 'ol/proj/Projection';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import type { Season } from '../api';
import type { Frame } from '../raster/frame';
import { paint, type Style } from '../raster/styles';
import { MOST_CORNERS } from '../route';
import { drawing, go, hoverPlace, route, spoken, split } from '../state';
import { RasterLayer, type Picture } from './raster-layer';

const FINE_M = 10;

/** A frame and how it is shown. */
export interface Shown {
  frame: Frame;
  style: Style;
  range: readonly [number, number] | null;
}

const painted = new WeakMap<Frame, Map<string, Picture>>();

/** The picture of a frame in a style, painted once. */
export function picture({ frame, style, range }: Shown): Picture {
  const key = `${style.key}|${range}|${style.range}`;
  const known = painted.get(frame) ?? new Map<string, Picture>();
  painted.set(frame, known);
  let found = known.get(key);
  if (!found) {
    const { width, height } = frame.header;
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = height;
    canvas.getContext('2d')!.putImageData(new ImageData(paint(frame, style, range), width, height), 0, 0);
    found = { canvas, extent: frame.extent };
    known.set(key, found);
  }
  return found;
}

/** The one view that all maps of a season share: pan or zoom one and all follow. */
export function useSharedView(season: Pick<Season, 'epsg' | 'extent'>): View {
  const [left, bottom, right, top] = season.extent;
  const view = useMemo(() => {
    const projection = new Projection({ code: `EPSG:${season.epsg}`, units: 'm', global: false });
    const at = route.peek().at;
    const made = new View({
      projection,
      center: at ? [at[0], at[1]] : [(left + right) / 2, (bottom + top) / 2],
      resolution: at ? at[2] : (top - bottom) / 330,
      minResolution: 0.3,
      maxResolution: 60,
      constrainResolution: false,
      enableRotation: false,
      smoothResolutionConstraint: false,
    });
    return made;
  }, [season.epsg, left, bottom, right, top]);
  return view;
}

export function fitView(view: View, season: Pick<Season, 'extent'>, width: number, height: number): void {
  const [left, bottom, right, top] = season.extent;
  view.setCenter([(left + right) / 2, (bottom + top) / 2]);
  view.setResolution(Math.max((right - left) / width, (top - bottom) / height));
}

export interface MapProps {
  name: string;
  view: View;
  season: Pick<Season, 'marker' | 'footprint' | 'extent'>;
  base: Shown | null;
  over?: Shown | null;
  /** Said in place of the picture. */
  message?: ComponentChildren;
  /** Written to `data-day` once painted. */
  day: string;
  children?: ComponentChildren;
}

export function MapPanel({ name, view, season, base, over = null, message, day, children }: MapProps) {
  const box = useRef<HTMLDivElement>(null);
  const parts = useRef<{ map: OlMap; layer: RasterLayer } | null>(null);
  const picked = route.value.px;
  const hover = hoverPlace.value;
  const area = drawing.value ?? route.value.area;
  const place = split.value;

  useEffect(() => {
    const target = box.current!;
    const layer = new RasterLayer({
      base: null,
      over: null,
      split: 1,
      marker: season.marker,
      footprint: season.footprint,
      pixel: null,
      area: null,
      hover: null,
    });
    // Without double click to zoom a click needs not wait for a second one.
    const map = new OlMap({
      target,
      view,
      layers: [layer],
      controls: [],
      // The wheel alone scrolls the page.
      interactions: interactions({ doubleClickZoom: false, mouseWheelZoom: false }).extend([
        new MouseWheelZoom({ condition: platformModifierKey }),
      ]),
    });
    parts.current = { map, layer };
    if (!route.peek().at) fitView(view, season, target.clientWidth, target.clientHeight);
    map.on('pointermove', (event) => {
      if (!event.dragging) hoverPlace.value = event.coordinate as [number, number];
    });
    map.on('click', (event) => pick(event.coordinate as [number, number]));
    map.on('moveend', () => touched && remember(view));
    const leave = (): void => {
      hoverPlace.value = null;
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key === 'Enter') pick(view.getCenter() as [number, number]);
    };
    // A map that was clicked gives the arrow keys back to the days; one that was reached by Tab keeps them for panning.
    const release = (): void => target.blur();
    target.addEventListener('pointerup', release);
    target.addEventListener('pointerleave', leave);
    target.addEventListener('keydown', key);
    return () => {
      target.removeEventListener('pointerup', release);
      target.removeEventListener('pointerleave', leave);
      target.removeEventListener('keydown', key);
      map.setTarget(undefined);
      map.dispose();
    };
    function pick([east, north]: [number, number]): void {
      const corners = drawing.value;
      if (corners) {
        if (corners.length < MOST_CORNERS) drawing.value = [...corners, [Math.round(east), Math.round(north)]];
        spoken.value = `Corner ${drawing.value!.length} of the area.`;
        return;
      }
      const [left, bottom] = season.extent;
      const snap = (value: number, corner: number): number =>
        corner + (Math.floor((value - corner) / FINE_M) + 0.5) * FINE_M;
      go({ px: [snap(east, left), snap(north, bottom)] });
      spoken.value = `Pixel ${east.toFixed(0)} east, ${north.toFixed(0)} north chosen.`;
    }
  }, [view]);

  useEffect(() => {
    const { layer } = parts.current!;
    layer.onDrawn = () => {
      if (base && box.current) box.current.dataset.day = day;
    };
    layer.show({
      base: base && picture(base),
      over: over && picture(over),
      split: over ? place : 1,
      marker: season.marker,
      footprint: season.footprint,
      pixel: picked,
      area,
      hover,
    });
    parts.current!.map.renderSync();
  }, [
    base?.frame,
    base?.style,
    base?.range,
    over?.frame,
    over?.style,
    over?.range,
    place,
    picked,
    area,
    hover,
    day,
    season,
  ]);

  return (
    <div class="map">
      <div
        class="map-box"
        ref={box}
        role="application"
        aria-label={`Map, ${name}. Arrow keys pan, plus and minus zoom, Enter chooses the pixel in the middle.`}
        tabIndex={0}
      />
      {message && <div class="map-message">{message}</div>}
      {children}
    </div>
  );
}

let remembering = 0;

/** Put the map's place into the address, once it rests; the first fit is not a place worth keeping. */
function remember(view: View): void {
  clearTimeout(remembering);
  remembering = window.setTimeout(() => {
    const center = view.getCenter();
    const resolution = view.getResolution();
    if (!center || !resolution) return;
    const at = [Math.round(center[0]!), Math.round(center[1]!), Number(resolution.toFixed(2))] as [
      number,
      number,
      number,
    ];
    if (String(at) !== String(route.peek().at)) go({ at });
  }, 250);
}

let touched = false;
for (const kind of ['wheel', 'pointerdown', 'keydown'] as const) {
  addEventListener(
    kind,
    (event) => {
      if (event.target instanceof Element && event.target.closest('.map-box')) touched = true;
    },
    { capture: true, passive: true },
  );
}

/** Forget the place: maps show the whole site again. */
export function forgetPlace(): void {
  touched = false;
}
