// The service worker: every file of the app is kept at its first visit, and read from there from then on, so that it
// starts with no network. A newer version is fetched whole beside it and takes over once no page of this one is open:
// a page that is open needs its own files to take the device back.
//
// It answers for the app's own files alone: nothing of the relay passes through here.
const NAME = 'baken-__VERSION__';
const FILES = __FILES__;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES)));
});

self.addEventListener('activate', (event) => {
  const old = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('baken-') && name !== NAME) await caches.delete(name);
    }
  };
  event.waitUntil(old());
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  const path = event.request.mode === 'navigate' ? '/' : url.pathname;
  event.respondWith(caches.match(path, { cacheName: NAME }).then((kept) => kept ?? fetch(event.request)));
});
