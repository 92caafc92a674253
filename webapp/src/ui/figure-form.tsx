/** A figure for print: the day that is shown, in millimetres and dots an inch, made by the server. */
import { useState } from 'preact/hooks';
import { figureUrl, type Season } from '../api';
import { toIso } from '../days';
import { route } from '../state';
import type { Stage } from '../route';
import { Select } from './parts';

/** Styles that the server draws. */
const DRAWN = new Set(['true', 'false', 'ndvi', 'gcc', 'b02', 'b03', 'b04', 'b8a']);
const FORMATS = [
  ['pdf', 'PDF'],
  ['svg', 'SVG'],
  ['png', 'PNG'],
] as const;
/** Widths that journals ask for: one column, one and a half, two. */
const WIDTHS = [85, 120, 180];

export function FigureForm({ season, stage }: { season: Season; stage: Stage }) {
  const { date, style, range } = route.value;
  const [format, setFormat] = useState('pdf');
  const [width, setWidth] = useState('180');
  const [dpi, setDpi] = useState('300');
  if (date === null || !DRAWN.has(style)) return null;
  const order = { date: toIso(date), style, format, width, dpi, ...(range ? { range: range.join() } : {}) };
  return (
    <fieldset class="figure-form">
      <legend>Figure for print</legend>
      <Select label="Format" value={format} options={FORMATS} onChange={setFormat} />
      <Measure label="Width, mm" value={width} onChange={setWidth} min={60} max={420} list="figure-widths" />
      <datalist id="figure-widths">
        {WIDTHS.map((mm) => (
          <option key={mm} value={mm} />
        ))}
      </datalist>
      {format === 'png' && <Measure label="dpi" value={dpi} onChange={setDpi} min={72} max={1200} />}
      <a href={figureUrl(season, stage, order)} download>
        Save figure of {toIso(date)}
      </a>
    </fieldset>
  );
}

interface MeasureProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  min: number;
  max: number;
  list?: string;
}

function Measure({ label, value, onChange, min, max, list }: MeasureProps) {
  return (
    <label>
      {label}{' '}
      <input
        type="number"
        value={value}
        min={min}
        max={max}
        list={list}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}
