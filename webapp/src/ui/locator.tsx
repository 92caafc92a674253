/** Where the sites are: a small map without any tile. */
import { useMemo } from 'preact/hooks';
import type { SiteFacts } from '../api';
import { START } from '../route';
import { useLoaded } from '../state';
import { frame, outlines, type Topology } from '../world';
import { Link } from './link';

const WIDTH = 420;
const HEIGHT = 220;

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
  const drawn = useMemo(() => world.data && outlines(world.data, project), [world.data, project]);
  return (
    <svg class="locator" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="group" aria-label="Map of the sites">
      {drawn && <path class="land" d={drawn.land} />}
      {drawn && <path class="borders" d={drawn.lines} />}
      {sites.map((site) => {
        const [x, y] = project([site.longitude, site.latitude]);
        const left = x > WIDTH * 0.7;
        return (
          <Link key={site.name} to={{ ...START, site: site.name, season: site.seasons.at(-1)?.season ?? null }}>
            <circle cx={x} cy={y} r={4.5} />
            <text x={x + (left ? -8 : 8)} y={y + 4} text-anchor={left ? 'end' : 'start'}>
              {site.name}
            </text>
          </Link>
        );
      })}
    </svg>
  );
}
