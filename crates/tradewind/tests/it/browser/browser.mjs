// A browser for journeys: node <journey>.mjs <directory with node_modules> <directory for pictures> <what is given, as JSON>
//
//   import { journey } from '../browser/browser.mjs';
//   await journey(async ({ given, open, step, axe, shot }) => { const page = await open({ lang: 'he', theme: 'dark' }); … });
//
// open     a page in a context of its own: no cookies, this language and these colours; `script: false` switches JavaScript off
// step     names what follows, so that a failure says where it happened
// axe      fails if axe-core finds anything on the page as it is
// shot     takes a picture of the whole page
//
// A page that logs an error, breaks its own policy (CSP) or asks another host for anything fails the journey.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [tools, pictures, given] = process.argv.slice(2);
const require = createRequire(join(tools, 'package.json'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--force-prefers-reduced-motion'];
const LOCALES = { en: 'en-GB', he: 'he-IL' };
/** Long enough for a busy machine. */
const PATIENCE = 20_000;

export async function journey(run) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  const facts = JSON.parse(given);
  const faults = [];
  let at = 'the beginning';
  const step = (name) => { at = name; };

  async function open({ lang = 'en', theme = 'light', script = true, width = 1200, expected = [] } = {}) {
    const context = await browser.newContext({
      locale: LOCALES[lang], colorScheme: theme, javaScriptEnabled: script, viewport: { width, height: 860 },
    });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    // A refused form is a 401 or 422, which the console of the browser notes as an error although the page means it.
    const isMeant = (text) => /status of 4\d\d/.test(text) || expected.some((pattern) => pattern.test(text));
    page.on('console', (message) => {
      if (message.type() === 'error' && !isMeant(message.text())) faults.push(`${at}: ${message.text()}`);
    });
    page.on('pageerror', (error) => faults.push(`${at}: ${error}`));
    page.on('request', (request) => {
      const host = new URL(request.url()).host;
      const known = [facts.base, ...(facts.hosts || [])].map((url) => new URL(url).host);
      if (host && !known.includes(host)) faults.push(`${at}: asked ${request.url()}`);
    });
    return page;
  }

  /** Runs axe-core over the protocol of the debugger: no policy of the page is loosened for it. */
  async function axe(page, name) {
    await page.evaluate(axeSource);
    const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const told = result.violations.map((rule) => `${rule.id}: ${rule.help}\n${rule.nodes.map((node) => `  ${node.html}\n  ${node.failureSummary}`).join('\n')}`);
    assert.equal(told.length, 0, `${name || at}, ${page.url()}:\n${told.join('\n')}`);
  }

  const shot = (page, name) => page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });

  try {
    await run({ browser, given: facts, open, step, axe, shot });
    assert.deepEqual(faults, [], 'what pages logged or asked for');
    console.log('ok');
  } catch (error) {
    for (const context of browser.contexts()) {
      for (const page of context.pages()) {
        console.log(`at ${page.url()}:\n${(await page.locator('body').innerText().catch(() => '')).slice(0, 1500)}`);
      }
    }
    console.log(`in ${at}`);
    throw error;
  } finally {
    await browser.close();
  }
}

/** The code of an authenticator (RFC 6238: SHA-1, 30 seconds, six digits) for a key in base32, `steps` steps from now. */
export async function totp(secret, steps = 0) {
  const { createHmac } = await import('node:crypto');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replace(/[\s=]/g, '').toUpperCase()].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', key).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
