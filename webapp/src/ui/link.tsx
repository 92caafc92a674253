/** Links within the viewer: a plain click changes the state, any other opens the address. */
import type { ComponentChildren } from 'preact';
import type { Season } from '../api';
import { format, START, type Route } from '../route';
import { go } from '../state';
import { scenarioName } from './words';

interface Props {
  to: Route;
  class?: string;
  current?: boolean;
  children: ComponentChildren;
}

export function Link({ to, current, children, ...rest }: Props) {
  const follow = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(to, true);
  };
  return (
    <a href={format(to)} aria-current={current ? 'page' : undefined} onClick={follow} {...rest}>
      {children}
    </a>
  );
}

/** A scenario's name that opens its pictures and curves. */
export function ScenarioLink({ season, name }: { season: Season; name: string }) {
  return (
    <Link to={{ ...START, site: season.site.name, season: season.season, scenario: name }}>{scenarioName(name)}</Link>
  );
}
