/** The pictures, curves and colour legends that are on the page, as one PNG with a caption. */
import type { Season } from '../api';
import { toIso } from '../days';
import { route } from '../state';
import { savePng, type Key, type Name, type Part } from '../save';
import { painted } from './palette';
import { scenarioName, sourcesInShort } from './words';

/** What is shown of a season; `what` names it in the caption. */
export async function saveSnapshot(season: Season, what: string): Promise<void> {
  const { style, range, view, date, page } = route.value;
  const day = date === null ? '' : toIso(date);
  const name = [season.site.name, season.season, page === 'explore' ? '' : page, day].filter(Boolean).join('_');
  await savePng(name, [...mapRows(), ...charts()], keys(), [
    `${season.site.name} (${season.site.description}), ${season.season}, ${scenarioName(season.scenario)}, ${what}${day && `, ${day} UTC`}`,
    `${page === 'explore' ? `Shown: ${style}${range ? ` ${range.join(' to ')}` : ''}, ${view}. Colour range fixed over dates and sensors. ` : ''}EPSG:${season.epsg}.`,
    ...(season.sources ? [`Data: ${sourcesInShort(season.sources)}`] : []),
    location.href,
  ]);
}

/** Map panels and the camera's photo as they stand, row by row. */
function mapRows(): Part[][] {
  const rows = new Map<number, Part[]>();
  for (const panel of document.querySelectorAll<HTMLElement>('.panel, .camera')) {
    const picture = panel.querySelector<HTMLCanvasElement | HTMLImageElement>('.map-canvas, img');
    if (!picture) continue;
    const width = picture.clientWidth * devicePixelRatio;
    const height = picture.clientHeight * devicePixelRatio;
    const top = Math.round(panel.getBoundingClientRect().top);
    rows.set(top, [...(rows.get(top) ?? []), { title: titleOf(panel), picture, width, height }]);
  }
  return [...rows.values()];
}

/** A panel's head, or what stands below a picture without one. */
function titleOf(panel: HTMLElement): string {
  const heads = [...panel.querySelectorAll('.panel-head')];
  const words = (head: Element): string =>
    [...(head.querySelector('h3') ?? head).childNodes]
      .map((part) => part.textContent)
      .filter(Boolean)
      .join(' ');
  return heads.length
    ? heads.map(words).join('   ')
    : `${panel.dataset.name ?? ''}: ${panel.querySelector('.readout')?.textContent ?? ''}`;
}

function charts(): Part[][] {
  return [...document.querySelectorAll('.chart')].flatMap((chart) => {
    const picture = chart.querySelector<HTMLCanvasElement>('.chart-box canvas');
    return picture
      ? [
          [
            {
              title: chart.querySelector('h2')?.textContent ?? '',
              names: names(chart),
              picture,
              width: picture.width,
              height: picture.height,
            },
          ],
        ]
      : [];
  });
}

/** The curves that are drawn, each in its colour. */
function names(chart: Element): Name[] {
  return [...chart.querySelectorAll('.legend button[aria-pressed="true"]')].map((button) => {
    const mark = button.querySelector('svg > *');
    return {
      words: [...button.childNodes]
        .filter((part) => part.nodeType === Node.TEXT_NODE)
        .map((part) => part.textContent)
        .join(''),
      colour: painted(mark?.getAttribute('stroke') ?? mark?.getAttribute('fill') ?? 'var(--ink)'),
    };
  });
}

function keys(): Key[] {
  return [...document.querySelectorAll('.colour-legend')].flatMap((legend) => {
    const [low, high] = [...legend.querySelectorAll<HTMLElement>('[data-end]')].map((end) =>
      end instanceof HTMLInputElement ? end.value : end.textContent,
    );
    const label = legend.querySelector('.colour-name')?.textContent ?? '';
    return low === undefined || high === undefined ? [] : [{ label, low, high, ramp: legend.querySelector('canvas') }];
  });
}
