/** Any JSON table file, whole: lists of records become tables, records of numbers become lists of facts. */
import { getJson, jsonUrl } from '../api';
import { useLoaded } from '../state';
import { Await, number, Table } from './parts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Obj = { [key: string]: Json };

const isObject = (value: Json): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value);
const isScalar = (value: Json): boolean => typeof value !== 'object' || value === null;

/** A file's contents, loaded when opened. */
export function JsonFile({ path }: { path: string }) {
  const loaded = useLoaded(path, () => getJson<Json>(jsonUrl(path)));
  return <Await loaded={loaded}>{(data) => <JsonView value={data} name={path.split('/').at(-1)!} />}</Await>;
}

export function JsonView({ value, name, depth = 0 }: { value: Json; name: string; depth?: number }) {
  if (isScalar(value))
    return (
      <p>
        <strong>{name}</strong>: {number(value, 4)}
      </p>
    );
  if (Array.isArray(value)) {
    if (value.length && value.every(isObject)) return <Records rows={value.map((row) => flat(row))} name={name} />;
    return (
      <p>
        <strong>{name}</strong>:{' '}
        {value.map((one) => (isScalar(one) ? number(one, 4) : JSON.stringify(one))).join(', ') || '–'}
      </p>
    );
  }
  const object = value as Obj;
  const rows = Object.entries(object);
  if (rows.length > 1 && rows.every(([, one]) => isObject(one) && Object.values(flat(one)).every(isScalar))) {
    return <Records rows={rows.map(([key, one]) => ({ name: key, ...flat(one as Obj) }))} name={name} />;
  }
  const facts = rows.filter(([, one]) => isScalar(one));
  const parts = rows.filter(([, one]) => !isScalar(one));
  return (
    <section class="json" data-depth={depth}>
      {depth > 0 && <h3>{name}</h3>}
      {facts.length > 0 && (
        <dl class="facts">
          {facts.map(([key, one]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>{number(one, 4)}</dd>
            </div>
          ))}
        </dl>
      )}
      {parts.map(([key, one]) => (
        <JsonView key={key} value={one} name={key} depth={depth + 1} />
      ))}
    </section>
  );
}

function Records({ rows, name }: { rows: Record<string, Json>[]; name: string }) {
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return <Table caption={name} heads={heads} rows={rows.map((row) => heads.map((head) => cell(row[head])))} />;
}

function cell(value: Json | undefined): string {
  if (value === undefined) return '';
  return isScalar(value) ? number(value, 4) : JSON.stringify(value);
}

/** Nested records as one level, names joined by dots; lists stay. */
export function flat(object: Obj, prefix = ''): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]): [string, Json][] =>
      isObject(value) ? Object.entries(flat(value, `${prefix}${key}.`)) : [[`${prefix}${key}`, value]],
    ),
  );
}
