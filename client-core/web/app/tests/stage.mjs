// What every story in the browser stands on: a Chromium, pictures of each screen, axe, and a watch over the network. The
// test in Rust starts a story, plays the desk, and is told here how far it is: one JSON object a line, answered by a line
// where it waits.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

export const { APP_URL, RELAY_URL, INVITE, LANGUAGE, WIDTH, PROFILE, SHOTS, CHROMIUM } = process.env;
export const PIN = '482913';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PATIENCE_MS = 30_000;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
export const tell = (step, more = {}) => console.log(JSON.stringify({ step, ...more }));
export const told = async (step, more) => {
  tell(step, more);
  await lines.next();
};
export const nl = LANGUAGE !== 'en';
export const say = (dutch, english) => (nl ? dutch : english);
mkdirSync(SHOTS, { recursive: true });

const origins = new Set();
const violations = [];
const errors = [];
const contexts = [];
let shots = 0;

/// A browser with data of its own. `args` are further ones of Chromium.
export async function browser(profile = PROFILE, args = [], more = {}) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    // The relay of a test has a root of its own.
    args: ['--no-sandbox', '--ignore-certificate-errors', ...args],
    ignoreHTTPSErrors: true,
    viewport: { width: Number(WIDTH), height: 800 },
    locale: nl ? 'nl-NL' : 'en-GB',
    permissions: ['geolocation', 'camera'],
    geolocation: { latitude: 52.3717, longitude: 4.8903, accuracy: 12 },
    reducedMotion: 'reduce',
    ...more,
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') || url.protocol.startsWith('ws')) origins.add(url.origin);
  });
  context.on('weberror', (error) => errors.push(String(error.error())));
  context.on('console', (message) => {
    // What the policy refused, a script that failed; a network that is gone is part of the story.
    if (message.type() === 'error' && !/ERR_INTERNET_DISCONNECTED|Failed to load resource/.test(message.text())) errors.push(message.text());
  });
  context.setDefaultTimeout(PATIENCE_MS);
  contexts.push(context);
  return context;
}

/// Looks at a screen as it is: taken down as a picture, and measured against WCAG.
export async function look(page, name) {
  await page.waitForTimeout(150);
  shots += 1;
  await page.screenshot({ path: `${SHOTS}/${String(shots).padStart(2, '0')}-${name}.png`, fullPage: true });
  // By the debugger, which the page's own policy does not bind.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const run = "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((r) => JSON.stringify(r.violations.map((v) => ({ id: v.id, at: v.nodes.map((n) => n.target.join(' ') + ' ' + (n.failureSummary ?? '').slice(0, 200)) }))))";
  const { result } = await session.send('Runtime.evaluate', { expression: run, awaitPromise: true });
  for (const violation of JSON.parse(result.value)) violations.push({ screen: name, ...violation });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) violations.push({ screen: name, id: 'scrolls sideways', at: [`${wide} px`] });
  await session.detach();
}

/// Goes to a screen.
export const goer = (page) => async (path, title) => {
  await page.goto(`${APP_URL}/#${path}`);
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
};

/// From an invite to the first screen.
export async function activate(page) {
  await page.goto(`${APP_URL}/#${INVITE}`);
  await page.locator('#pin').fill(PIN);
  await page.locator('#pin-again').fill(PIN);
  await page.locator('form button[type=submit]').click();
  await page.locator('.way').waitFor();
}

/// What the story has shown, told at its end.
export async function end(more = {}) {
  const foreign = [...origins].filter((origin) => origin !== APP_URL && origin !== RELAY_URL);
  tell('ended', { foreign, violations, errors, shots, ...more });
  for (const context of contexts) await context.close();
  process.exit(0);
}

process.on('uncaughtException', async (error) => {
  // What a person would have seen, beside what was looked for.
  console.error(error, errors);
  const open = contexts.flatMap((context) => context.pages());
  for (const [n, page] of open.entries()) await page.screenshot({ path: `${SHOTS}/failed-${n}.png`, fullPage: true }).catch(() => undefined);
  process.exit(1);
});
