/** The table files of a season: read here, or saved. */
import { useState } from 'preact/hooks';
import { fileUrl, type Season } from '../api';
import { JsonFile } from './json-view';

export function Files({ season, title, pick }: { season: Season; title: string; pick: (path: string) => boolean }) {
  const [open, setOpen] = useState<string | null>(null);
  const prefix = `${season.site.name}/${season.season}/`;
  const files = season.tables.filter((file) => pick(file.path.slice(prefix.length)));
  if (!files.length) return null;
  return (
    <section class="files">
      <h2>{title}</h2>
      <ul>
        {files.map(({ path, bytes }) => (
          <li key={path}>
            <code>{path.slice(prefix.length)}</code>{' '}
            <span class="note">{bytes < 1500 ? `${bytes} B` : `${Math.round(bytes / 1000)} kB`}</span>
            <a href={fileUrl(path)} download>
              Save
            </a>
            {path.endsWith('.json') && (
              <button
                type="button"
                class="quiet"
                aria-expanded={open === path}
                onClick={() => setOpen(open === path ? null : path)}
              >
                {open === path ? 'Close' : 'Read'}
              </button>
            )}
            {open === path && <JsonFile path={path} />}
          </li>
        ))}
      </ul>
    </section>
  );
}
