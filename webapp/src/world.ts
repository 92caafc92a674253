/** Land and borders of the world (Natural Earth, 1:110 million) as SVG paths in the pixels of a small map. */

export interface Topology {
  transform: { scale: readonly [number, number]; translate: readonly [number, number] };
  arcs: readonly (readonly (readonly number[])[])[];
  objects: { land: { geometries: readonly { arcs: readonly (readonly (readonly number[])[])[] }[] } };
}

type Place = readonly [longitude: number, latitude: number];

/** Where a place lies on the map, in pixels. */
export type Projection = (place: Place) => [number, number];

const AIR_DEGREES = 5;
const LEAST_DEGREES = 11;

/** A plain map of `width` x `height` pixels that holds all `places`, true to shape in its middle. */
export function frame(places: readonly Place[], width: number, height: number): Projection {
  const ends = (values: number[]): [number, number] => [Math.min(...values), Math.max(...values)];
  const [west, east] = ends(places.map(([longitude]) => longitude));
  const [south, north] = ends(places.map(([, latitude]) => latitude));
  const [middle, equator] = [(west + east) / 2, (south + north) / 2];
  const squeeze = Math.cos((equator * Math.PI) / 180);
  const halfHeight = Math.max(
    LEAST_DEGREES,
    (north - south) / 2 + AIR_DEGREES,
    (((east - west) / 2) * squeeze + AIR_DEGREES) * (height / width),
  );
  const scale = height / 2 / halfHeight;
  return ([longitude, latitude]) => [
    width / 2 + (longitude - middle) * squeeze * scale,
    height / 2 - (latitude - equator) * scale,
  ];
}

/** Land to be filled, and coasts and borders to be drawn. */
export function outlines({ transform, arcs, objects }: Topology, project: Projection): { land: string; lines: string } {
  const decoded = arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([dx, dy]): Place => {
      x += dx!;
      y += dy!;
      return [x * transform.scale[0] + transform.translate[0], y * transform.scale[1] + transform.translate[1]];
    });
  });
  // A ring runs along its arcs; a negative number ~i is arc i backwards.
  const ring = (numbers: readonly number[]): Place[] =>
    numbers.flatMap((i) => (i < 0 ? decoded[~i]!.toReversed() : decoded[i]!));
  const path = (points: readonly Place[]): string =>
    `M${points
      .map((place) =>
        project(place)
          .map((v) => v.toFixed(1))
          .join(' '),
      )
      .join('L')}`;
  return {
    land: objects.land.geometries
      .flatMap((geometry) =>
        geometry.arcs.flat().flatMap((numbers) => rings(ring(numbers)).map((piece) => `${path(piece)}z`)),
      )
      .join(''),
    lines: decoded.flatMap(pieces).map(path).join(''),
  };
}

/** A line cut where it leaves the map at 180 degrees and enters it on the other side. */
function pieces(points: readonly Place[]): Place[][] {
  const found: Place[][] = [];
  points.forEach((place, i) => {
    if (i === 0 || Math.abs(place[0] - points[i - 1]![0]) > 180) found.push([]);
    found.at(-1)!.push(place);
  });
  return found;
}

/** A ring cut likewise; where it began is no cut, so what lies before and behind that place stays one piece. */
function rings(points: readonly Place[]): Place[][] {
  const [first, ...others] = pieces(points);
  const last = others.pop();
  return first && last ? [[...last, ...first], ...others] : first ? [first] : [];
}
