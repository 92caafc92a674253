import type { Overview, Season } from '../api';
export function Preselection({ season }: { season: Season; overview: Overview | null }) {
  return <h1>{season.season}</h1>;
}
