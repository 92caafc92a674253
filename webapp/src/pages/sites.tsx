/** The start page: all sites, seasons and scenarios, how far they are and how well they score. */
import type { ComponentChildren } from "preact";
import type { Overview, Scores, Status } from '../api';
import { format, START } from '../route';
import { go, route } from '../state';
import { Empty, number, Select } from '../ui/parts';
import { SCENARIO_KEYS, SCORE_NAMES } from '../ui/words';

const STATUS_WORDS: Record<Status, string> = {
  none: 'nothing yet', raw: 'raw', prepared: 'prepared', fused: 'fused', processed: 'processed', scored: 'scored',
};
const STEPS: Status[] = ['raw', 'prepared', 'fused', 'processed', 'scored'];

export function Sites({ overview }: { overview: Overview }) {
  const score = route.value.score in SCORE_NAMES ? route.value.score : 'nse_pc';
  if (!overview.sites.length) {
    return <Empty title="No sites are registered." command="satfusion sites add NAME --season 2024">Add one; its seasons then appear here.</Empty>;
  }
  return (
    <>
      <div class="sites-head">
        <h1>Sites and seasons</h1>
        <Select label="Score" value={score} options={Object.entries(SCORE_NAMES)} onChange={(value) => go({ score: value })} />
      </div>
      <p class="lead">Fused GCC against the camera, by scenario. A cell opens its season. The bar shows how far the season has come: raw, prepared, fused, processed, scored. Where there is nothing yet, <code>satfusion materialize SITE SEASON</code> makes it.</p>
      <div class="table-box matrix" role="region" aria-label="Sites, seasons and scenarios" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col" rowSpan={2}>Site</th>
              <th scope="col" rowSpan={2}>Season</th>
              <th scope="colgroup" colSpan={4}>aggressive</th>
              <th scope="colgroup" colSpan={4}>nonaggressive</th>
            </tr>
            <tr>{SCENARIO_KEYS.map((key) => <th scope="col" key={key}>{key.includes('_itb') ? 'ItB' : 'BtI'} σ{key.slice(-2)}</th>)}</tr>
          </thead>
          <tbody>
            {overview.sites.flatMap((site) => {
              const seasons = site.seasons.length ? site.seasons : [];
              return seasons.map((season, i) => {
                const best = bestOf(season.scenarios, score);
                return (
                  <tr key={`${site.name}${season.season}`} class={i === 0 ? 'first' : ''}>
                    {i === 0 && <th scope="rowgroup" rowSpan={seasons.length} class="site-cell"><strong>{site.name}</strong><span>{site.description}</span><span>{site.vegetation_type}</span></th>}
                    <th scope="row"><Cell site={site.name} season={season.season} scenario={null}>{season.season}</Cell>{season.problem && <span class="problem" title={season.problem}>unreadable metrics</span>}</th>
                    {SCENARIO_KEYS.map((key) => {
                      const one = season.scenarios[key];
                      return (
                        <td key={key} class={key === best ? 'best' : ''}>
                          <Cell site={site.name} season={season.season} scenario={key}>
                            <span class={one?.scores ? 'score' : 'score off'}>{one?.scores ? number(one.scores[score]) : STATUS_WORDS[one?.status ?? 'none']}</span>
                            {key === best && <span class="best-word">best</span>}
                            <Progress status={one?.status ?? 'none'} />
                          </Cell>
                        </td>
                      );
                    })}
                  </tr>
                );
              });
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}

const SMALLER_IS_BETTER = new Set(['nrmse', 'rmse', 'mae']);

function bestOf(scenarios: Record<string, { scores: Scores | null }>, score: string): string | null {
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

function Cell({ site, season, scenario, children }: { site: string; season: number; scenario: string | null; children: ComponentChildren }) {
  const target = format({ ...START, site, season, scenario });
  return (
    <a href={target} onClick={(event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go({ ...START, site, season, scenario }, true);
    }}>{children}</a>
  );
}

function Progress({ status }: { status: Status }) {
  const reached = STEPS.indexOf(status);
  return (
    <span class="progress" role="img" aria-label={STATUS_WORDS[status]}>
      {STEPS.map((step, i) => <span key={step} class={i <= reached ? 'on' : ''} />)}
    </span>
  );
}
