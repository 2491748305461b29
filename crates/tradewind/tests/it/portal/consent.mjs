// An application asks, a person allows, is not asked again, denies, proves again who they are, withdraws. Where the browser is led is what counts.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { journey } from '../browser/browser.mjs';

const ADA = { name: 'Ada', email: 'ada@example.com', password: 'seven tides and a lamp' };
const COMBINATIONS = [['en', 'light'], ['en', 'dark'], ['he', 'light'], ['he', 'dark']];

await journey(async ({ given, open, step, axe, shot }) => {
  const url = (path) => new URL(path, given.base).href;
  const primary = (page) => page.locator('button.primary');
  const challenge = createHash('sha256').update('v'.repeat(43)).digest('base64url');
  const authorize = (more = {}) => url(`/oauth/authorize?${new URLSearchParams({
    response_type: 'code', client_id: given.client, redirect_uri: given.callback, scope: 'calls:read agents:read', state: 's1',
    code_challenge: challenge, code_challenge_method: 'S256', ...more,
  })}`);

  // The application: it only shows that somebody came.
  const app = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>App</title>'));
  await new Promise((ready) => app.listen(new URL(given.callback).port, '127.0.0.1', ready));

  /** Does something that leads to the application; the query that it would be called with. */
  async function led(page, act) {
    await act();
    await page.waitForURL(`${given.callback}?*`);
    return new URL(page.url()).searchParams;
  }

  step('join two tenants');
  const page = await open();
  await page.goto(given.invitations[0]);
  await page.fill('#name', ADA.name);
  await page.fill('#password', ADA.password);
  await primary(page).click();
  await page.goto(given.invitations[1]);
  await primary(page).click();
  await page.locator('form[action="/portal/sign-out"] button').click();

  step('signing in for an application');
  await page.goto(authorize());
  assert.match(page.url(), /\/portal\/sign-in\?next=/);
  assert.ok((await page.locator('.lead').innerText()).includes('Fleet <i>Reports'));
  await page.fill('#email', ADA.email);
  await page.fill('#password', ADA.password);
  await primary(page).click();
  step('choosing for whom');
  await axe(page);
  await shot(page, 'choose-tenant-en-light');
  assert.equal(await page.locator('input[type=radio]').count(), 2);
  await page.locator('label', { hasText: 'Globex' }).click();
  await primary(page).click();
  step('consent');
  for (const [lang, theme] of COMBINATIONS) {
    await page.locator(`button[name=language][value=${lang}]`).click();
    await page.locator(`button[name=theme][value=${theme}]`).click();
    await axe(page, `consent ${lang} ${theme}`);
    await shot(page, `consent-${lang}-${theme}`);
  }
  await page.locator('button[name=language][value=en]').click();
  const text = await page.locator('main').innerText();
  for (const part of ['Fleet <i>Reports', 'Globex', 'Acme', 'calls:read', 'agents:read', '127.0.0.1']) assert.ok(text.includes(part), part);
  const allowed = await led(page, () => page.locator('button[value=allow]').click());
  assert.ok(allowed.get('code'), `${allowed}`);
  assert.deepEqual([allowed.get('state'), allowed.get('iss')], ['s1', given.base]);

  step('remembered');
  await page.goto(url('/portal'));
  await page.goto(authorize());
  await page.locator('label', { hasText: 'Globex' }).click();
  const again = await led(page, () => primary(page).click());
  assert.ok(again.get('code') && again.get('code') !== allowed.get('code'));

  step('denied');
  await page.goto(authorize({ prompt: 'consent' }));
  await page.locator('label', { hasText: 'Globex' }).click();
  await primary(page).click();
  const denied = await led(page, () => page.locator('button[value=deny]').click());
  assert.deepEqual([denied.get('error'), denied.get('code'), denied.get('iss')], ['access_denied', null, given.base]);

  step('a fresh sign-in is asked for');
  // A sign-in of the last five seconds is fresh: asked again until that is over.
  for (let tries = 0; !page.url().includes('/portal/confirm'); tries += 1) {
    assert.ok(tries < 100, 'nobody asked for a fresh sign-in');
    await page.goto(authorize({ prompt: 'login' }));
    await page.locator('label', { hasText: 'Globex' }).click();
    await primary(page).click();
  }
  await axe(page);
  await shot(page, 'confirm-en-light');
  await page.fill('#password', ADA.password);
  const fresh = await led(page, () => primary(page).click());
  assert.ok(fresh.get('code'), `${fresh}`);

  step('withdrawn');
  await page.goto(url('/portal/apps'));
  assert.equal(await page.locator('tbody tr').count(), 1);
  await axe(page);
  await shot(page, 'apps-en-light');
  await page.locator('tbody button').click();
  assert.equal(await page.locator('.empty').count(), 1);
  await axe(page, 'no apps');
  await page.goto(authorize());
  await page.locator('label', { hasText: 'Globex' }).click();
  await primary(page).click();
  assert.ok(await page.locator('button[value=allow]').isVisible(), 'asked again after withdrawing');

  step('an answered request is over');
  const consent = page.url();
  await led(page, () => page.locator('button[value=deny]').click());
  const over = await page.goto(consent);
  assert.equal(over.status(), 404);

  step('a device');
  const credentials = Buffer.from(`${given.client}:${given.secret}`).toString('base64');
  const device = async () => {
    const headers = { authorization: `Basic ${credentials}`, 'content-type': 'application/x-www-form-urlencoded' };
    return (await fetch(url('/oauth/device_authorization'), { method: 'POST', headers, body: 'scope=calls%3Aread' })).json();
  };
  const begun = await device();
  await page.goto(url('/portal/device'));
  await axe(page);
  await shot(page, 'device-en-light');
  await page.fill('#user_code', 'BBBB-BBBB');
  await primary(page).click();
  assert.ok(await page.locator('.notice.bad').isVisible(), 'a mistyped code');
  await page.fill('#user_code', begun.user_code.toLowerCase());
  await primary(page).click();
  await page.locator('label', { hasText: 'Globex' }).click();
  await primary(page).click();
  const asked = await page.locator('main').innerText();
  for (const part of ['Fleet <i>Reports', 'Globex', 'calls:read']) assert.ok(asked.includes(part), part);
  await axe(page);
  await shot(page, 'device-confirm-en-light');
  await page.locator('button[value=allow]').click();
  assert.equal(await page.locator('h1').innerText(), 'The device is connected');
  await page.goto((await device()).verification_uri_complete);
  await page.locator('label', { hasText: 'Globex' }).click();
  await primary(page).click();
  await page.locator('button[value=deny]').click();
  assert.equal(await page.locator('h1').innerText(), 'The device gets no access');
  app.close();
});
