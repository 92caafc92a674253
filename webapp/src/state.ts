/** The one state: the route, kept in the address. */
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { asError } from './api';
import { misread } from './misread';
import { format, parse, type Route } from './route';

export const route = signal<Route>(parse(location.pathname, location.search));

/** What of the opened address was passed over. */
export const unread = signal(misread(location.pathname, location.search));

/** Day under the pointer on a chart, and the place under the pointer on a map. */
export const hoverDay = signal<number | null>(null);
export const hoverPlace = signal<[number, number] | null>(null);
/** Corners so far of an area that is being drawn; null: clicks choose pixels. */
export const drawing = signal<[number, number][] | null>(null);
/** Where swiping splits the map, 0 to 1. */
export const split = signal(0.5);
/** Last words for screen readers. */
export const spoken = signal('');

/** Change the state; a new page of history when `push`. */
export function go(change: Partial<Route>, push = false): void {
  route.value = { ...route.value, ...change };
  const target = format(route.value);
  if (push) history.pushState(null, '', target);
  else writeSoon(target);
}

let waiting = 0;

/** Browsers limit how often the address may change; scrubbing would exceed it. */
function writeSoon(target: string): void {
  clearTimeout(waiting);
  waiting = window.setTimeout(() => history.replaceState(null, '', target), 120);
}

addEventListener('popstate', () => {
  clearTimeout(waiting);
  route.value = parse(location.pathname, location.search);
  unread.value = misread(location.pathname, location.search);
});

export interface Loaded<T> {
  data: T | null;
  error: Error | null;
  loading: boolean;
}

/** What `load` gives for `key`; the last data stay while the next load runs, unless `forget`. Null key: nothing. */
export function useLoaded<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>, forget = false): Loaded<T> {
  const [state, setState] = useState<Loaded<T> & { key: string | null }>({
    data: null,
    error: null,
    loading: key !== null,
    key,
  });
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    if (key === null) {
      setState({ data: null, error: null, loading: false, key });
      return undefined;
    }
    const abort = new AbortController();
    setState((before) => ({ data: forget ? null : before.data, error: null, loading: true, key }));
    latest.current(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, error: null, loading: false, key }),
      (error: unknown) => abort.signal.aborted || setState({ data: null, error: asError(error), loading: false, key }),
    );
    return () => abort.abort();
  }, [key, forget]);
  return state.key === key || !forget ? state : { data: null, error: null, loading: key !== null };
}
