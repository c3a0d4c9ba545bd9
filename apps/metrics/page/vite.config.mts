/** Builds the page of the dashboard into dist, where the metrics process finds it: files with hashes below assets, nothing inline. */
import { join } from 'node:path';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  base: './', // also below a prefix of a reverse proxy
  logLevel: 'warn',
  build: {
    outDir: join(import.meta.dirname, '../../../dist/apps/metrics/page'),
    emptyOutDir: true,
    target: ['chrome123', 'firefox121', 'safari17.5'], // they know light-dark()
    assetsInlineLimit: 0,
    modulePreload: false,
    license: { fileName: 'assets/licenses.md' }, // of what the page is made of, as those licenses ask
  },
});
