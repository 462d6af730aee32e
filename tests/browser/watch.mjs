// Says when each alarm can be seen in the list of a real Chromium: {"seen": id, "at_ms": …}, by this machine's clock, after
// the frame in which it is drawn. Logs in with a link, so the console is one at an address.

import { Visitor, start, trusting } from "./stage.mjs";

const town = JSON.parse(process.env.BAKEN_TOWN);
const browser = await start([trusting(town.certificate)]);
const officer = await Visitor.arrive(browser, { origin: town.console });
const { page } = officer;
await page.goto(town.link);
await page.getByRole("button", { name: "Inloggen" }).click();
await page.waitForURL(`${town.console}/`);
await page.exposeFunction("seen", (id, at_ms) => console.log(JSON.stringify({ seen: id, at_ms })));
await page.evaluate(() => {
  const known = new Set();
  const look = () => {
    for (const entry of document.querySelectorAll("li.alarm[id]")) {
      const id = entry.id.slice(2);
      if (known.has(id)) continue;
      known.add(id);
      // The frame after this one begins when this one is on the screen.
      requestAnimationFrame(() => requestAnimationFrame(() => window.seen(id, performance.timeOrigin + performance.now())));
    }
  };
  new MutationObserver(look).observe(document.getElementById("main"), { childList: true, subtree: true });
  look();
});
console.log(JSON.stringify({ watching: true }));
