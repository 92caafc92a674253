/** Downloads of what is shown, and the link to it. */
import { useState } from 'preact/hooks';
import { fileUrl, indexUrl, layerUrl, type PixelSeason, type Season, type SiteSeries } from '../api';
import { toDay, toIso } from '../days';
import { sourcesOf } from '../map/seen';
import { layerOf } from '../map/choose';
import { nearestFile } from '../raster/use-shown';
import { route } from '../state';
import type { Source, Stage } from '../route';
import { saveCsv } from '../save';
import { FigureForm } from './figure-form';
import { saveSnapshot } from './snapshot';
import { SOURCE_NAMES, STAGE_NAMES } from './words';

interface Props {
  season: Season;
  stage: Stage;
  series: SiteSeries | null;
  pixel: PixelSeason | null;
}

export function Downloads({ season, stage, series, pixel }: Props) {
  const { date, style } = route.value;
  const name = `${season.site.name}_${season.season}_${season.scenario}_${stage}`;
  const [copied, setCopied] = useState(false);
  const layer = layerOf(season, style);
  const files = sourcesOf(stage).flatMap((source) => {
    const daily = season.stages[stage][source];
    const near = nearestFile(
      daily,
      (daily?.days ?? []).map((iso) => toDay(iso)!),
      date ?? 0,
    );
    return near.path ? [{ source, path: near.path, day: near.day! }] : [];
  });
  return (
    <details class="downloads">
      <summary>Save &amp; share</summary>
      <div class="downloads-box">
        <button
          type="button"
          onClick={() => {
            navigator.clipboard.writeText(location.href).then(
              () => setCopied(true),
              () => undefined,
            );
          }}
        >
          {copied ? 'Link copied' : 'Copy the link to this view'}
        </button>
        <button type="button" onClick={() => void saveSnapshot(season, STAGE_NAMES[stage].toLowerCase())}>
          PNG of this view with caption
        </button>
        <FigureForm season={season} stage={stage} />
        {series && (
          <button type="button" onClick={() => saveCsv(`${name}_site`, wide(series.sources, series.camera))}>
            CSV, site’s series
          </button>
        )}
        {pixel && (
          <button type="button" onClick={() => saveCsv(`${name}_pixel`, wide(pixel.sources))}>
            CSV, this pixel’s season
          </button>
        )}
        {files.map(({ source, path, day }) => (
          <span key={source}>
            <a href={fileUrl(path)} download={`${name}_${source}_${toIso(day)}.tif`}>
              GeoTIFF {SOURCE_NAMES[source]} {toIso(day)}
            </a>
            {(style === 'ndvi' || style === 'gcc') && source !== 'distance' && source !== 'scl' && (
              <a href={indexUrl(path, style)} download>
                as {style.toUpperCase()}
              </a>
            )}
          </span>
        ))}
        {layer && (
          <a href={layerUrl(layer.path)} download>
            GeoTIFF {layer.label}, all days
          </a>
        )}
        {season.pack && (
          <span class="note">
            xarray:{' '}
            <code>
              open_zarr("data/{season.site.name}/{season.season}/packs/{season.scenario}.zarr")
            </code>
          </span>
        )}
      </div>
    </details>
  );
}

/** One row a day and source. */
function wide(sources: SiteSeries['sources'], camera?: SiteSeries['camera']): unknown[][] {
  const all = Object.entries(sources) as [Source, NonNullable<SiteSeries['sources'][Source]>][];
  const heads = [...new Set(all.flatMap(([, series]) => Object.keys(series)))].filter((key) => key !== 'date');
  const rows: unknown[][] = [['source', 'date', ...heads]];
  for (const [source, series] of all)
    series.date.forEach((day, i) => rows.push([source, day, ...heads.map((head) => series[head]?.[i])]));
  camera?.date.forEach((day, i) =>
    rows.push(['phenocam', day, ...heads.map((head) => (head === 'gcc' ? camera.gcc?.[i] : ''))]),
  );
  return rows;
}
