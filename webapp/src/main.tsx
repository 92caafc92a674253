import 'uplot/dist/uPlot.min.css';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { overview, season as getSeason } from './api';
import { Explore } from './pages/explore';
import { Header, PAGE_NAMES } from './pages/header';
import { Sites } from './pages/sites';
import { Preselection } from './pages/preselection';
import { Metrics } from './pages/metrics';
import { Gaps } from './pages/gaps';
import { Phenology } from './pages/phenology';
import { START } from './route';
import { route, spoken, unread, useLoaded } from './state';
import { Link } from './ui/link';
import { Await } from './ui/parts';

const PAGES = { explore: Explore, preselection: Preselection, metrics: Metrics, gaps: Gaps, phenology: Phenology };

function App() {
  const { site, season: year, scenario, page } = route.value;
  const open = site !== null && year !== null;
  const all = useLoaded('overview', overview);
  const season = useLoaded(
    open ? `${site}/${year}/${scenario}` : null,
    () => getSeason(site!, year!, scenario ?? 'default'),
    true,
  );
  const Page = PAGES[page];
  useEffect(() => {
    document.title = open ? `${site} ${year} · ${PAGE_NAMES[page]} · satfusion` : 'satfusion viewer';
  }, [open, site, year, page]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the contents
      </a>
      <Header overview={all.data} season={open ? season.data : null} />
      <main id="main" tabIndex={-1} data-page={open ? page : 'sites'}>
        {unread.value.length > 0 && (
          <div class="notice misread" role="status">
            <strong>Not all of this address was understood.</strong> {unread.value.join(' ')}{' '}
            <button type="button" class="quiet" onClick={() => (unread.value = [])}>
              Close
            </button>
          </div>
        )}
        {open ? (
          <Await
            loaded={season}
            otherwise={
              <h1 class="lost">
                <Link to={START}>All sites and seasons</Link>
              </h1>
            }
          >
            {(data) => <Page key={`${data.site.name}${data.season}`} season={data} overview={all.data} />}
          </Await>
        ) : (
          <Await loaded={all}>{(data) => <Sites overview={data} />}</Await>
        )}
      </main>
      <p class="visually-hidden" role="status" aria-live="polite">
        {spoken}
      </p>
    </>
  );
}

render(<App />, document.getElementById('app')!);
