// The dedicated worker: the core as WebAssembly, and the messages between it and the page.
import start_wasm, { call, start } from './generated/baken.js';
import wasm from './generated/baken_bg.wasm?url';

/// How long another tab may take to let go of the files, in milliseconds.
const PATIENCE_MS = 3_000;
const RETRY_MS = 50;

async function begin(): Promise<string> {
  await start_wasm({ module_or_path: wasm });
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const state = await start((news: string) => postMessage({ news }));
    if (state !== 'in-use' || Date.now() > until) return state;
    await new Promise((wait) => setTimeout(wait, RETRY_MS));
  }
}

const started = begin().catch((error: unknown) => `unsupported: ${String(error)}`);
void started.then((state) => postMessage({ state }));

onmessage = async (event: MessageEvent<{ id: number; name: string; with: unknown }>) => {
  const { id, name, with: given } = event.data;
  await started;
  postMessage({ id, answer: await call(name, JSON.stringify(given)) });
};
