// Turns notifications on in this browser: asks for permission, subscribes with the desk's key, and tells the desk where.
"use strict";

// The one script that a page names by itself; the browser takes its name from nobody else.
const scripts = window.trustedTypes
  ? window.trustedTypes.createPolicy("baken-push", { createScriptURL: (url) => url })
  : { createScriptURL: (url) => url };

const box = document.getElementById("push");
const button = document.getElementById("push-on");
const said = document.getElementById("push-said");

function bytesOf(key) {
  const text = atob(key.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

async function turnOn() {
  button.disabled = true;
  said.textContent = "";
  try {
    if (await Notification.requestPermission() !== "granted") { said.textContent = box.dataset.denied; return; }
    const worker = await navigator.serviceWorker.register(scripts.createScriptURL(`/push-worker.js?lang=${document.documentElement.lang}`));
    await navigator.serviceWorker.ready;
    // What this browser had before may be what its service took out.
    const before = await worker.pushManager.getSubscription();
    if (before) await before.unsubscribe();
    const how = { userVisibleOnly: true, applicationServerKey: bytesOf(box.dataset.key) };
    const subscription = await worker.pushManager.subscribe(how);
    const answer = await fetch("/api/push", {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ endpoint: subscription.endpoint }),
    });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    said.textContent = box.dataset.done;
  } catch (error) {
    said.textContent = box.dataset.failed + " " + error.message;
  } finally {
    button.disabled = false;
  }
}

if (box) {
  if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
    button.hidden = false;
    button.addEventListener("click", turnOn);
  } else {
    said.textContent = box.dataset.unsupported;
  }
}
