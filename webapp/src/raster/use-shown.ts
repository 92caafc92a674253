/** From a product and a wanted day to a frame: the nearest day there is, said honestly. */
import { asError } from '../api';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Daily } from '../api';
import { nearest, toDay } from '../days';
import type { Frame } from './frame';
import { address, cached, load } from './store';

export interface Nearest {
  /** The day that is shown; null when there is none. */
  day: number | null;
  path: string | null;
  index: number;
}

/** Day numbers of a product. */
export function useDays(daily: Daily | null | undefined): number[] {
  return useMemo(() => (daily?.days ?? []).map((iso) => toDay(iso)!), [daily]);
}

export function nearestFile(daily: Daily | null | undefined, days: readonly number[], wanted: number): Nearest {
  const index = nearest(days, wanted);
  if (index < 0 || !daily) return { day: null, path: null, index: -1 };
  return { day: days[index]!, path: `${daily.folder}/${daily.names[index]}`, index };
}

export interface FrameState {
  frame: Frame | null;
  error: Error | null;
  /** Address of `frame`; it may lag behind the wanted one while that loads. */
  url: string | null;
}

/** The frame at an address; the last one stays until the next is there, a late answer never replaces a newer one. */
export function useFrame(path: string | null, bands?: number): FrameState {
  const url = path === null ? null : address(path, bands);
  const [state, setState] = useState<FrameState>({ frame: null, error: null, url: null });
  const ready = url === null ? null : cached(url);
  useEffect(() => {
    if (url === null) {
      setState({ frame: null, error: null, url: null });
      return undefined;
    }
    let wanted = true;
    load(url).then(
      (frame) => wanted && setState({ frame, error: null, url }),
      (error: unknown) => wanted && setState({ frame: null, error: asError(error), url }),
    );
    return () => {
      wanted = false;
    };
  }, [url]);
  if (url === null) return { frame: null, error: null, url: null };
  return ready ? { frame: ready, error: null, url } : state;
}
