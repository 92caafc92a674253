/** Downloads of what is shown. */

function save(name: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** RFC 4180: fields with commas, quotes or line ends are quoted. */
export function csv(rows: readonly (readonly unknown[])[]): string {
  const field = (value: unknown): string => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${rows.map((row) => row.map(field).join(',')).join('\r\n')}\r\n`;
}

export function saveCsv(name: string, rows: readonly (readonly unknown[])[]): void {
  save(`${name}.csv`, new Blob([csv(rows)], { type: 'text/csv' }));
}

export interface Part {
  title: string;
  canvas: HTMLCanvasElement;
}

/** Pictures side by side with their titles, the caption below them, as one PNG. */
export async function savePng(name: string, rows: readonly (readonly Part[])[], caption: readonly string[]): Promise<void> {
  const gap = 12;
  const head = 22;
  const line = 19;
  const widths = rows.map((row) => row.reduce((sum, part) => sum + part.canvas.width + gap, gap));
  const heights = rows.map((row) => Math.max(0, ...row.map((part) => part.canvas.height)) + head + gap);
  const sheet = document.createElement('canvas');
  sheet.width = Math.max(640, ...widths);
  sheet.height = heights.reduce((sum, height) => sum + height, gap) + caption.length * line + gap;
  const context = sheet.getContext('2d')!;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = '#1b1f1d';
  let y = gap;
  rows.forEach((row, i) => {
    let x = gap;
    for (const part of row) {
      context.font = '600 14px system-ui, sans-serif';
      context.fillText(part.title, x, y + 13);
      context.drawImage(part.canvas, x, y + head);
      x += part.canvas.width + gap;
    }
    y += heights[i]!;
  });
  context.font = '13px system-ui, sans-serif';
  caption.forEach((words, i) => context.fillText(words, gap, y + (i + 1) * line - 4));
  const blob = await new Promise<Blob | null>((done) => sheet.toBlob(done, 'image/png'));
  if (blob) save(`${name}.png`, blob);
}
