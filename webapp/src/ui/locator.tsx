/** Where the sites are: a small map without any tile. */
import { useMemo } from 'preact/hooks';
import type { SiteFacts } from '../api';
import { START } from '../route';
import { useLoaded } from '../state';
import { frame, outlines, type Topology } from '../world';
import { Link } from './link';
import { placeLabels } from './place-labels';

const WIDTH = 420;
const HEIGHT = 220;
/** Of the labels, as the style sheet has it. */
const FONT = 12;

export function Locator({ sites }: { sites: readonly (SiteFacts & { seasons: { season: number }[] })[] }) {
  const world = useLoaded(
    'world',
    async () => (await import('world-atlas/countries-110m.json')).default as unknown as Topology,
  );
  const project = useMemo(
    () =>
      frame(
        sites.map((site) => [site.longitude, site.latitude]),
        WIDTH,
        HEIGHT,
      ),
    [sites],
  );
  const points = useMemo(
    () =>
      sites.map((site) => {
        const [x, y] = project([site.longitude, site.latitude]);
        return { x, y, text: site.name };
      }),
    [sites, project],
  );
  const labels = useMemo(() => placeLabels(points, FONT, WIDTH, HEIGHT), [points]);
  const drawn = useMemo(() => world.data && outlines(world.data, project), [world.data, project]);
  return (
    <svg class="locator" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="group" aria-label="Map of the sites">
      {drawn && <path class="land" d={drawn.land} />}
      {drawn && <path class="borders" d={drawn.lines} />}
      {sites.map((site, i) => {
        const { x, y } = points[i]!;
        const label = labels[i];
        return (
          <Link key={site.name} to={{ ...START, site: site.name, season: site.seasons.at(-1)?.season ?? null }}>
            <title>{site.name}</title>
            <circle cx={x} cy={y} r={4.5} />
            {label && (
              <text x={label.x} y={label.y} text-anchor={label.anchor}>
                {site.name}
              </text>
            )}
          </Link>
        );
      })}
    </svg>
  );
}
