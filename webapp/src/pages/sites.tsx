/** The start page: all sites, seasons and scenarios, how far they are and how well they score. */
import { fileUrl, type Overview, type SeasonStatus, type SiteFacts, type Status } from '../api';
import { START } from '../route';
import { go, route } from '../state';
import { thereAndNot } from '../ui/fetched';
import { Link } from '../ui/link';
import { Locator } from '../ui/locator';
import { Command, Empty, number, Select } from '../ui/parts';
import { isKriging, SCENARIO_KEYS, SCORE_NAMES } from '../ui/words';

const STATUS_WORDS: Record<Status, string> = {
  none: 'nothing yet',
  raw: 'raw',
  prepared: 'prepared',
  fused: 'fused',
  processed: 'processed',
  scored: 'scored',
};
const STEPS: Status[] = ['raw', 'prepared', 'fused', 'processed', 'scored'];

export function Sites({ overview }: { overview: Overview }) {
  if (!overview.sites.length) {
    return (
      <Empty title="No sites are registered." command="satfusion sites add NAME --season 2024">
        Add one; its seasons then appear here.
      </Empty>
    );
  }
  const score = chosen(overview);
  return (
    <>
      <div class="sites-top">
        <div>
          <div class="sites-head">
            <h1>Sites and seasons</h1>
            <Select
              label="Score"
              value={score}
              options={Object.entries(SCORE_NAMES)}
              onChange={(value) => go({ score: value })}
            />
          </div>
          <p class="lead">
            How well the fused greenness of each scenario follows the camera. {NOTES[score] ?? ''} A number opens its
            season; the bar below it tells how far the season has come: {STEPS.join(', ')}.
          </p>
          {overview.tables.length > 0 && (
            <p class="links note">
              Tables of all site-seasons:{' '}
              {overview.tables.map((path) => (
                <a key={path} href={fileUrl(path)} download>
                  {path.split('/').at(-1)}
                </a>
              ))}
            </p>
          )}
        </div>
        <Locator sites={overview.sites} />
      </div>
      <div class="table-box matrix" role="region" aria-label="Sites, seasons and scenarios" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col" rowSpan={2}>
                Site
              </th>
              <th scope="col" rowSpan={2}>
                Season
              </th>
              <th scope="colgroup" colSpan={SCENARIO_KEYS.length / 2}>
                aggressive
              </th>
              <th scope="colgroup" colSpan={SCENARIO_KEYS.length / 2}>
                nonaggressive
              </th>
            </tr>
            <tr>
              {SCENARIO_KEYS.map((key) => (
                <th scope="col" key={key}>
                  {key.includes('_itb') ? 'ItB' : 'BtI'} {isKriging(key) ? 'kriging' : `σ${key.slice(-2)}`}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {overview.sites.flatMap((site) =>
              site.seasons.map((season, i) => (
                <tr key={`${site.name}${season.season}`} class={i === 0 ? 'first' : ''}>
                  {i === 0 && (
                    <th scope="rowgroup" rowSpan={site.seasons.length} class="site-cell">
                      <strong>{site.name}</strong>
                      <span>{site.description}</span>
                      <span>{site.vegetation_type}</span>
                    </th>
                  )}
                  <th scope="row">
                    <Link to={{ ...START, site: site.name, season: season.season }}>{season.season}</Link>
                    {Object.values(season.scenarios).every((one) => one.status === 'raw') && (
                      <span class="note fetched">{thereAndNot(season.fetched)}</span>
                    )}
                    {season.problem && (
                      <span class="problem" title={season.problem}>
                        unreadable scores
                      </span>
                    )}
                  </th>
                  <Scenarios site={site} season={season} score={score} />
                </tr>
              )),
            )}
          </tbody>
        </table>
      </div>
    </>
  );
}

const NOTES: Record<string, string> = {
  nse_calibrated:
    'NSE after the camera’s own bias and gain are taken away, with its 95 % interval: 1 is perfect, 0 no better than the season’s mean.',
  rmse_calibrated: 'RMSE of GCC after the camera’s own bias and gain are taken away, with its 95 % interval.',
  nse_pc: 'NSE_PC compares raw numbers, so it holds the camera’s own colours against the satellite.',
};

/** The score in the address, else the calibrated NSE where any season has one, else the contract's. */
function chosen({ sites }: Overview): string {
  const wanted = route.value.score ?? '';
  if (wanted in SCORE_NAMES) return wanted;
  const seasons = sites.flatMap((site) => site.seasons.flatMap((season) => Object.values(season.scenarios)));
  return seasons.some((one) => typeof one.scores?.nse_calibrated === 'number') ? 'nse_calibrated' : 'nse_pc';
}

function Scenarios({ site, season, score }: { site: SiteFacts; season: SeasonStatus; score: string }) {
  const statuses = Object.values(season.scenarios);
  if (statuses.every((one) => one.status === 'none')) {
    return (
      <td colSpan={SCENARIO_KEYS.length} class="nothing">
        <span>{thereAndNot(season.fetched) || 'Nothing yet.'}</span>{' '}
        <Command text={`satfusion materialize ${site.name} ${season.season}`} />
      </td>
    );
  }
  const best = bestOf(season.scenarios, score);
  return (
    <>
      {SCENARIO_KEYS.map((key) => {
        const { status = 'none', scores = null, intervals = {} } = season.scenarios[key] ?? {};
        const ends = scores && intervals[score];
        return (
          <td key={key} class={key === best ? 'best' : ''}>
            <Link to={{ ...START, site: site.name, season: season.season, scenario: key }}>
              <span class={scores ? 'score' : 'score off'}>
                {scores ? number(scores[score]) : STATUS_WORDS[status]}
              </span>
              {key === best && <span class="best-word">★ best</span>}
              {ends && (
                <span class="score-interval">
                  {number(ends[0])}–{number(ends[1])}
                </span>
              )}
              <Progress status={status} />
            </Link>
          </td>
        );
      })}
    </>
  );
}

const SMALLER_IS_BETTER = new Set(['nrmse', 'rmse', 'mae', 'rmse_calibrated']);

function bestOf(scenarios: SeasonStatus['scenarios'], score: string): string | null {
  const sign = SMALLER_IS_BETTER.has(score) ? -1 : 1;
  let best: string | null = null;
  let top = -Infinity;
  if (score === 'n_samples') return null;
  for (const [key, { scores }] of Object.entries(scenarios)) {
    const value = scores?.[score];
    if (value !== null && value !== undefined && sign * value > top) {
      best = key;
      top = sign * value;
    }
  }
  return best;
}

function Progress({ status }: { status: Status }) {
  const reached = STEPS.indexOf(status);
  return (
    <span class="progress" role="img" aria-label={STATUS_WORDS[status]}>
      {STEPS.map((step, i) => (
        <span key={step} class={i <= reached ? 'on' : ''} />
      ))}
    </span>
  );
}
