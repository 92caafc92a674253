/** Small parts that every page uses. */
import type { ComponentChildren } from 'preact';
import { toDay, toIso } from '../days';
import type { Loaded } from '../state';
import { useEffect, useRef, useState } from 'preact/hooks';
import { saveCsv } from '../save';

/** Something failed: said where it happened. */
export function Failure({ error }: { error: Error }) {
  return (
    <div class="notice failure" role="alert">
      <strong>Not shown.</strong> {error.message}
    </div>
  );
}

/** Nothing is there yet: what to do. */
export function Empty({ title, children, command }: { title: string; children?: ComponentChildren; command?: string }) {
  return (
    <div class="notice empty" role="status">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {command && <Command text={command} />}
    </div>
  );
}

/** A command to copy. */
export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <p class="command">
      <code>{text}</code>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          navigator.clipboard.writeText(text).then(
            () => setCopied(true),
            () => undefined,
          );
        }}
      >
        {copied ? 'Copied' : 'Copy'}
      </button>
    </p>
  );
}

/** The page's data, or their failure, or a sign of waiting that appears only when it takes long. */
export function Await<T>({
  loaded,
  otherwise,
  children,
}: {
  loaded: Loaded<T>;
  otherwise?: ComponentChildren;
  children: (data: T) => ComponentChildren;
}) {
  if (loaded.error)
    return (
      <>
        <Failure error={loaded.error} />
        {otherwise}
      </>
    );
  if (!loaded.data) return <Waiting />;
  return <>{children(loaded.data)}</>;
}

export function Waiting() {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p class="waiting" role="status">
      {late ? 'Loading…' : ''}
    </p>
  );
}

interface Choice<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string, string?])[];
  onChange: (value: T) => void;
}

export function Select<T extends string>({ label, value, options, onChange }: Choice<T>) {
  return (
    <label class="field">
      <span aria-hidden="true">{label}</span>
      <select value={value} aria-label={label} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map(([key, words]) => (
          <option key={key} value={key}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A few choices side by side. */
export function Toggle<T extends string>({ label, value, options, onChange }: Choice<T>) {
  return (
    <div class="field" role="group" aria-label={label}>
      <span aria-hidden="true">{label}</span>
      <div class="toggle">
        {options.map(([key, words, title]) => (
          <button type="button" key={key} aria-pressed={key === value} title={title} onClick={() => onChange(key)}>
            {words}
          </button>
        ))}
      </div>
    </div>
  );
}

/** A day written in ISO, the same in every locale; what is no day is not taken. */
export function DayInput({ label, day, onChange }: { label: string; day: number; onChange: (day: number) => void }) {
  const [bad, setBad] = useState(false);
  return (
    <input
      type="text"
      class="day"
      size={10}
      value={toIso(day)}
      aria-label={label}
      aria-invalid={bad}
      inputMode="numeric"
      onChange={(event) => {
        const typed = toDay(event.currentTarget.value.trim());
        setBad(typed === null);
        if (typed !== null) onChange(typed);
      }}
    />
  );
}

export function Check({
  label,
  value,
  onChange,
}: {
  label: string;
  value: boolean;
  onChange: (value: boolean) => void;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

/** A table of data with a caption; numbers stand right. */
export function Table({
  caption,
  heads,
  rows,
  note,
}: {
  caption: string;
  heads: readonly string[];
  rows: readonly (readonly ComponentChildren[])[];
  note?: string;
}) {
  const table = useRef<HTMLTableElement>(null);
  const cells = (): string[][] => [...table.current!.rows].map((row) => [...row.cells].map((cell) => cell.textContent));
  return (
    <figure class="table">
      <figcaption>
        <span>{caption}</span>{' '}
        <button
          type="button"
          class="quiet"
          aria-label={`CSV: ${caption}`}
          onClick={() => saveCsv(caption.replace(/\W+/g, '_'), cells())}
        >
          CSV
        </button>
      </figcaption>
      <div class="table-box" role="region" aria-label={caption} tabIndex={0}>
        <table ref={table}>
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) =>
                  j === 0 ? (
                    <th key={j} scope="row">
                      {cell}
                    </th>
                  ) : (
                    <td key={j}>{cell}</td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {note && <p class="note">{note}</p>}
    </figure>
  );
}

/** A number as people read it; missing is a dash. */
export function number(value: unknown, digits = 3): string {
  if (value === null || value === undefined || value === '') return '–';
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 0.5 * 10 ** -digits || size >= 1e6) ? value.toExponential(2) : value.toFixed(digits);
}
