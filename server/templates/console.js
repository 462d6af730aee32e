// Keeps a page up to date: asks for the page again when the desk says that something changed, and puts its two live parts
// in place; the forms between them stay as they are being filled in. When the stream is silent for too long the page says that it can no longer be trusted.
"use strict";

const STALE_AFTER_MS = 15000;
const AGES_EVERY_MS = 10000;
const CONNECT_AGAIN_MS = 5000;
const BEEP_AGAIN_MS = 20000;

const stale = document.getElementById("stale");
let heardAt = Date.now();
let shownAt = Date.now();
let beptAt = 0;
let asking = false;
let askAgain = false;

function beep() {
  beptAt = Date.now();
  // Browsers allow sound only once somebody has touched the page.
  const context = new AudioContext();
  const tone = context.createOscillator();
  tone.frequency.value = 880;
  tone.connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.6);
  tone.onended = () => context.close();
}

function put(page) {
  const fresh = page.getElementById("live");
  const live = document.getElementById("live");
  if (!fresh || !live) { window.location.reload(); return; }
  // By which alarms ring and not by how many: one may be taken in the moment in which another comes.
  const rang = live.dataset.ringing.split(" ");
  const ringsMore = fresh.dataset.ringing.split(" ").some((alarm) => !rang.includes(alarm));
  // A button that is just being pressed stays where it is; the next look puts the rest right.
  if (!live.querySelector(":active")) live.replaceWith(fresh);
  const more = page.getElementById("more");
  if (more) document.getElementById("more").replaceWith(more);
  // What is being looked at or listened to stays; only what is new comes in.
  const files = document.getElementById("files");
  if (files) {
    for (const file of files.querySelectorAll("figure:not([id])")) file.remove();
    for (const file of page.querySelectorAll("#files figure")) {
      if (!file.id || !document.getElementById(file.id)) files.append(file);
    }
  }
  document.title = page.title;
  shownAt = Date.now();
  if (ringsMore) beep();
}

async function ask() {
  if (asking) { askAgain = true; return; }
  asking = true;
  try {
    do {
      askAgain = false;
      const answer = await fetch(window.location.href, { credentials: "same-origin" });
      if (answer.status === 401) { window.location.reload(); return; }
      if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } while (askAgain);
  } catch (_) {
    // Not reached: the warning comes by itself.
  } finally {
    asking = false;
  }
}

function connect() {
  const stream = new EventSource("/live");
  stream.addEventListener("change", () => { heardAt = Date.now(); ask(); });
  stream.addEventListener("tick", () => {
    heardAt = Date.now();
    if (Date.now() - shownAt > AGES_EVERY_MS) ask();
  });
  // After a refusal a browser gives up on a stream; a page at a desk must not.
  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(() => { connect(); ask(); }, CONNECT_AGAIN_MS);
  });
}

connect();
// Until somebody has it.
setInterval(() => {
  const rings = document.getElementById("live").dataset.ringing !== "";
  if (rings && Date.now() - beptAt >= BEEP_AGAIN_MS) beep();
}, 1000);
setInterval(() => { stale.hidden = Date.now() - heardAt < STALE_AFTER_MS; }, 1000);
