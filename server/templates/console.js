// Keeps a page up to date: asks for the page again when the desk says that something changed, and puts its two live parts
// in place; the forms between them stay as they are being filled in. It sounds until somebody has the alarm, takes one with
// F2, and says so when it can no longer be trusted.
"use strict";

const STALE_AFTER_MS = 15000;
// As long as a console may stand unwatched: what was last shown longer ago must not be taken for now.
const HIDE_AFTER_MS = 30 * 60000;
const AGES_EVERY_MS = 10000;
const CONNECT_AGAIN_MS = 5000;
const BEEP_AGAIN_MS = 20000;
const COPIED_FOR_MS = 2000;

// Text of our own pages is parsed and never run: what it brings goes in without its scripts.
const policy = window.trustedTypes
  ? window.trustedTypes.createPolicy("baken", { createHTML: (text) => text })
  : { createHTML: (text) => text };

const stale = document.getElementById("stale");
let heardAt = Date.now();
let shownAt = Date.now();
let touched = false;
let beptAt = 0;
let asking = false;
let askAgain = false;
let title = document.title;

document.documentElement.classList.add("scripted");

const live = () => document.getElementById("live");
const ringing = () => live().dataset.ringing.split(" ").filter((alarm) => alarm !== "");

// One sound of ours at a time; browsers allow it only once somebody has touched a page of the console.
const sound = new AudioContext();
const mute = document.getElementById("mute");

function beep() {
  beptAt = Date.now();
  if (mute) mute.hidden = sound.state === "running";
  if (sound.state !== "running") return;
  for (const [at, hertz] of [[0, 880], [0.3, 660], [0.6, 880]]) {
    const [tone, volume] = [sound.createOscillator(), sound.createGain()];
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.25, sound.currentTime + at);
    volume.gain.linearRampToValueAtTime(0, sound.currentTime + at + 0.25);
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + at);
    tone.stop(sound.currentTime + at + 0.25);
  }
}

// Makes an element like another one, touching only what differs: what has the focus keeps it, and a reader is told only of
// what is new. Elements with an id are moved with all they hold.
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType === Node.TEXT_NODE && fresh.nodeType === Node.TEXT_NODE) { old.data = fresh.data; return; }
  if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
    old.replaceWith(fresh);
    return;
  }
  for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [there, wanted] = [new Map(), new Set()];
  for (const child of old.children) if (child.id) there.set(child.id, child);
  for (const child of fresh.children) if (child.id) wanted.add(child.id);
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    // What is no more must not be taken for what stands behind it.
    while (at && at.id && !wanted.has(at.id)) at = drop(at);
    const same = child.id ? there.get(child.id) : undefined;
    if (same) {
      if (same === at) at = at.nextSibling; else old.insertBefore(same, at);
      morph(same, child);
    } else if (at && !child.id && !at.id) {
      const next = at.nextSibling;
      morph(at, child);
      at = next;
    } else {
      old.insertBefore(child, at);
    }
  }
  while (at) at = drop(at);
}

function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function put(page) {
  const fresh = page.getElementById("live");
  if (!fresh || !live()) { window.location.reload(); return; }
  // By which alarms ring and not by how many: one may be taken in the moment in which another comes.
  const rang = ringing();
  morph(live(), fresh);
  const more = page.getElementById("more");
  if (more) morph(document.getElementById("more"), more);
  // What is being looked at or listened to stays; only what is new comes in.
  const files = document.getElementById("files");
  if (files) {
    for (const file of files.querySelectorAll("figure:not([id])")) file.remove();
    for (const file of page.querySelectorAll("#files figure")) {
      if (!file.id || !document.getElementById(file.id)) files.append(file);
    }
  }
  title = page.title;
  document.title = title;
  shownAt = Date.now();
  const fresher = ringing().filter((alarm) => !rang.includes(alarm));
  if (fresher.length > 0) {
    tell(fresher);
    beep();
  }
  document.dispatchEvent(new CustomEvent("baken:shown"));
}

// For who does not see the page.
function tell(alarms) {
  const said = document.getElementById("said");
  if (!said) return;
  const heads = alarms.map((alarm) => document.querySelector(`#a-${alarm} h2`)).filter((head) => head);
  said.textContent = heads.length > 0 ? heads.map((head) => head.textContent.trim()).join(". ") : said.dataset.rings;
}

async function ask() {
  if (asking) { askAgain = true; return; }
  asking = true;
  try {
    do {
      askAgain = false;
      // A console that nobody touches locks itself; this page asking by itself is no touch.
      const headers = touched ? {} : { "baken-untouched": "1" };
      touched = false;
      const answer = await fetch(window.location.href, { credentials: "same-origin", headers });
      const locked = answer.status === 401;
      if (answer.redirected || locked !== (document.body.dataset.locked === "1")) { window.location.reload(); return; }
      if (answer.ok || locked) {
        put(new DOMParser().parseFromString(policy.createHTML(await answer.text()), "text/html"));
      }
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

for (const event of ["pointerdown", "keydown", "wheel"]) {
  document.addEventListener(event, () => {
    touched = true;
    if (sound.state !== "running") sound.resume().then(() => { if (mute) mute.hidden = true; });
  }, { passive: true });
}

document.addEventListener("keydown", (pressed) => {
  if (pressed.key !== "F2" || pressed.repeat || document.body.dataset.old === "1") return;
  const take = document.querySelector("#live button.take");
  if (!take) return;
  pressed.preventDefault();
  take.click();
});

document.addEventListener("click", async (clicked) => {
  const button = clicked.target.closest("button[data-copy]");
  if (!button) return;
  const said = document.getElementById("said");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    if (said) said.textContent = `${said.dataset.copied} ${button.dataset.copy}`;
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), COPIED_FOR_MS);
  } catch (_) {
    if (said) said.textContent = said.dataset.notCopied;
  }
});

connect();
if (ringing().length > 0) beep();
// Until somebody has it: sound, and the title in turns with what the window is called otherwise.
let flash = false;
setInterval(() => {
  const rings = ringing().length > 0;
  if (rings && Date.now() - beptAt >= BEEP_AGAIN_MS) beep();
  flash = rings && !flash;
  const shown = flash && document.body.dataset.rings ? `● ${document.body.dataset.rings}` : title;
  if (document.title !== shown) document.title = shown;
}, 1000);
// What is being written stays in the page and comes back with the rest, at the first answer, or when somebody wants it: a
// number to call may stand there.
let oldIsWanted = false;
function hideWhatIsOld() {
  const old = document.getElementById("old");
  const hide = old !== null && !oldIsWanted && Date.now() - shownAt >= HIDE_AFTER_MS;
  stale.hidden = hide || Date.now() - heardAt < STALE_AFTER_MS;
  if (!old || hide === !old.hidden) return;
  old.hidden = !hide;
  for (const part of ["live", "still", "more"]) document.getElementById(part).hidden = hide;
  document.body.dataset.old = hide ? "1" : "";
}
document.addEventListener("baken:shown", () => { oldIsWanted = false; hideWhatIsOld(); });
document.getElementById("old-show")?.addEventListener("click", () => { oldIsWanted = true; hideWhatIsOld(); });
setInterval(hideWhatIsOld, 1000);
