// An adviser sets a municipality up, with only the screen: people, ladders, functions, the plan, the year, the edition.
//
// BAKEN_TOWN is JSON: the portal's link where the root lies beside it, the link of one without, and a phone's program with a
// folder for the home of a phone that is not activated yet.

import assert from "node:assert/strict";

import { SIZES, Visitor, play, run, start } from "./stage.mjs";

const town = JSON.parse(process.env.BAKEN_TOWN);

const browser = await start([]);

async function enter(link, size) {
  const origin = new URL(link).origin;
  const adviser = await Visitor.arrive(browser, { origin, size });
  await adviser.page.goto(link);
  await adviser.page.getByRole("button", { name: "Open het portaal" }).click();
  await adviser.page.getByRole("heading", { name: "Overzicht" }).waitFor();
  return adviser;
}

const said = (page, text) => page.locator(".said-last").getByText(text).waitFor();

async function invite(adviser) {
  const { page } = adviser;
  await page.getByRole("link", { name: "Mensen" }).first().click();
  await page.getByLabel("Naam").fill("Noor Hendriks");
  await page.getByLabel("Functie").fill("raadslid");
  await page.getByLabel("Telefoonnummer om terug te bellen").fill("+31600000021");
  await page.getByRole("button", { name: "Nodig uit" }).click();
  await page.getByRole("heading", { name: "Uitnodiging voor Noor Hendriks" }).waitFor();
  await page.getByRole("img", { name: "Code om te scannen" }).waitFor();
  await adviser.look("portal-invite-nl-desk");
  // The text beside the code makes a phone that person's.
  const text = await page.getByLabel("Of typ of plak deze tekst").inputValue();
  run(town.phone, ["--json", "--home", town.home, "activate", "--name", "Telefoon", text], { BAKEN_PIN: town.pin });
  await page.getByRole("link", { name: "Mensen" }).first().click();
  await page.getByText("Noor Hendriks").waitFor();
  await page.getByLabel("Naam").fill("K. Tijdelijk");
  await page.getByLabel("Functie").fill("adviseur");
  await page.getByLabel("Telefoonnummer om terug te bellen").fill("+31600000022");
  await page.getByLabel("Wat wordt het toestel?").selectOption("adviser");
  await page.getByRole("button", { name: "Nodig uit" }).click();
  await page.getByRole("heading", { name: "Uitnodiging voor K. Tijdelijk" }).waitFor();
  await page.getByRole("link", { name: "Mensen" }).first().click();
  await page.getByRole("listitem").filter({ hasText: "K. Tijdelijk" }).getByText("Onthef als adviseur").first().click();
  await page.getByRole("button", { name: "Onthef als adviseur: K. Tijdelijk" }).click();
  await said(page, "is ontheven");
  await adviser.lookAround("/people", "portal-people");
}

async function ladder(adviser) {
  const { page } = adviser;
  await page.getByRole("link", { name: "Ladders" }).click();
  await page.getByText("Er is maar één meldkamer").waitFor();
  await adviser.lookAround("/ladders", "portal-ladders");
  const written = page.getByLabel("De ladder, zo geschreven");
  // What cannot be is said, and nothing is signed.
  await written.fill("Standaard=Meldkamer Nergens:10");
  await page.getByRole("button", { name: "Bekijk wat er verandert" }).click();
  await page.getByText("desk that is not in the directory").or(page.getByText("niet in de adreslijst")).waitFor();
  await page.goBack();
  await written.fill("Standaard=Meldkamer Oost:15,Meldkamer Oost:60");
  await page.getByLabel("Nummer voor alarmen per sms").fill("+31600000099");
  await page.getByRole("button", { name: "Bekijk wat er verandert" }).click();
  await page.getByRole("heading", { name: "Wat er verandert: Standaard" }).waitFor();
  await adviser.look("portal-ladder-preview-nl-desk");
  await page.getByRole("button", { name: "Teken en stuur" }).click();
  await said(page, "is getekend");
  await page.getByText("wacht 15 s").waitFor();
  await page.getByText("+31600000099").first().waitFor();
}

async function functions(adviser) {
  const { page } = adviser;
  await page.getByRole("link", { name: "Functies", exact: true }).click();
  await page.getByLabel("Functie").selectOption("safety-adviser");
  await page.getByLabel("Wie", { exact: true }).fill("J. Voorbeeld");
  await page.getByLabel("Nummer", { exact: true }).fill("0123-456789");
  await page.getByLabel("Dag en nacht bereikbaar").check();
  await page.getByRole("button", { name: "Leg vast" }).first().click();
  await said(page, "er is geen vervanger");
  await page.getByLabel("Gekozen leden").selectOption("not-covered");
  await page.getByLabel("Bestuur").selectOption("covered");
  await page.getByLabel("Verzekeraar").fill("Voorbeeld Verzekeringen");
  await page.getByLabel("Voorwaarden van").fill("2026-01-01");
  await page.getByRole("button", { name: "Leg vast" }).last().click();
  await said(page, "Vastgelegd");
  await adviser.lookAround("/roles", "portal-roles");
}

