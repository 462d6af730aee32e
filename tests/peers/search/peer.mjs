// One search engine over the texts and queries of a file: `node peer.mjs ENGINE FILE`.
//
// Prints one line of JSON: how long making the index took, how long each query took, and which texts it found first.
// Each engine is set to forgive typing errors, by what its own documentation proposes.

import { readFileSync } from "node:fs";

const MOST = 5;

async function minisearch(docs) {
  const { default: MiniSearch } = await import("minisearch");
  const index = new MiniSearch({ fields: ["title", "text"], idField: "id" });
  index.addAll(docs);
  const options = { boost: { title: 2 }, prefix: true, fuzzy: 0.2 };
  return (query) => index.search(query, options).slice(0, MOST).map((hit) => hit.id);
}

async function fuse(docs) {
  const { default: Fuse } = await import("fuse.js");
  // Where in a text a word stands says nothing.
  const keys = [{ name: "title", weight: 2 }, { name: "text", weight: 1 }];
  const index = new Fuse(docs, { keys, ignoreLocation: true, threshold: 0.3 });
  return (query) => index.search(query, { limit: MOST }).map((hit) => hit.item.id);
}

const engines = { minisearch, fuse };
const [, , engine, file] = process.argv;
const { docs, queries } = JSON.parse(readFileSync(file, "utf8"));
const begin = performance.now();
const search = await engines[engine](docs);
const index_ms = performance.now() - begin;
// What is compiled at its first use is not what a query costs.
queries.slice(0, 20).forEach((query) => search(query));
const ms = [];
const found = [];
for (const query of queries) {
  const start = performance.now();
  const ids = search(query);
  ms.push(performance.now() - start);
  found.push(ids);
}
console.log(JSON.stringify({ index_ms, ms, found }));
