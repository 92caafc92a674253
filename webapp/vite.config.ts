import { defineConfig } from 'vite';

/** Assets lie under `_assets`, an address that no site name can take. */
export default defineConfig({
  build: { assetsDir: '_assets', target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '^/_(api|files|frame|index)': 'http://127.0.0.1:8050' } },
});
