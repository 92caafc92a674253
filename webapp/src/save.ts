/** Downloads of what is shown. */
import { painted } from './ui/palette';

function save(name: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** One line: label, lower end, ramp, upper end. */
function drawKey(
  context: CanvasRenderingContext2D,
  { label, low, high, ramp }: Key,
  left: number,
  baseline: number,
): void {
  let x = left;
  const write = (words: string): void => {
    context.fillText(words, x, baseline);
    x += context.measureText(words).width + 8;
  };
  write(label);
  write(low);
  if (ramp) {
    context.drawImage(ramp, x, baseline - 10);
    x += ramp.width + 8;
  } else write('to');
  write(high);
}

/** RFC 4180: fields with commas, quotes or line ends are quoted. */
export function csv(rows: readonly (readonly unknown[])[]): string {
  const field = (value: unknown): string => {
    const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${rows.map((row) => row.map(field).join(',')).join('\r\n')}\r\n`;
}

export function saveCsv(name: string, rows: readonly (readonly unknown[])[]): void {
  save(`${name}.csv`, new Blob([csv(rows)], { type: 'text/csv' }));
}

/** A curve's name in its colour. */
export interface Name {
  words: string;
  colour: string;
}

/** One picture of a sheet, drawn `width` x `height`. */
export interface Part {
  title: string;
  names?: readonly Name[];
  picture: CanvasImageSource;
  width: number;
  height: number;
}

/** A colour legend: what it shows, its ends, and the ramp between them (none: brightness). */
export interface Key {
  label: string;
  low: string;
  high: string;
  ramp: HTMLCanvasElement | null;
}

/** Pictures side by side with their titles, the caption below them, as one PNG; light or dark as the page is. */
export async function savePng(
  name: string,
  rows: readonly (readonly Part[])[],
  keys: readonly Key[],
  caption: readonly string[],
): Promise<void> {
  const gap = 12;
  const head = 22;
  const line = 19;
  const widths = rows.map((row) => row.reduce((sum, part) => sum + part.width + gap, gap));
  const heights = rows.map((row) => Math.max(0, ...row.map((part) => part.height)) + head + gap);
  const sheet = document.createElement('canvas');
  sheet.width = Math.max(640, ...widths);
  sheet.height = heights.reduce((sum, height) => sum + height, gap) + (keys.length + caption.length) * line + gap;
  const context = sheet.getContext('2d')!;
  const ink = painted('var(--ink)');
  context.fillStyle = painted('var(--paper)');
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = ink;
  let y = gap;
  rows.forEach((row, i) => {
    let x = gap;
    for (const part of row) {
      context.font = '600 14px system-ui, sans-serif';
      context.fillText(part.title, x, y + 13);
      let end = x + context.measureText(part.title).width;
      for (const { words, colour } of part.names ?? []) {
        context.fillStyle = colour;
        context.fillText(words, end + 14, y + 13);
        end += 14 + context.measureText(words).width;
      }
      context.fillStyle = ink;
      context.drawImage(part.picture, x, y + head, part.width, part.height);
      x += part.width + gap;
    }
    y += heights[i]!;
  });
  context.font = '13px system-ui, sans-serif';
  for (const key of keys) {
    drawKey(context, key, gap, y + line - 4);
    y += line;
  }
  caption.forEach((words, i) => context.fillText(words, gap, y + (i + 1) * line - 4));
  const blob = await new Promise<Blob | null>((done) => sheet.toBlob(done, 'image/png'));
  if (blob) save(`${name}.png`, blob);
}
