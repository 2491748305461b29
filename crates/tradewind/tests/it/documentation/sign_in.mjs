// Somebody signs in on the documentation's pages (OAuth: code and PKCE for a public client), tries a request, and forgets it again.
import assert from 'node:assert/strict';
import { journey } from '../browser/browser.mjs';

await journey(async ({ given, open, step, axe, shot }) => {
  const url = (path) => new URL(path, given.base).href;
  const primary = (page) => page.locator('button.primary');
  const page = await open();
  const kept = (name) => page.evaluate((name) => sessionStorage.getItem(`docs.${name}`), name);
  const status = (token) => page.evaluate(async (token) => (await fetch('/api/v1/leads', { headers: { authorization: `Bearer ${token}` } })).status, token);

  step('joining the tenant');
  await page.goto(given.invitation);
  await page.fill('#name', 'Ada');
  await page.fill('#password', 'seven tides and a lamp');
  await primary(page).click();

  /** Opens the panel and begins; leaves the browser at the page that asks. */
  async function begin() {
    await page.locator('details.credential > summary').click();
    await page.fill('#sign-in input[name=client]', given.client);
    await page.locator('#sign-in button').click();
    await page.waitForURL('**/portal/consent*');
  }

  step('denied');
  await page.goto(url('/docs/reference/leads'));
  await page.locator('details.credential > summary').click();
  assert.ok((await page.locator('#sign-in').innerText()).includes(url('/docs/signed-in')), 'the address to register is shown');
  await axe(page, 'the panel');
  await shot(page, 'docs-sign-in');
  await page.locator('details.credential > summary').click();
  await begin();
  assert.ok((await page.locator('main').innerText()).includes('leads:read'));
  await page.locator('button[value=deny]').click();
  await page.waitForURL(url('/docs/signed-in'));
  const denied = page.locator('main .sign-in-state', { hasText: 'access_denied' });
  await denied.waitFor();
  await axe(page);
  assert.equal(await kept('key'), null);

  step('allowed');
  await page.goto(url('/docs/reference/leads'));
  assert.ok(await page.locator('form[data-method=POST]').count() > 0, 'without a credential everything is shown');
  await begin();
  await page.locator('button[value=allow]').click();
  await page.waitForURL(url('/docs/reference/leads'));
  await page.locator('form[data-method=POST]').first().waitFor({ state: 'detached' });
  const token = await kept('key');
  assert.ok(token && !(await kept('flow')), 'the code was redeemed, and nothing of the flow is left');

  step('a request is tried');
  const attempt = page.locator('details.try', { has: page.locator('form[data-method=GET][data-path="/api/v1/leads"]') });
  await attempt.locator('summary').first().click();
  await attempt.locator('form > button').click();
  await attempt.locator('output p', { hasText: '200' }).waitFor();
  assert.equal(await status(token), 200);

  step('forgotten');
  await page.locator('details.credential > summary').click();
  await page.locator('[data-forget]').click();
  await page.locator('form[data-method=POST]').first().waitFor({ state: 'attached' });
  assert.equal(await kept('key'), null);
  assert.equal(await status(token), 401, 'the server has forgotten it too');

  step('somebody else’s answer');
  await page.goto(url(`/docs/signed-in?code=x&state=y&iss=${encodeURIComponent(given.base)}`));
  await page.locator('main .sign-in-state', { hasText: 'belongs to no sign-in' }).waitFor();
  assert.equal(page.url(), url('/docs/signed-in'));
  assert.equal(await kept('key'), null);
});