async function plan(adviser) {
  const { page } = adviser;
  await page.getByRole("link", { name: "Plan", exact: true }).click();
  const title = page.getByLabel("Wat, in één regel");
  // What looks like an option is a title like any other.
  await title.fill("--data=elders");
  await page.getByRole("button", { name: "Voeg toe" }).click();
  await said(page, "Toegevoegd");
  await page.getByRole("button", { name: "Haal weg: --data=elders" }).click();
  await said(page, "Weggehaald");
  await title.fill("Toegang receptie");
  await page.getByLabel("Thema").selectOption("physical");
  await page.getByLabel("Wie zorgt ervoor?").first().selectOption("security-officer");
  await page.getByLabel("Voor", { exact: true }).fill("2020-05-01");
  await page.getByRole("button", { name: "Voeg toe" }).click();
  await page.getByText("over tijd").waitFor();
  await adviser.lookAround("/plan", "portal-plan");
  await page.getByLabel("Stand: Toegang receptie").selectOption("done");
  await page.getByRole("button", { name: "Wijzig: Toegang receptie" }).click();
  await said(page, "Gewijzigd");
  assert.equal(await page.getByText("over tijd").count(), 0);
}

async function year(adviser) {
  const { page } = adviser;
  await page.getByRole("link", { name: "Jaar", exact: true }).click();
  const before = await page.locator(".moments li").count();
  assert.ok(before > 0, "tasks of the year are there by themselves");
  await page.getByLabel("Eerste dag", { exact: true }).fill("2026-03-30");
  await page.getByLabel("Eerste dag van de volgende").fill("2030-03-27");
  await page.getByRole("button", { name: "Leg vast" }).click();
  await said(page, "De periode ligt vast");
  await page.locator('select[name="person"]').selectOption({ label: "Noor Hendriks" });
  await page.getByLabel("Op", { exact: true }).fill(`${new Date().getFullYear()}-12-30`);
  await page.getByRole("button", { name: "Voeg toe" }).click();
  await page.getByText("Informeren: Noor Hendriks").waitFor();
  await adviser.lookAround("/year", "portal-year");
}

async function edition(adviser) {
  const { page } = adviser;
  await page.getByRole("link", { name: "Uitgave", exact: true }).click();
  await page.getByText("Er is nog geen bron").waitFor();
  await page.getByRole("button", { name: "Zet functies en verzekering erin" }).click();
  await page.getByRole("link", { name: "contacts.toml" }).click();
  assert.match(await page.getByLabel("Tekst").inputValue(), /0123-456789/);
  // A file outside the source is none of it.
  await page.getByLabel("Bestand").fill("../root.toml");
  await page.getByRole("button", { name: "Leg vast" }).click();
  await page.getByText("Een bestand van de bron heet").waitFor();
  await page.goto(`${adviser.origin}/edition`);
  await page.getByRole("button", { name: "Bouw en teken" }).click();
  await said(page, "is getekend door");
  await page.getByRole("button", { name: "Stuur naar de relay" }).click();
  await said(page, "staat bij de relay");
  await adviser.lookAround("/edition", "portal-edition");
}

/** Without the root here, nothing is signed: the page says what its keeper types. */
async function withoutRoot(link) {
  const adviser = await enter(link, SIZES.phone);
  const { page } = adviser;
  await page.getByText("De sleutel van de organisatie ligt niet op deze computer").waitFor();
  await page.getByRole("link", { name: "Ladders" }).click();
  await page.getByLabel("De ladder, zo geschreven").fill("Standaard=Meldkamer Oost:15,Meldkamer Oost:90");
  await page.getByRole("button", { name: "Bekijk wat er verandert" }).click();
  await page.getByText("baken-server org directory --data ORG --ladder 'Standaard=Meldkamer Oost:15,Meldkamer Oost:90'").waitFor();
  assert.equal(await page.getByRole("button", { name: "Teken en stuur" }).count(), 0);
  await adviser.look("portal-keeper-nl-phone");
  await adviser.leave();
}

await play("an adviser's set-up of a municipality", browser, async () => {
  const adviser = await enter(town.portal, SIZES.desk);
  await adviser.lookAround("/", "portal-overview-empty");
  await invite(adviser);
  await ladder(adviser);
  await functions(adviser);
  await plan(adviser);
  await year(adviser);
  await edition(adviser);
  await adviser.lookAround("/", "portal-overview");
  // The link was used: it opens nothing for anybody else.
  const other = await Visitor.arrive(browser, { origin: adviser.origin });
  await other.page.goto(town.portal);
  await other.page.getByRole("button", { name: "Open het portaal" }).click();
  await other.page.getByText("Open het portaal met de link").waitFor();
  await other.page.goto(`${adviser.origin}/people`);
  assert.equal(await other.page.getByText("Noor Hendriks").count(), 0);
  await other.leave();
  await adviser.page.getByRole("button", { name: "Sluit af" }).click();
  await adviser.page.goto(adviser.origin);
  await adviser.page.getByText("Open het portaal met de link").waitFor();
  await adviser.leave();
  await withoutRoot(town.without);
});
