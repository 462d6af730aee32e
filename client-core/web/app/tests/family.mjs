// A mayor and their partner, each with a browser: the family circle, what the partner reads, an alarm that calls them,
// and taking them out of the circle.
import { APP_URL, PIN, PROFILE, activate, browser, end, goer, look, say, told } from './stage.mjs';

const mayor = await (await browser(`${PROFILE}-mayor`)).newPage();
const partnerBrowser = await browser(`${PROFILE}-partner`);
const partner = await partnerBrowser.newPage();
const at = goer(mayor);

await activate(mayor);
await at('/family', say('Gezin', 'Family'));
await look(mayor, 'family-none');
await mayor.locator('form button[type=submit]').click();
await mayor.getByRole('button', { name: say('Iemand uitnodigen', 'Invite somebody') }).click();
await mayor.locator('.qr').waitFor();
await look(mayor, 'family-invite');
await mayor.locator('section ol summary').click();
const address = await mayor.locator('ol output.code').textContent();

// The partner opens the link of the QR code, and shows a code in turn.
await partner.goto(`${APP_URL}/`);
await partner.getByRole('link', { name: say('Ik ben familie en krijg toegang', 'I am family and was asked to join') }).waitFor();
await look(partner, 'partner-welcome');
await partner.goto(`${APP_URL}/#${address}`);
await partner.locator('#name').fill('Telefoon van Jan');
await partner.locator('#pin').fill(PIN);
await look(partner, 'partner-pair');
await partner.locator('form button[type=submit]').click();
const code = await partner.locator('output.code').textContent();
await look(partner, 'partner-code');
await mayor.locator('#code').fill(code);
await mayor.getByRole('button', { name: say('Verder', 'Continue') }).click();
const digits = await partner.locator('.digits').textContent();
await look(partner, 'partner-digits');
await mayor.locator('#digits').fill(digits === '000000' ? '000001' : '000000');
await mayor.locator('#pin').fill(PIN);
await mayor.getByRole('button', { name: say('Toelaten', 'Let in') }).click();
await mayor.getByText(say('De zes cijfers kloppen niet.', 'The six digits are not right.')).waitFor();
await mayor.locator('#digits').fill(digits);
await mayor.locator('#pin').fill(PIN);
await look(mayor, 'family-digits');
await mayor.getByRole('button', { name: say('Toelaten', 'Let in') }).click();
await mayor.getByText(say('Het toestel doet mee in de kring.', 'The device takes part in the circle.')).waitFor();

// What the mayor writes for them is what they read, and nothing of the dossier.
await at('/record/note/new', say('Notitie', 'Note'));
await mayor.locator('#f-title').fill('Alleen voor mij');
await mayor.locator('form button[type=submit]').click();
await mayor.getByRole('link', { name: 'Alleen voor mij' }).waitFor();
await at('/family', say('Gezin', 'Family'));
await mayor.getByRole('link', { name: say('Afspraak toevoegen', 'Add an agreement') }).click();
await mayor.locator('#f-title').fill('Als de bel gaat');
await mayor.locator('#f-text').fill('Niet opendoen, eerst bellen');
await mayor.locator('form button[type=submit]').click();
await mayor.getByRole('link', { name: say('Contact toevoegen', 'Add a contact') }).click();
await mayor.locator('#f-name').fill('Oma Riet');
await mayor.locator('#f-phone').fill('06 11111111');
await mayor.locator('form button[type=submit]').click();
await mayor.locator('#theirs').waitFor();
await mayor.locator('#chapter').selectOption({ index: 3 });
await mayor.getByRole('button', { name: say('Toevoegen', 'Add'), exact: true }).click();
await mayor.getByText(say('Bewaard', 'Saved')).waitFor();
await partner.getByText('Niet opendoen, eerst bellen').waitFor();
await partner.getByText('Oma Riet').waitFor();
if (await partner.getByText('Alleen voor mij').count()) throw new Error('the family reads the dossier');
await look(partner, 'partner-home');
await at('/family-page', say('Kijk wat zij zien', 'See what they see'));
await mayor.getByText('Niet opendoen, eerst bellen').waitFor();
await look(mayor, 'family-page');
for (const path of ['dossier', 'alarm', 'check-in', 'devices', 'family']) {
  await partner.goto(`${APP_URL}/#/${path}`);
  await partner.getByRole('heading', { level: 1, name: 'Baken' }).waitFor();
  if (await partner.locator('.hold').count()) throw new Error(`${path} is there for family`);
}

