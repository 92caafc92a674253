/** Site, season, scenario and page: the way around. */
import type { Overview, Season, SiteFacts } from '../api';
import { PAGES, START, type Page } from '../route';
import { go, route } from '../state';
import { Link } from '../ui/link';
import { Select } from '../ui/parts';
import { choose, theme, THEMES, type Theme } from '../ui/theme';
import { SCENARIO_KEYS, scenarioName, sourcesInShort } from '../ui/words';

export const PAGE_NAMES: Record<Page, string> = {
  explore: 'Explore',
  preselection: 'Preselection',
  metrics: 'Metrics',
  gaps: 'Gap validation',
  phenology: 'Phenology',
};

const OTHER_SEASON = { date: null, px: null, at: null, gap: null, bDate: null, span: null };

export function Header({ overview, season }: { overview: Overview | null; season: Season | null }) {
  const { site, season: year, scenario, page } = route.value;
  const sites = overview?.sites ?? [];
  const here = sites.find((one) => one.name === site);
  return (
    <header class="top">
      <Link class="brand" to={START}>
        satfusion
      </Link>
      {site && year && (
        <>
          <Select
            label="Site"
            value={site}
            options={[...(here ? [] : [[site, site] as const]), ...sites.map((one) => [one.name, one.name] as const)]}
            onChange={(name) =>
              go(
                {
                  ...OTHER_SEASON,
                  site: name,
                  season: sites.find((one) => one.name === name)?.seasons.at(-1)?.season ?? year,
                  scenario: null,
                },
                true,
              )
            }
          />
          <Select
            label="Season"
            value={String(year)}
            options={(here?.seasons ?? [{ season: year }]).map(
              (one) => [String(one.season), String(one.season)] as const,
            )}
            onChange={(value) => go({ ...OTHER_SEASON, season: Number(value), scenario: null }, true)}
          />
          <Select
            label="Scenario"
            value={scenario ?? season?.scenario ?? ''}
            options={SCENARIO_KEYS.map((key) => [key, scenarioName(key)] as const)}
            onChange={(value) => go({ scenario: value, range: null }, true)}
          />
          <nav aria-label="Pages">
            {PAGES.map((key) => (
              <Link key={key} to={{ ...route.value, page: key }} current={key === page}>
                {PAGE_NAMES[key]}
              </Link>
            ))}
          </nav>
        </>
      )}
      <Select
        label="Light or dark"
        value={theme.value}
        options={Object.entries(THEMES) as [Theme, string][]}
        onChange={choose}
      />
      {season && <Where site={season.site} />}
      {season?.sources && <Sources text={season.sources} />}
    </header>
  );
}

/** What the archives say of their data, in short; all of it on asking. */
function Sources({ text }: { text: string }) {
  const statements = text.split(' | ');
  return (
    <details class="sources">
      <summary>Data: {sourcesInShort(text)}</summary>
      <ul>
        {statements.map((statement) => (
          <li key={statement}>{statement}</li>
        ))}
      </ul>
    </details>
  );
}

/** The place in words; the map of the world is one link away and never loaded by itself. */
function Where({ site }: { site: SiteFacts }) {
  const { latitude, longitude, elevation, vegetation_type: vegetation, description, name } = site;
  const facts = [
    `${degrees(latitude, 'N', 'S')} ${degrees(longitude, 'E', 'W')}`,
    elevation === null ? '' : `${elevation} m`,
    vegetation,
  ]
    .filter(Boolean)
    .join(', ');
  return (
    <p class="where">
      <a
        href={`https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=12/${latitude}/${longitude}`}
        target="_blank"
        rel="noreferrer"
        title={`${facts}. Opens OpenStreetMap, which needs the internet.`}
      >
        {description || name}
      </a>
    </p>
  );
}

const degrees = (value: number, positive: string, negative: string): string =>
  `${Math.abs(value).toFixed(4)}° ${value < 0 ? negative : positive}`;
