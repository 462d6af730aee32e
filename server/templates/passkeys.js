// The two ceremonies with a passkey: coming in, and adding one. Every text it shows stands on the page.
"use strict";

async function send(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

// What a browser says when somebody turned away or waited too long is in its own language and helps nobody.
function why(error, said) {
  if (error instanceof DOMException) return error.name === "InvalidStateError" ? said.dataset.twice : said.dataset.broken;
  return error.message;
}

async function run(button, said, ceremony, done) {
  button.disabled = true;
  said.textContent = said.dataset.busy;
  try {
    await ceremony();
    said.textContent = "";
    done();
  } catch (error) {
    said.textContent = why(error, said);
    button.disabled = false;
    button.focus();
  }
}

async function comeIn() {
  const begun = await send("/api/login/begin", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.publicKey);
  const credential = await navigator.credentials.get({ publicKey });
  await send("/api/login/finish", { ceremony: begun.ceremony, credential: credential.toJSON() });
}

async function add(name) {
  const begun = await send("/api/keys/begin", {});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.publicKey);
  const credential = await navigator.credentials.create({ publicKey });
  await send("/api/keys/finish", { name, credential: credential.toJSON() });
}

function begin(id, event, start) {
  const element = document.getElementById(id);
  if (!element) return;
  const said = document.getElementById("passkey-said");
  if (typeof PublicKeyCredential !== "function" || !PublicKeyCredential.parseRequestOptionsFromJSON) {
    said.textContent = said.dataset.unsupported;
    return;
  }
  element.hidden = false;
  element.addEventListener(event, (happened) => { happened.preventDefault(); start(element, said); });
}

begin("passkey-in", "click", (button, said) => run(button, said, comeIn, () => {
  // A link of the console that somebody opened is where they want to be.
  const on = window.location.pathname;
  window.location.assign(on.startsWith("/login") ? "/" : on);
}));
begin("passkey-add", "submit", (form, said) => {
  const name = form.elements.name.value.trim();
  run(form.querySelector("button"), said, () => add(name), () => window.location.assign("/keys"));
});
