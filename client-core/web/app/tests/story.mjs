// A person's days with the phone app, in a real Chromium against a real relay and desk.
import { APP_URL, INVITE, PIN, browser, end, goer, look, say, tell, told } from './stage.mjs';

const context = await browser();
const page = await context.newPage();
const at = goer(page);

// The first day: an invite, a PIN, and proof that the way to help works.
await page.goto(`${APP_URL}/`);
await page.getByRole('heading', { name: say('Welkom bij Baken', 'Welcome to Baken') }).waitFor();
await look(page, 'welcome');
await at('/guidance', say('Uitleg', 'Guidance'));
await page.getByRole('link', { name: say('Start', 'Home'), exact: true }).click();
await page.goto(`${APP_URL}/#${INVITE}`);
await page.getByRole('heading', { name: say('Uw toestel activeren', 'Activate your device') }).waitFor();
if (page.url().includes('INVITE')) throw new Error('the invite stays in the address');
await page.locator('#pin').fill(PIN);
await page.locator('#pin-again').fill('111111');
await page.locator('form button[type=submit]').click();
await page.getByText(say('De twee pincodes zijn niet gelijk.', 'The two PINs are not the same.')).waitFor();
await look(page, 'activate');
await page.locator('#pin-again').fill(PIN);
await page.locator('form button[type=submit]').click();
await page.locator('.hold').waitFor();
await page.locator('.way').waitFor();
await page.locator('.way button').click();
await page.locator('.way.good').waitFor();
await look(page, 'home');
tell('activated');

// The dossier.
await at('/dossier', say('Mijn dossier', 'My dossier'));
await look(page, 'dossier');
await at('/dossier/profile', say('Mijn gegevens', 'My details'));
await page.locator('#f-home_address').fill('Lindelaan 12');
await page.locator('#f-code_word').fill('bosuil');
await look(page, 'profile');
await page.locator('form button[type=submit]').click();
await page.getByRole('heading', { name: say('Mijn dossier', 'My dossier') }).waitFor();
await at('/record/contact/new', 'Contact');
await page.locator('#f-name').fill('Joris Meerman');
await page.locator('#f-phone').fill('06 12345678');
await page.locator('#f-emergency').check();
await page.locator('form button[type=submit]').click();
await page.getByRole('link', { name: 'Joris Meerman' }).waitFor();
await page.getByRole('button', { name: `${say('Verwijderen', 'Delete')}: Joris Meerman` }).click();
await page.getByRole('button', { name: say('Ongedaan maken', 'Undo') }).click();
await page.getByRole('link', { name: 'Joris Meerman' }).waitFor();
await look(page, 'contacts-own');
await at('/contacts', say('Wie kunt u bellen?', 'Whom can you call?'));
await page.getByRole('link', { name: /Joris Meerman/ }).waitFor();
await look(page, 'contacts');

// An incident in two minutes, with a picture.
await at('/incident', say('Incident vastleggen', 'Record an incident'));
await page.locator('#f-what').fill('Dreigbrief in de bus');
await page.locator('#f-place').fill('Thuis');
await page.locator('#file').setInputFiles({ name: 'brief.png', mimeType: 'image/png', buffer: Buffer.from('iVBORw0KGgo=', 'base64') });
await look(page, 'incident');
await page.locator('form button[type=submit]').click();
await page.getByText(say('Het incident is bewaard.', 'The incident is saved.')).waitFor();
await look(page, 'incident-saved');
await page.getByRole('link', { name: say('Meer vastleggen', 'Record more') }).click();
await page.getByRole('button', { name: 'brief.png' }).waitFor();
await look(page, 'incident-more');

// A check-in, started and settled.
await at('/check-in', 'Check-in');
await page.locator('#where').fill('Kerkpad 9');
await page.locator('#pin').fill('999999');
await page.locator('form button[type=submit]').click();
await page.getByText(say('De pincode klopt niet.', 'The PIN is not right.')).waitFor();
await page.locator('#pin').fill(PIN);
await look(page, 'check-in-start');
await page.waitForTimeout(1_000);
await page.locator('form button[type=submit]').click();
await page.locator('.running[data-state=running]').waitFor();
await look(page, 'check-in-running');
await page.locator('#pin').fill(PIN);
await page.getByRole('button', { name: say('Afmelden: ik ben veilig', 'Settle: I am safe') }).click();
await page.locator('.running').waitFor({ state: 'detached' });
tell('settled');

await at('/scan', say('Veiligheidsscan', 'Safety scan'));
await look(page, 'scan-gate');
await page.getByRole('button', { name: say('Nee, er is nu geen gevaar', 'No, there is no danger now') }).click();
await page.locator('.answers').getByRole('button', { name: say('Nee', 'No'), exact: true }).click();
await page.locator('#tips').waitFor();
await look(page, 'scan');
for (const [path, title, name] of [
  ['/agenda', 'Agenda', 'agenda'],
  ['/devices', say('Toestellen', 'Devices'), 'devices'],
  ['/settings', say('Instellingen', 'Settings'), 'settings'],
  ['/conflicts', say('Keuzes te maken', 'Choices to make'), 'conflicts'],
]) {
  await at(path, title);
  await look(page, name);
}

