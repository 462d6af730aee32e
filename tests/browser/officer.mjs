// An officer's shift: passkeys, an alarm by night, its answer, and the shift handed over, with only the screen.
//
// BAKEN_TOWN is JSON: the console's address, its certificate, two officers' links, a phone's program and home folder.

import assert from "node:assert/strict";

import { SIZES, Visitor, play, run, start, trusting } from "./stage.mjs";

const town = JSON.parse(process.env.BAKEN_TOWN);
const phone = (...args) => {
  const printed = run(town.phone, ["--json", "--home", town.home, ...args], { BAKEN_PIN: town.pin });
  return JSON.parse(printed.trim().split("\n").at(-1));
};
const press = (text) => phone("alarm", "press", "--position", "52.3717500,4.8903500,12", "--text", text);

const browser = await start([trusting(town.certificate)]);

async function enrol(officer, link, pictures) {
  const keys = await officer.keys();
  const { page } = officer;
  await page.goto(link);
  if (pictures) await officer.look("login-link-nl-desk");
  await page.getByRole("button", { name: "Inloggen" }).click();
  await page.waitForURL("**/keys");
  if (pictures) await officer.lookAround("/keys", "keys-none");
  // The console stays shut until there are two.
  await page.goto(`${town.console}/people`);
  await page.waitForURL("**/keys");
  await keys.hold(0);
  await page.getByLabel("Hoe heet deze passkey?").fill("dienstlaptop");
  await page.getByRole("button", { name: "Voeg deze passkey toe" }).click();
  await page.getByText("Nog één").waitFor();
  await page.goto(town.console);
  await page.waitForURL("**/keys");
  // The same one again is no second one.
  await page.getByLabel("Hoe heet deze passkey?").fill("nog eens");
  await page.getByRole("button", { name: "Voeg deze passkey toe" }).click();
  await page.getByText("Deze passkey staat er al").waitFor();
  await keys.hold(1);
  await page.getByLabel("Hoe heet deze passkey?").fill("blauwe sleutel");
  await page.getByRole("button", { name: "Voeg deze passkey toe" }).click();
  await page.getByText("Ga naar de alarmen").waitFor();
  assert.deepEqual([await keys.count(0), await keys.count(1)], [1, 1]);
  return keys;
}

async function logInWithEither(officer, keys) {
  const { page } = officer;
  for (const which of [0, 1]) {
    await page.goto(town.console);
    await page.getByRole("button", { name: "Uitloggen" }).click();
    await page.getByRole("button", { name: "Inloggen met passkey" }).waitFor();
    if (which === 0) await officer.lookAround("/", "login-passkey");
    await keys.hold(which);
    await page.getByRole("button", { name: "Inloggen met passkey" }).click();
    await page.getByRole("heading", { name: "Open alarmen" }).waitFor();
  }
  // A finger that the key does not know opens nothing.
  await page.getByRole("button", { name: "Uitloggen" }).click();
  await keys.verify(1, false);
  await page.getByRole("button", { name: "Inloggen met passkey" }).click();
  await page.getByText("Afgebroken of te laat").waitFor();
  await keys.verify(1, true);
  await page.getByRole("button", { name: "Inloggen met passkey" }).click();
  await page.getByRole("heading", { name: "Open alarmen" }).waitFor();
}

