// What every play in a browser needs: a real Chromium, keys to touch, and eyes for what nobody would see by hand: requests to
// anybody else, what the policy refused, errors of scripts, and what axe finds.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

const modules = createRequire(join(process.env.BAKEN_NODE_MODULES ?? "", "none.js"));
const { chromium } = modules("playwright-core");
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");

/** How long anything may take before it has failed, in milliseconds. */
export const PATIENCE_MS = 30_000;
/** A telephone of five years ago, and a screen on a desk. */
export const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 900 } };

function program(names) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      try { accessSync(path, constants.X_OK); return path; } catch { /* Not here. */ }
    }
  }
  throw new Error(`none of these is installed: ${names.join(", ")}`);
}

/** The flag by which Chromium trusts one certificate, as it would after its root was imported. */
export function trusting(certificate) {
  const key = new X509Certificate(readFileSync(certificate)).publicKey.export({ type: "spki", format: "der" });
  return `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`;
}

/** Starts Chromium; `flags` go to it. */
export async function start(flags) {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({
    executablePath: program(["chromium", "chromium-browser", "google-chrome"]),
    args: [...sandbox, "--mute-audio", ...flags],
  });
}

/** Runs a program to its end and returns what it printed. */
export function run(path, args, environment = {}) {
  return execFileSync(path, args, { encoding: "utf8", env: { ...process.env, ...environment }, timeout: PATIENCE_MS });
}

/** Somebody at a browser of their own, who may go to `origin` alone. */
export class Visitor {
  static async arrive(browser, { origin, locale = "nl-NL", size = SIZES.desk, ...more }) {
    const context = await browser.newContext({ locale, viewport: size, ...more });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
    const visitor = new Visitor();
    Object.assign(visitor, { context, origin, wrong: [] });
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.origin !== origin && !["data:", "blob:"].includes(url.protocol)) visitor.wrong.push(`asked ${url.href}`);
    });
    visitor.page = await visitor.open();
    return visitor;
  }

  async open() {
    const page = await this.context.newPage();
    page.on("pageerror", (error) => this.wrong.push(`script: ${error.message}`));
    page.on("console", (line) => {
      // A browser says so of each answer that is no success; those the plays look at themselves.
      const answer = line.text().startsWith("Failed to load resource");
      if (line.type() === "error" && !answer) this.wrong.push(`console: ${line.text()}`);
    });
    return page;
  }

  /** Two keys on which somebody can lay a finger; one answers at a time. */
  async keys() {
    const cdp = await this.context.newCDPSession(this.page);
    await cdp.send("WebAuthn.enable");
    const add = async (transport) => {
      const options = {
        protocol: "ctap2", transport, hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
        automaticPresenceSimulation: false,
      };
      return (await cdp.send("WebAuthn.addVirtualAuthenticator", { options })).authenticatorId;
    };
    const ids = [await add("internal"), await add("usb")];
    const touch = (authenticatorId, enabled) => cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
    return {
      /** From now on this one answers. */
      async hold(which) {
        for (const [at, id] of ids.entries()) await touch(id, at === which);
      },
      /** A finger that the key does not know, or does. */
      async verify(which, isUserVerified) {
        await cdp.send("WebAuthn.setUserVerified", { authenticatorId: ids[which], isUserVerified });
      },
      async count(which) {
        return (await cdp.send("WebAuthn.getCredentials", { authenticatorId: ids[which] })).credentials.length;
      },
    };
  }

  /** Nothing on the page keeps anybody out, and it fits the screen; a picture goes to the folder of pictures. */
  async look(name, page = this.page) {
    const shots = process.env.BAKEN_SHOTS;
    if (shots) {
      mkdirSync(shots, { recursive: true });
      await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
    }
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }));
    const said = found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
    assert.deepEqual(said, [], `axe at ${name}`);
    const { wide, shown } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth, shown: document.documentElement.clientWidth,
    }));
    assert.ok(wide <= shown, `${name} is ${wide} wide on a screen of ${shown}`);
  }

  /** Looks at a page in both languages and both sizes, by day and by night. */
  async lookAround(path, name) {
    const page = await this.open();
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      for (const lang of ["nl", "en"]) {
        await page.emulateMedia({ colorScheme: lang === "nl" ? "light" : "dark", reducedMotion: "reduce" });
        await page.goto(`${this.origin}${path}${path.includes("?") ? "&" : "?"}lang=${lang}`);
        await this.look(`${name}-${lang}-${size}`, page);
      }
    }
    await page.goto(`${this.origin}${path}${path.includes("?") ? "&" : "?"}lang=nl`);
    await page.close();
  }

  /** Ends the visit: nothing went wrong in it. */
  async leave() {
    assert.deepEqual(this.wrong, []);
    await this.context.close();
  }
}

/** Runs a play; what it says last is for who runs it. */
export async function play(name, browser, acts) {
  try {
    await acts();
    await browser.close();
    console.log(JSON.stringify({ played: name }));
    process.exit(0);
  } catch (error) {
    console.error(error.stack ?? error);
    await browser.close();
    process.exit(1);
  }
}
