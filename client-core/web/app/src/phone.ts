// The page's side of the worker: calls as promises, news as events, and which tab of this browser has the device.
import workerUrl from './worker.ts?worker&url';

export interface PhoneError { code: string; message: string; help?: string; wait_ms?: number; left?: number }
export type News = 'alarms' | 'records';
/// `starting` until the files are open; `elsewhere` when another tab has them.
export type Standing = 'starting' | 'ready' | 'elsewhere' | `unsupported: ${string}`;

const LOCK = 'baken-device';
const channel = new BroadcastChannel('baken-tabs');
/// Trusted Types: the two scripts of ours that the page may start, and nothing else.
const OWN_SCRIPTS = new Set<string>();
const policy = window.trustedTypes?.createPolicy('baken', {
  createScriptURL: (url: string) => {
    if (OWN_SCRIPTS.has(url)) return url;
    throw new TypeError('not a script of this app');
  },
});
export function own(url: string): string {
  OWN_SCRIPTS.add(url);
  return (policy ? policy.createScriptURL(url) : url) as unknown as string;
}

let worker: Worker | undefined;
let standing: Standing = 'starting';
let release: (() => void) | undefined;
/// While this tab asks for the device.
let asking: AbortController | undefined;
/// How long another tab may take to let go, in milliseconds. One that sleeps never does.
const PATIENCE_MS = 3000;
let next = 1;
const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: PhoneError) => void }>();
const queued: { id: number; name: string; with: unknown }[] = [];
const listeners = new Set<(news: News | 'standing') => void>();

function tell(news: News | 'standing') {
  listeners.forEach((listener) => listener(news));
}
function stand(as: Standing) {
  standing = as;
  tell('standing');
}

export const phone = {
  standing: () => standing,
  listen(listener: (news: News | 'standing') => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /// Asks the core. What is asked before it has started waits for it: a press is never lost to a slow start.
  call<T>(name: string, given: object = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const message = { id: next++, name, with: { language: document.documentElement.lang, ...given } };
      waiting.set(message.id, { resolve: resolve as (value: never) => void, reject });
      if (worker) worker.postMessage(message);
      else queued.push(message);
    });
  },
  /// Makes this tab the one that has the device: the tab a person opens is the one they look at.
  async take() {
    letGo();
    stand('starting');
    channel.postMessage('take');
    const request = (asking = new AbortController());
    const patience = setTimeout(() => request.abort(), PATIENCE_MS);
    const held = navigator.locks.request(LOCK, { signal: request.signal }, () => new Promise<void>((done) => {
      clearTimeout(patience);
      release = done;
      open();
    }));
    await held.catch(() => {
      // Asked for anew meanwhile, that is what counts.
      if (asking === request) giveUp('elsewhere');
    });
  },
};

/// Lets go of the device, and of asking for it.
function letGo() {
  worker?.terminate();
  worker = undefined;
  release?.();
  release = undefined;
  asking?.abort();
  asking = undefined;
}

/// This tab has no device: whoever waits for an answer is told, a press above all, and the screen says what to do.
function giveUp(as: Standing) {
  letGo();
  queued.length = 0;
  const unanswered = [...waiting.values()];
  waiting.clear();
  unanswered.forEach(({ reject }) => reject({ code: 'elsewhere', message: as }));
  stand(as);
}

channel.onmessage = () => {
  // Of two that ask at once, the one that is looked at goes on.
  if (worker || document.visibilityState === 'hidden') giveUp('elsewhere');
};

function open() {
  worker = new Worker(own(workerUrl), { type: 'module' });
  worker.onerror = () => giveUp('unsupported: worker');
  worker.onmessage = (event: MessageEvent<{ id?: number; answer?: string; news?: News; state?: string }>) => {
    const { id, answer, news, state } = event.data;
    if (news) tell(news);
    if (state === 'in-use') return giveUp('elsewhere');
    if (state?.startsWith('unsupported')) return giveUp(state as Standing);
    if (state) stand(state as Standing);
    if (id === undefined) return;
    const asked = waiting.get(id);
    waiting.delete(id);
    const said = JSON.parse(answer ?? '{}') as { ok?: never; error?: PhoneError };
    if (said.error) asked?.reject(said.error);
    else asked?.resolve(said.ok as never);
  };
  queued.splice(0).forEach((message) => worker?.postMessage(message));
}

window.addEventListener('online', () => void phone.call('hurry').catch(() => undefined));