// Agreed on one side, chosen on the other.
await partner.goto(`${APP_URL}/#/`);
await partner.locator('.way summary').click();
await partner.locator('#called-as').fill('Jan');
await partner.locator('#pin-agree').fill(PIN);
await look(partner, 'partner-agrees');
await partner.locator('.way form button[type=submit]').click();
await partner.locator('[data-agreed]').waitFor();
await at('/family', say('Gezin', 'Family'));
await mayor.locator('[data-member=Jan] summary').first().click();
await mayor.locator('[data-member=Jan] input').first().fill(PIN);
await look(mayor, 'family-member');
await mayor.locator('[data-member=Jan] form button').first().click();
await mayor.locator('[data-member=Jan] .good-text').waitFor();
await look(mayor, 'family-called');
// Who calls comes with the mayor's next sync, two seconds after the choice, and is noted at the partner's.
await mayor.waitForTimeout(4_000);
await partner.goto(`${APP_URL}/#/settings`);
await partner.goto(`${APP_URL}/#/`);
await partner.waitForTimeout(2_000);
const numbers = [];
for (const page of [mayor, partner]) {
  await page.getByText(say('Veiligheidsnummer', 'Safety number')).click();
  numbers.push(await page.locator('.code.number').textContent());
}
if (numbers[0] !== numbers[1] || numbers[0].length < 30) throw new Error(`the safety numbers differ: ${numbers}`);

// An alarm: the partner's browser is locked, and says it is seen without a PIN.
await partner.reload();
await partner.locator('[data-agreed]').waitFor();
await at('/', 'Baken');
// The title takes the focus once the screen is painted.
await mayor.waitForTimeout(300);
await mayor.locator('.hold').focus();
await mayor.keyboard.press('Enter');
await mayor.locator('.confirm .alarm-link:focus').waitFor();
await mayor.keyboard.press('Enter');
await mayor.locator('li[data-state=stored].done').waitFor();
const alarm = mayor.url().split('/alarm/')[1];
await partner.locator('.notice.bad a').waitFor();
await look(partner, 'partner-locked-alarm');
await mayor.locator('li[data-state=received].done').waitFor();
if (await mayor.locator('.alarm-state.green').count()) throw new Error('green before a human has it');
await partner.locator('.notice.bad a').click();
await partner.getByText('52.37170, 4.89030').waitFor();
await partner.getByRole('heading', { level: 1, name: say('Alarm van Telefoon', 'Alarm of Phone') }).waitFor();
await partner.getByRole('link', { name: say('Bel 112', 'Call 112') }).first().waitFor();
await look(partner, 'incoming');
await partner.getByRole('button', { name: say('Ik zie dit alarm', 'I see this alarm') }).click();
await partner.getByText(say('Dat is verzonden.', 'That has been sent.')).waitFor();
await mayor.locator('.alarm-state.green').waitFor();
await mayor.locator('li[data-state=seen].done').getByText('Jan').waitFor();
await look(mayor, 'alarm-seen-by-family');

// Sent on to the desk, with the network gone for a moment.
await partnerBrowser.setOffline(true);
await partner.locator('#send-on-text-field').fill(say('Ik ben te ver weg', 'I am too far away'));
await partner.getByRole('button', { name: say('Stuur door', 'Send on') }).click();
await partner.getByText(say('zodra er verbinding is', 'once there is a connection')).waitFor();
await look(partner, 'incoming-sent-on-offline');
await partnerBrowser.setOffline(false);
await partner.getByText(say('Doorgestuurd.', 'Sent on.')).waitFor();
await told('sent_on', { alarm });
await partner.getByText('Joris de Wit').waitFor();
await look(partner, 'incoming-desk');

// Out of the circle: no word of it on the partner's side but that nothing new comes.
await at('/family', say('Gezin', 'Family'));
await mayor.locator('[data-member=Jan] summary').last().click();
await mayor.locator('[data-member=Jan] form').last().locator('input').fill(PIN);
await look(mayor, 'family-remove');
await mayor.locator('[data-member=Jan] form').last().locator('button').click();
await mayor.getByText(say('is uit de kring', 'is out of the circle')).waitFor();
await partner.goto(`${APP_URL}/#/`);
await partner.locator('#pin').fill(PIN);
await partner.locator('form button[type=submit]').click();
await partner.getByText(say('krijgt niets nieuws van deze kring', 'gets nothing new from this circle')).waitFor();
await partner.getByText('Niet opendoen, eerst bellen').waitFor();
await look(partner, 'partner-out');
await partnerBrowser.setOffline(true);
await partner.goto(`${APP_URL}/`);
await partner.getByRole('link', { name: say('Bel 112', 'Call 112') }).first().waitFor();
await look(partner, 'partner-offline');
await end();
