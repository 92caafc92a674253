/** Frames by address: kept while recent, at most two loads ahead of time in flight, the wanted ones first. */
import { getBytes } from '../api';
import { Frame } from './frame';

const KEPT = 120;
const AHEAD = 2;

const frames = new Map<string, Frame>();
const loading = new Map<string, Promise<Frame>>();
let queue: string[] = [];
let ahead = 0;

export const address = (path: string, bands?: number): string => `/_frame/${path}${bands ? `?bands=${bands}` : ''}`;

/** The frame if it is at hand. */
export function cached(url: string): Frame | undefined {
  const frame = frames.get(url);
  if (frame) {
    frames.delete(url);
    frames.set(url, frame);
  }
  return frame;
}

/** The frame, loaded if need be; one load an address. */
export function load(url: string): Promise<Frame> {
  const frame = cached(url);
  if (frame) return Promise.resolve(frame);
  const running = loading.get(url);
  if (running) return running;
  const started = getBytes(url)
    .then((bytes) => keep(url, Frame.decode(bytes)))
    .finally(() => loading.delete(url));
  loading.set(url, started);
  return started;
}

/** Load these when there is nothing better to do; a newer list replaces the rest of an older one. */
export function prefetch(urls: string[]): void {
  queue = urls.filter((url) => !frames.has(url) && !loading.has(url));
  pump();
}

function pump(): void {
  while (ahead < AHEAD && queue.length) {
    ahead += 1;
    load(queue.shift()!)
      .catch(() => undefined)
      .finally(() => {
        ahead -= 1;
        pump();
      });
  }
}

function keep(url: string, frame: Frame): Frame {
  frames.set(url, frame);
  for (const oldest of frames.keys()) {
    if (frames.size <= KEPT) break;
    frames.delete(oldest);
  }
  return frame;
}