// An alarm by night, locked: held, stored, seen.
await page.reload();
await at('/', 'Baken');
await page.emulateMedia({ colorScheme: 'dark' });
await page.locator('.way').waitFor();
const box = await page.locator('.hold').boundingBox();
await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
await page.mouse.down();
await page.waitForTimeout(400);
await page.mouse.up();
await page.getByRole('button', { name: say('Stuur het alarm nu', 'Send the alarm now') }).waitFor();
if (page.url().includes('/alarm/')) throw new Error('a short press sends an alarm');
await look(page, 'home-night');
await page.mouse.down();
const pressed = Date.now();
await page.locator('li[data-state=stored].done').waitFor();
const stored_ms = Date.now() - pressed - 1_000;
await page.mouse.up();
await page.locator('li[data-state=received].done').waitFor();
if (await page.locator('.alarm-state.green').count()) throw new Error('green before a human has it');
await page.getByRole('link', { name: say('Bel 112', 'Call 112') }).first().waitFor();
await look(page, 'alarm-received');
const alarm = page.url().split('/alarm/')[1];
await page.reload();
await page.locator('li[data-state=received].done').waitFor();
await told('received', { alarm, stored_ms });
await page.locator('li[data-state=seen].done').getByText('Joris de Wit').waitFor();
await page.locator('.alarm-state.green').waitFor();
await look(page, 'alarm-seen');
await page.locator('#say').fill(say('Ik ben in de kelder', 'I am in the cellar'));
await page.getByRole('button', { name: say('Bijvoegen', 'Add'), exact: true }).click();
await page.getByText(say('Bijgevoegd.', 'Added.')).waitFor();
await page.locator('summary').click();
await page.locator('#pin').fill(PIN);
await page.getByRole('button', { name: say('Alarm intrekken', 'Withdraw the alarm') }).click();
await page.getByText(say('Ingetrokken.', 'Withdrawn.')).waitFor();
await told('withdrawn', { alarm });
await page.locator('li[data-state=closed].done').waitFor();
await look(page, 'alarm-closed');
await page.emulateMedia({ colorScheme: 'light' });

// The network cut: started anew, guidance read and searched, a contact called, an alarm kept.
await context.setOffline(true);
await page.goto(`${APP_URL}/`);
await page.locator('.hold').waitFor();
await page.locator('.way.warn').waitFor();
await look(page, 'offline-home');
await at('/guidance', say('Uitleg', 'Guidance'));
await look(page, 'guidance');
await page.locator('#search').fill(say('drijgbrief', 'threat'));
await page.locator('.hits a').first().waitFor();
await look(page, 'guidance-search');
await page.locator('#search').fill('');
await page.locator('a[href^="#/chapter"]').first().click();
await page.locator('.reading').waitFor();
await look(page, 'chapter');
await at('/', 'Baken');
await page.locator('.questions a').nth(1).click();
await page.locator('.contacts li').first().waitFor();
await look(page, 'question');
await page.locator('.tiles a').first().click();
await page.locator('.card-lines').waitFor();
await look(page, 'card');
await at('/dossier', say('Mijn dossier', 'My dossier'));
await look(page, 'unlock');
await page.locator('#pin').fill(PIN);
await page.locator('form button[type=submit]').click();
await page.getByRole('button', { name: say('Vergrendelen', 'Lock') }).waitFor();
await at('/', 'Baken');
// The title takes the focus once the screen is painted.
await page.waitForTimeout(300);
await page.locator('.hold').focus();
await page.keyboard.press('Enter');
await page.locator('.confirm .alarm-link:focus').waitFor();
await page.keyboard.press('Enter');
await page.locator('.alarm-state').getByText(say('Nog niet verzonden', 'Not sent yet')).first().waitFor();
await look(page, 'alarm-offline');
const kept = page.url().split('/alarm/')[1];
await context.setOffline(false);
await page.locator('li[data-state=received].done').waitFor();
await told('drained', { alarm: kept });

// Two tabs: the one that is opened works, the other says so and can take over.
const second = await context.newPage();
await second.goto(`${APP_URL}/`);
await second.locator('.way').waitFor();
await page.getByRole('heading', { name: say('Baken staat open in een ander tabblad', 'Baken is open in another tab') }).waitFor();
await look(page, 'elsewhere');
await page.getByRole('button', { name: say('Hier verdergaan', 'Continue here') }).click();
await page.locator('li[data-state=received].done').waitFor();
await second.getByRole('heading', { name: say('Baken staat open in een ander tabblad', 'Baken is open in another tab') }).waitFor();
await second.close();

const salts = await page.evaluate(async () => {
  // Each slot begins with its name; an encrypted file's first 16 bytes, its salt, follow at 4096.
  const root = await navigator.storage.getDirectory();
  const pool = await (await root.getDirectoryHandle('pool')).getDirectoryHandle('.opaque');
  const found = [];
  for await (const [, handle] of pool.entries()) {
    const file = await handle.getFile();
    const head = new Uint8Array(await file.slice(0, 4112).arrayBuffer());
    const name = new TextDecoder().decode(head.subarray(0, 64)).split('\0')[0];
    if (name.endsWith('.db')) found.push({ name, start: [...head.subarray(4096)] });
  }
  return found;
});
for (const { name, start } of salts) {
  if (start.every((byte) => byte === 0) || String.fromCharCode(...start).startsWith('SQLite')) throw new Error(`${name} is not sealed under a salt`);
}
await end({ stored_ms, databases: salts.length });
