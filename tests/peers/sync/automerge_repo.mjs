// Automerge-repo with a small WebSocket server of ours, in memory: one document, one key an edit, each edit a change.
// (The published sync server pins an old Automerge.)

import { Repo } from "@automerge/automerge-repo";
import { WebSocketClientAdapter, WebSocketServerAdapter } from "@automerge/automerge-repo-network-websocket";
import * as Automerge from "@automerge/automerge";
import { once } from "node:events";
import { WebSocketServer } from "ws";

/** Keeps what a repo saves in memory. A repo with a storage tells its peers what it has: the acknowledgement. */
class MemoryStorage {
  #chunks = new Map();

  async load(key) {
    return this.#chunks.get(JSON.stringify(key))?.data;
  }

  async save(key, data) {
    this.#chunks.set(JSON.stringify(key), { key, data });
  }

  async remove(key) {
    this.#chunks.delete(JSON.stringify(key));
  }

  async loadRange(prefix) {
    return [...this.#chunks.values()].filter(({ key }) => prefix.every((part, at) => key[at] === part));
  }

  async removeRange(prefix) {
    for (const { key } of await this.loadRange(prefix)) await this.remove(key);
  }
}

export async function serve(port) {
  const wss = new WebSocketServer({ port, host: "127.0.0.1" });
  await once(wss, "listening");
  new Repo({
    network: [new WebSocketServerAdapter(wss)],
    storage: new MemoryStorage(),
    sharePolicy: async () => false,
    peerId: "server",
  });
}

function connect(repo, url) {
  repo.networkSubsystem.addNetworkAdapter(new WebSocketClientAdapter(url.replace("http://", "ws://")));
}

/** Until the server has said that it has everything that is here. */
function acknowledged(handle) {
  const own = () => JSON.stringify([...handle.heads()].sort());
  return new Promise((resolve) => {
    handle.on("remote-heads", ({ heads }) => JSON.stringify([...heads].sort()) === own() && resolve());
  });
}

export async function writer() {
  const repo = new Repo({ network: [] });
  const handle = repo.create({});
  return {
    document: handle.url,
    edit: (key, value) => handle.change((document) => (document[key] = value)),
    async send(url) {
      const done = acknowledged(handle);
      connect(repo, url);
      await done;
    },
    close: () => repo.shutdown(),
  };
}

export async function reader() {
  const repo = new Repo({ network: [] });
  let handle;
  return {
    async pull(url, document, count) {
      connect(repo, url);
      await repo.networkSubsystem.whenReady();
      handle = await repo.find(document);
      while (Object.keys(handle.doc()).length < count) await new Promise((resolve) => handle.once("change", resolve));
    },
    values: () => Object.values(handle.doc()),
    stored: () => Automerge.save(handle.doc()).length,
    close: () => repo.shutdown(),
  };
}

export async function pair(url) {
  const [first, second] = [new Repo({ network: [] }), new Repo({ network: [] })];
  const here = first.create({ live: "" });
  const known = acknowledged(here);
  connect(first, url);
  await known;
  connect(second, url);
  await second.networkSubsystem.whenReady();
  const there = await second.find(here.url);
  let waiting;
  there.on("change", ({ doc }) => doc.live === waiting?.value && waiting.resolve());
  return {
    edit: (value) => here.change((document) => (document.live = value)),
    arrived: (value) => new Promise((resolve) => (waiting = { value, resolve })),
  };
}
