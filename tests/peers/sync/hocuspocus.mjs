// Hocuspocus with Yjs, the server in memory: one document, a map with one key an edit.

import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { Server } from "@hocuspocus/server";
import WebSocket from "ws";
import * as Y from "yjs";

export async function serve(port) {
  // Without a store, a document would be gone with its last client: refusing to unload it keeps it in memory.
  const beforeUnloadDocument = () => Promise.reject(new Error(""));
  await new Server({ port, address: "127.0.0.1", quiet: true, beforeUnloadDocument }).listen();
}

let made = 0;

function connect(url, document, name) {
  const websocketProvider = new HocuspocusProviderWebsocket({
    url: url.replace("http://", "ws://"),
    WebSocketPolyfill: WebSocket,
  });
  const provider = new HocuspocusProvider({ websocketProvider, document, name });
  provider.attach();
  return provider;
}

/** Until what the server sent at first is here. */
function synced(provider) {
  return new Promise((resolve) => (provider.synced ? resolve() : provider.on("synced", () => resolve())));
}

/** Until the server has acknowledged everything sent. */
function acknowledged(provider) {
  return new Promise((resolve) => {
    provider.on("unsyncedChanges", ({ number }) => number === 0 && resolve());
  });
}

function disconnect(provider) {
  provider.destroy();
  provider.configuration.websocketProvider.destroy();
}

export async function writer() {
  const document = new Y.Doc();
  const name = `document-${process.pid}-${made++}`;
  let provider;
  return {
    document: name,
    edit: (key, value) => document.getMap("edits").set(key, value),
    async send(url) {
      provider = connect(url, document, name);
      await acknowledged(provider);
    },
    close: () => disconnect(provider),
  };
}

export async function reader() {
  const document = new Y.Doc();
  let provider;
  return {
    async pull(url, name) {
      provider = connect(url, document, name);
      await synced(provider);
    },
    values: () => [...document.getMap("edits").values()],
    stored: () => Y.encodeStateAsUpdate(document).length,
    close: () => disconnect(provider),
  };
}

export async function pair(url) {
  const [first, second] = [new Y.Doc(), new Y.Doc()];
  const name = `document-${process.pid}-live`;
  await Promise.all([first, second].map((document) => synced(connect(url, document, name))));
  const edits = second.getMap("edits");
  let waiting;
  edits.observe(() => edits.get("live") === waiting?.value && waiting.resolve());
  return {
    edit: (value) => first.getMap("edits").set("live", value),
    arrived: (value) => new Promise((resolve) => (waiting = { value, resolve })),
  };
}
