import type { Overview, Season } from '../api';
export function Gaps({ season }: { season: Season; overview: Overview | null }) {
  return <h1>{season.season}</h1>;
}
