/** The camera's photo nearest to the day. */
import { useEffect, useState } from 'preact/hooks';
import { fileUrl, type Daily } from '../api';
import { lag, toIso } from '../days';
import { nearestFile, useDays } from '../raster/use-shown';
import { COLOURS } from './words';

const REACH = 14;

export function Camera({ photos, date, command }: { photos: Daily; date: number; command: string }) {
  const days = useDays(photos);
  const near = nearestFile(photos, days, date);
  const far = near.day === null || Math.abs(near.day - date) > REACH;
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    if (near.index < 0) return;
    for (const by of [1, 2, -1]) {
      const name = photos.names[near.index + by];
      if (name) new Image().src = fileUrl(`${photos.folder}/${name}`);
    }
  }, [near.index]);
  return (
    <section class="camera" aria-label="Camera">
      <h2 class="panel-head">
        <span class="dot" style={{ background: COLOURS.camera }} aria-hidden="true" />
        PhenoCam
        {near.day !== null && (
          <span class={near.day === date ? 'lag' : 'lag off'}>
            {toIso(near.day)}
            {near.day === date ? '' : ` (${lag(near.day, date)})`}
          </span>
        )}
      </h2>
      {near.path === null && (
        <p class="photo-empty">
          No photos of this season yet. They come with <code>{command}</code>.
        </p>
      )}
      {near.path !== null && far && (
        <p class="photo-empty">
          No photo within {REACH} days of {toIso(date)}.
        </p>
      )}
      {near.path !== null && !far && failed === near.path && (
        <p class="photo-empty" role="alert">
          The photo of {toIso(near.day!)} cannot be shown: {near.path} is not a readable picture.
        </p>
      )}
      {near.path !== null && !far && failed !== near.path && (
        <a href={fileUrl(near.path)} target="_blank" rel="noreferrer" title="Open the photo">
          <img
            src={fileUrl(near.path)}
            alt={`Camera photo of ${toIso(near.day!)}`}
            onError={() => setFailed(near.path)}
          />
        </a>
      )}
    </section>
  );
}
