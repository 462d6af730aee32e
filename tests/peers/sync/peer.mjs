// One sync engine under the workload of `bench sync`, driven by a command line and telling JSON, one object a line.
//
//   node peer.mjs ENGINE serve PORT FOLDER                      {"listening": port}, then runs until it is killed
//   node peer.mjs ENGINE live URL FOLDER COUNT BYTES            {"ms": [one time an edit]}
//   node peer.mjs ENGINE up URL FOLDER COUNT BYTES ROUNDS       {"ms": [one time a round], "documents": [...]}
//   node peer.mjs ENGINE pull URL FOLDER COUNT BYTES DOCUMENT…  {"ms": [one time a document], "stored": bytes or null}
//
// An engine is a module that exports `serve`, `writer`, `reader` and `pair`; what they promise is said at their use
// below. Rounds run in one process, each with a document of its own, so that all but the first find warm code.

import { createHash } from "node:crypto";
import path from "node:path";

const [engineName, command, ...rest] = process.argv.slice(2);
const engine = await import(`./${engineName}.mjs`);

/** So many bytes that no two edits share and that compress badly; the harness makes the same for Baken. */
function text(round, edit, bytes) {
  let all = "";
  for (let part = 0; all.length < bytes; part++) {
    all += createHash("sha512").update(`${round} ${edit} ${part}`).digest("base64");
  }
  return all.slice(0, bytes);
}

function tell(report) {
  console.log(JSON.stringify(report));
}

async function timed(work) {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** Two replicas that are connected live; each edit is awaited at the other end before the next is made. */
async function live(url, folder, count, bytes) {
  // `edit(value)` puts the value in the first replica; `arrived(value)` is kept once the second can read it.
  const pair = await engine.pair(url, folder);
  const ms = [];
  for (let edit = 0; edit < count; edit++) {
    const value = text(0, edit, bytes);
    const begin = performance.now();
    const arrived = pair.arrived(value);
    await pair.edit(value);
    await arrived;
    ms.push(performance.now() - begin);
  }
  tell({ ms });
}

/** Edits made without a connection, then sent until the server has said that it has them all. */
async function up(url, folder, count, bytes, rounds) {
  const [ms, documents] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const writer = await engine.writer(path.join(folder, `writer-${round}`));
    for (let edit = 0; edit < count; edit++) {
      await writer.edit(`edit-${edit}`, text(round, edit, bytes));
    }
    ms.push(await timed(() => writer.send(url)));
    documents.push(writer.document);
    await writer.close();
  }
  tell({ ms, documents });
}

/** A replica with nothing in it fetches a document, and reads every value. */
async function pull(url, folder, count, bytes, documents) {
  const ms = [];
  let stored = null;
  for (const [round, document] of documents.entries()) {
    const reader = await engine.reader(path.join(folder, `reader-${round}`));
    let values;
    ms.push(
      await timed(async () => {
        await reader.pull(url, document, count);
        values = await reader.values();
      }),
    );
    const right = new Set(Array.from({ length: count }, (_, edit) => text(round, edit, bytes)));
    for (const value of values) right.delete(value);
    if (right.size > 0) throw new Error(`${right.size} of ${count} edits are missing after the pull`);
    // What the document takes as its engine would save it, or null where the harness looks at the server's folder.
    stored = reader.stored();
    await reader.close();
  }
  tell({ ms, stored });
}

switch (command) {
  case "serve": {
    const [port, folder] = rest;
    await engine.serve(Number(port), folder);
    tell({ listening: Number(port) });
    break;
  }
  case "live": {
    const [url, folder, count, bytes] = rest;
    await live(url, folder, Number(count), Number(bytes));
    process.exit(0);
  }
  case "up": {
    const [url, folder, count, bytes, rounds] = rest;
    await up(url, folder, Number(count), Number(bytes), Number(rounds));
    process.exit(0);
  }
  case "pull": {
    const [url, folder, count, bytes, ...documents] = rest;
    await pull(url, folder, Number(count), Number(bytes), documents);
    process.exit(0);
  }
  default:
    throw new Error(`unknown command: ${command}`);
}
