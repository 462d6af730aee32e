// Wakes an officer: the message is empty, so what is shown is what this says, and the console has the rest.
"use strict";

const WORDS = {
  nl: "Er is nieuws bij de meldkamer. Open Baken.",
  en: "There is news at the desk. Open Baken.",
};

// Nobody would be woken here any more, and nothing would say so.
const ENDED = {
  nl: "Meldingen op dit toestel staan uit. Open Baken, log in en zet ze opnieuw aan.",
  en: "Notifications are off on this device. Open Baken, log in and turn them on again.",
};

self.addEventListener("install", () => self.skipWaiting());

// One notification of each kind, which rings again with each message and stays until somebody looks.
function show(words, tag) {
  const lang = new URL(self.location.href).searchParams.get("lang") === "en" ? "en" : "nl";
  const how = { body: words[lang], lang, tag, renotify: true, requireInteraction: true };
  return self.registration.showNotification("Baken", how);
}

self.addEventListener("push", (event) => event.waitUntil(show(WORDS, "baken")));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    if (pages.length > 0) return pages[0].focus();
    return self.clients.openWindow("/");
  })());
});

// The browser's service gave it another address by itself. The desk takes it only of an officer who is logged in.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil((async () => {
    let taken = false;
    try {
      const options = event.oldSubscription ? event.oldSubscription.options : null;
      const fresh = event.newSubscription || (options && await self.registration.pushManager.subscribe(options));
      if (fresh) {
        const answer = await fetch("/api/push", {
          method: "POST",
          credentials: "same-origin",
          // Sent on to the page for logging in, it was not taken.
          redirect: "error",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ endpoint: fresh.endpoint }),
        });
        taken = answer.ok;
      }
    } catch {
      // Not subscribed, or no connection.
    }
    if (!taken) await show(ENDED, "baken-ended");
  })());
});
