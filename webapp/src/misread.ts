/** What in an address was not understood, in words: a link with a slip must not pass for another finding. */
import { toDay } from './days';
import { isOneOf, numbers, PAGES, SCENARIO, SHOWS, SOURCES, ringOf, spanOf, STAGES, VIEWS } from './route';

type Rule = [good: (value: string) => boolean, expected: string];

const day: Rule = [(value) => toDay(value) !== null, 'a day like 2024-05-17'];
const oneOf = (all: readonly string[]): Rule => [(value) => isOneOf(all, value), `one of ${all.join(', ')}`];
const count = (n: number, words: string): Rule => [(value) => numbers(value, n) !== null, words];
const free: Rule = [() => true, ''];

const RULES: Record<string, Rule> = {
  date: day,
  bdate: day,
  stage: oneOf(STAGES),
  view: oneOf(VIEWS),
  a: oneOf(SOURCES),
  b: oneOf(SOURCES),
  show: oneOf(SHOWS),
  sensor: oneOf(['s2', 's3']),
  bands: oneOf(['0', '1']),
  colour: oneOf(['0', '1']),
  years: oneOf(['0', '1']),
  dates: oneOf(['all']),
  with: [(value) => SCENARIO.test(value), 'a scenario like aggressive_kriging'],
  px: count(2, 'easting and northing like 675865,5220905'),
  area: [(value) => ringOf(value) !== null, 'three to 64 corners, easting,northing,easting,northing,...'],
  at: count(3, 'easting, northing and metres a pixel'),
  range: count(2, 'two numbers like 0.2,0.8'),
  span: [(value) => spanOf(value) !== null, 'two days like 2024-04-01,2024-06-30'],
  style: free,
  gap: free,
  rival: free,
  quantity: free,
  layer: free,
  score: free,
  region: free,
};

/** One sentence for each part of the address that was passed over. */
export function misread(pathname: string, search: string): string[] {
  const words: string[] = [];
  const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  if (parts[1] !== undefined && !/^\d{4}$/.test(parts[1])) words.push(`“${parts[1]}” is no season; write its year.`);
  for (const part of parts.slice(2)) {
    if (!SCENARIO.test(part) && !isOneOf(PAGES, part)) words.push(`“${part}” is neither a scenario nor a page.`);
  }
  for (const [name, value] of new URLSearchParams(search)) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
    if (!rule) words.push(`${name} is not known.`);
    else if (!rule[0](value)) words.push(`${name}=${value} is not ${rule[1]}.`);
  }
  return words;
}
