// PouchDB with pouchdb-server, both on LevelDB as they come: one database, one document an edit.

import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import PouchDB from "pouchdb";

const require = createRequire(import.meta.url);

export async function serve(port, folder) {
  // It leaves its settings and log where it is started, and takes its options from the command line.
  await mkdir(path.join(folder, "db"), { recursive: true });
  process.chdir(folder);
  const program = require.resolve("pouchdb-server/bin/pouchdb-server");
  process.argv = [process.argv[0], program, "--host", "127.0.0.1", "--port", String(port), "--dir", "db", "-n"];
  require(program);
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

let made = 0;

async function local(folder) {
  await mkdir(folder, { recursive: true });
  return new PouchDB(path.join(folder, "local"));
}

export async function writer(folder) {
  const database = await local(folder);
  const name = `db-${process.pid}-${made++}`;
  return {
    document: name,
    edit: (key, value) => database.put({ _id: key, value }),
    async send(url) {
      const done = await database.replicate.to(`${url}/${name}`);
      if (!done.ok || done.doc_write_failures > 0) throw new Error(`replication failed: ${JSON.stringify(done)}`);
    },
    close: () => database.close(),
  };
}

export async function reader(folder) {
  const database = await local(folder);
  return {
    pull: (url, name) => database.replicate.from(`${url}/${name}`),
    values: async () => (await database.allDocs({ include_docs: true })).rows.map(({ doc }) => doc.value),
    stored: () => null,
    close: () => database.close(),
  };
}

export async function pair(url, folder) {
  const remote = `${url}/db-${process.pid}-live`;
  const first = await local(path.join(folder, "first"));
  const second = await local(path.join(folder, "second"));
  let { rev } = await first.put({ _id: "live", value: "" });
  await first.sync(remote);
  await second.sync(remote);
  let waiting;
  const seen = ({ doc }) => doc.value === waiting?.value && waiting.resolve();
  second.changes({ live: true, since: "now", include_docs: true }).on("change", seen);
  for (const replica of [first, second]) replica.sync(remote, { live: true });
  return {
    edit: async (value) => ({ rev } = await first.put({ _id: "live", _rev: rev, value })),
    arrived: (value) => new Promise((resolve) => (waiting = { value, resolve })),
  };
}