async function alarmByNight(officer) {
  const { page } = officer;
  await page.goto(town.console);
  // Somebody has touched the page, so it may sound.
  await page.getByRole("heading", { name: "Open alarmen" }).click();
  await page.getByText("Er zijn geen open alarmen.").waitFor();
  await officer.lookAround("/", "list-calm");
  const { alarm } = press("Er staat iemand bij de voordeur");
  const card = page.locator(`#a-${alarm}`);
  await card.getByText("Er staat iemand bij de voordeur").waitFor();
  assert.match(await page.locator("#said").textContent(), /Noodalarm: Marit Oosterhof/);
  await page.waitForFunction(() => document.title.startsWith("● ALARM"));
  await page.waitForFunction(() => document.title.startsWith("(1)"));
  await officer.lookAround("/", "list-ringing");
  await officer.lookAround(`/alarms/${alarm}`, "alarm-ringing");
  await card.getByRole("button", { name: "Kopieer WGS84" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "52.3717500, 4.8903500");
  // One key.
  await page.keyboard.press("F2");
  await page.waitForURL(`**/alarms/${alarm}`);
  await page.getByText("J. de Vries van Meldkamer Oost heeft dit alarm").waitFor();
  assert.match(await page.getByRole("img", { name: /Plattegrond/ }).getAttribute("aria-label"), /nauwkeurig tot 12 m/);
  // What is being written stays while the page brings itself up to date.
  const how = page.getByLabel("Hoe is dit gecontroleerd?");
  await how.fill("Teruggebeld op het bekende nummer");
  phone("alarm", "update", alarm, "--position", "52.3722000,4.8911000,8", "--text", "Ik sta nu in de keuken");
  await page.getByText("Ik sta nu in de keuken").waitFor();
  assert.equal(await how.inputValue(), "Teruggebeld op het bekende nummer");
  assert.equal(await page.locator(".plan .was").count(), 1);
  await page.getByRole("button", { name: "Geverifieerd" }).click();
  await page.getByText("Teruggebeld op het bekende nummer (J. de Vries").first().waitFor();
  await officer.lookAround(`/alarms/${alarm}`, "alarm-taken");
  await page.getByLabel("Wat is er onderweg?").fill("Twee eenheden, vier minuten");
  await page.getByRole("button", { name: "Hulp onderweg" }).click();
  await page.getByText("Twee eenheden, vier minuten").waitFor();
  await officer.lookAround(`/alarms/${alarm}/handover`, "handover");
  return alarm;
}

// A page that the desk no longer answers must not show half an hour later where somebody was.
async function nothingOldIsShown(officer, alarm) {
  for (const [lang, says] of [["en", "has not been updated for half an hour"], ["nl", "al een half uur niet bijgewerkt"]]) {
    // A clock is one for all pages of a browser, so this is another browser with the same session.
    const beside = await Visitor.arrive(browser, {
      origin: town.console, storageState: await officer.context.storageState(),
    });
    const { page } = beside;
    await page.clock.install();
    await page.goto(`${town.console}/alarms/${alarm}?lang=${lang}`);
    const written = page.locator("#still input[name=outcome]");
    const all = page.locator("#live");
    const old = page.locator("#old");
    assert.deepEqual([await all.isVisible(), await old.isVisible()], [true, false]);
    await written.fill("half geschreven");
    await page.route("**/alarms/**", (route) => route.abort());
    await page.clock.fastForward("29:30");
    await page.waitForTimeout(1500);
    assert.deepEqual([await all.isVisible(), await old.isVisible()], [true, false]);
    await page.clock.fastForward("01:00");
    await page.getByText(says).waitFor();
    assert.equal(await all.isVisible(), false);
    await beside.look(`alarm-old-${lang}-desk`);
    // Whoever needs a number that stands there gets it, under the word that it is old.
    await page.locator("#old-show").click();
    await all.waitFor();
    assert.deepEqual([await old.isVisible(), await page.locator("#stale").isVisible()], [false, true]);
    await page.unroute("**/alarms/**");
    await page.locator("#stale").waitFor({ state: "hidden" });
    assert.equal(await old.isVisible(), false);
    assert.equal(await written.inputValue(), "half geschreven");
    await beside.leave();
  }
}

async function close(officer, alarm) {
  const { page } = officer;
  await page.goto(`${town.console}/alarms/${alarm}`);
  await page.getByLabel("Hoe is het afgelopen?").fill("Veilig thuis, collega bij de deur");
  await page.getByLabel("Wat was het?").selectOption("real");
  await page.getByRole("button", { name: "Afsluiten" }).click();
  await page.getByText("Afgesloten").first().waitFor();
  await page.goto(town.console);
  await page.getByText("Er zijn geen open alarmen.").waitFor();
  await officer.lookAround("/?closed=1", "list-closed");
}

async function test(officer) {
  const { page } = officer;
  const { alarm } = phone("alarm", "press", "--kind", "test");
  await page.goto(town.console);
  const card = page.locator(`#a-${alarm}`);
  await card.getByText("TEST · geen noodoproep").waitFor();
  await officer.lookAround("/", "list-test");
  await page.keyboard.press("F2");
  await page.waitForURL(`**/alarms/${alarm}`);
  await close(officer, alarm);
}

async function handShiftOver(officer, next) {
  const { page } = officer;
  await page.goto(`${town.console}/shift`);
  await page.getByLabel("Wat moet de volgende weten?").fill("Bel mevrouw Oosterhof om acht uur nog eens.");
  await page.getByRole("button", { name: "Bewaar" }).click();
  await page.getByText("Bel mevrouw Oosterhof om acht uur nog eens.").waitFor();
  await officer.lookAround("/shift", "shift");
  await page.goto(`${town.console}/roster`);
  await page.getByLabel("Aan wie?").selectOption("S. Bakker");
  await page.getByLabel("Tot").fill("2099-12-24T17:00");
  await page.getByRole("button", { name: "Draag over" }).click();
  await page.getByRole("heading", { name: "Nu dienst: S. Bakker" }).waitFor();
  await officer.lookAround("/roster", "roster");
  await next.page.goto(`${town.console}/shift`);
  await next.page.getByText("Bel mevrouw Oosterhof om acht uur nog eens.").waitFor();
}

async function agreeWithPerson(officer) {
  const { page } = officer;
  await page.goto(`${town.console}/people`);
  await officer.lookAround("/people", "people");
  await page.getByRole("link", { name: "Marit Oosterhof" }).click();
  await page.getByLabel("Wat te doen").fill("Bel eerst de partner.\nRijd stil aan.");
  await page.getByLabel("Terugbelnummer").fill("+31612345679");
  await page.getByRole("button", { name: "Bewaren" }).click();
  await page.getByText("Dit ligt versleuteld").waitFor();
  await officer.lookAround(new URL(page.url()).pathname, "person");
}

await play("an officer's shift", browser, async () => {
  const where = { origin: town.console };
  const officer = await Visitor.arrive(browser, where);
  const next = await Visitor.arrive(browser, { ...where, size: SIZES.phone });
  const keys = await enrol(officer, town.links[0], true);
  await logInWithEither(officer, keys);
  await enrol(next, town.links[1], false);
  await officer.lookAround("/keys", "keys-two");
  await agreeWithPerson(officer);
  const alarm = await alarmByNight(officer);
  await nothingOldIsShown(officer, alarm);
  await close(officer, alarm);
  await test(officer);
  await handShiftOver(officer, next);
  for (const path of ["channels", "warnings", "tests", "figures"]) await officer.lookAround(`/${path}`, path);
  await officer.lookAround("/nothing-here", "not-found");
  await officer.leave();
  await next.leave();
});
