/** Light or dark: as the system has it, or as was chosen here last. */
import { computed, effect, signal } from '@preact/signals';
import { forgetPainted } from './palette';

export const THEMES = { system: 'System colours', light: 'Light', dark: 'Dark' };
export type Theme = keyof typeof THEMES;

const KEY = 'satfusion-theme';
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
const dusk = signal(systemIsDark.matches);

export const theme = signal<Theme>(remembered());
/** What charts follow: they are painted, not styled. */
export const isDark = computed(() => (theme.value === 'system' ? dusk.value : theme.value === 'dark'));

systemIsDark.addEventListener('change', (event) => (dusk.value = event.matches));
effect(() => {
  document.documentElement.dataset.theme = theme.value;
});
isDark.subscribe(forgetPainted);

export function choose(wanted: Theme): void {
  theme.value = wanted;
  storage()?.setItem(KEY, wanted);
}

function remembered(): Theme {
  const found = storage()?.getItem(KEY) ?? '';
  return found in THEMES ? (found as Theme) : 'system';
}

/** Null where the browser keeps nothing for this page. */
function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
