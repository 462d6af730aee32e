// Wakes an officer: the message is empty, so what is shown is what this says, and the console has the rest.
"use strict";

const WORDS = {
  nl: "Er is nieuws bij de meldkamer. Open Baken.",
  en: "There is news at the desk. Open Baken.",
};

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("push", (event) => {
  const lang = new URL(self.location.href).searchParams.get("lang") === "en" ? "en" : "nl";
  // One notification, which rings again with each message and stays until somebody looks.
  const how = { body: WORDS[lang], lang, tag: "baken", renotify: true, requireInteraction: true };
  event.waitUntil(self.registration.showNotification("Baken", how));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    if (pages.length > 0) return pages[0].focus();
    return self.clients.openWindow("/");
  })());
});

// The browser's service gave it another address by itself.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil((async () => {
    const options = event.oldSubscription ? event.oldSubscription.options : null;
    const fresh = event.newSubscription || (options && await self.registration.pushManager.subscribe(options));
    if (!fresh) return;
    await fetch("/api/push", {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ endpoint: fresh.endpoint }),
    });
  })());
});
