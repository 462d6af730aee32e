// The build of the phone app: static files with no inline script, and a service worker that knows every one of them.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/// Writes `sw.js` last, with the names of all files in it, so that the app starts without a network after one visit.
function serviceWorker(): Plugin {
  return {
    name: 'baken-service-worker',
    generateBundle(_options, bundle) {
      const built = Object.keys(bundle).filter((name) => !name.endsWith('.map'));
      const files = ['/', ...[...built.filter((name) => name !== 'index.html'), ...readdirSync('public')].map((name) => `/${name}`)];
      const hash = createHash('sha256');
      for (const name of built.sort()) {
        const item = bundle[name]!;
        hash.update(name).update(item.type === 'asset' ? item.source : item.code);
      }
      const source = readFileSync('src/sw.js', 'utf8')
        .replace('__VERSION__', hash.digest('hex').slice(0, 16))
        .replace('__FILES__', JSON.stringify(files));
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
      // Compressed once, here: the worker goes over the line in a quarter of its bytes.
      for (const name of built.filter((name) => /\.(wasm|js|css)$/.test(name))) {
        const item = bundle[name]!;
        this.emitFile({ type: 'asset', fileName: `${name}.br`, source: brotliCompressSync(item.type === 'asset' ? item.source : item.code) });
      }
    },
  };
}

export default defineConfig({
  plugins: [serviceWorker()],
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, outDir: 'dist', emptyOutDir: true },
  worker: { format: 'es' },
  server: { fs: { allow: ['../../..'] } },
});
