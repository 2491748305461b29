// Passkeys in a real browser, with a virtual authenticator: added, used, on a second device, removed; refused at another origin.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { journey } from '../browser/browser.mjs';

const ADA = { name: 'Ada', password: 'seven tides and a lamp' };
const DEVICE = {
  protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
};

await journey(async ({ given, open, step, axe, shot }) => {
  const url = (path) => new URL(path, given.base).href;
  const title = (page) => page.locator('h1').innerText();
  const passkeys = (page) => page.locator('section[aria-labelledby=passkeys] tbody tr');

  /** The debugger's authenticators for a page. */
  async function devices(page) {
    const session = await page.context().newCDPSession(page);
    await session.send('WebAuthn.enable');
    let current;
    return {
      async plugIn(options = {}, credentials = []) {
        if (current) await session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: current });
        ({ authenticatorId: current } = await session.send('WebAuthn.addVirtualAuthenticator', { options: { ...DEVICE, ...options } }));
        for (const credential of credentials) await session.send('WebAuthn.addCredential', { authenticatorId: current, credential });
      },
      credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId: current })).credentials,
    };
  }

  async function add(page, name) {
    await page.goto(url('/portal/security'));
    await page.locator('section[aria-labelledby=passkeys] a.button').click();
    await page.fill('#name', name);
    await page.locator('form[data-passkey=create] button').click();
    await page.waitForURL(url('/portal/security?done=passkey'));
  }

  async function signOut(page) {
    await page.goto(url('/portal'));
    await page.locator('form[action="/portal/sign-out"] button').click();
    await page.goto(url('/portal/sign-in?next=%2Fportal%2Fsecurity'));
  }

  async function signIn(page) {
    await page.locator('form[data-passkey=get] button').click();
    await page.waitForURL(url('/portal/security'));
  }

  step('an account');
  const page = await open();
  await page.goto(given.invitation);
  await page.fill('#name', ADA.name);
  await page.fill('#password', ADA.password);
  await page.locator('button.primary').click();
  assert.equal(page.url(), url('/portal'));

  step('a first passkey');
  const device = await devices(page);
  await device.plugIn();
  await page.goto(url('/portal/security/passkeys'));
  await axe(page, 'passkeys');
  await add(page, 'Laptop <b>');
  assert.equal(await passkeys(page).count(), 1);
  assert.ok((await passkeys(page).innerText()).includes('Laptop <b>'), 'a hostile name is text');
  const laptop = await device.credentials();
  assert.deepEqual([laptop.length, laptop[0].isResidentCredential, laptop[0].rpId], [1, true, 'localhost']);
  await axe(page, 'security with passkeys');
  await shot(page, 'security-passkeys');

  step('sign in with it');
  await signOut(page);
  await axe(page, 'sign-in with passkeys');
  await shot(page, 'sign-in-passkeys');
  await signIn(page);
  assert.equal(await title(page), 'Security');
  assert.match(await page.locator('section[aria-labelledby=sessions] tbody').innerText(), /passkey/);

  step('a second device');
  await device.plugIn({ transport: 'usb' });
  await add(page, 'Key ring');
  assert.equal(await passkeys(page).count(), 2);
  const ring = await device.credentials();
  await signOut(page);
  await signIn(page);

  step('the same device adds no second passkey');
  await page.goto(url('/portal/security/passkeys'));
  await page.fill('#name', 'Again');
  await page.locator('form[data-passkey=create] button').click();
  await page.locator('[data-passkey-fault]').waitFor();

  step('a device that does not make sure of the person');
  await device.plugIn({ isUserVerified: false }, ring);
  await signOut(page);
  await page.locator('form[data-passkey=get] button').click();
  await page.locator('[data-passkey-fault]').waitFor();

  step('a removed passkey');
  await device.plugIn({}, laptop);
  await signIn(page);
  await passkeys(page).filter({ hasText: 'Laptop' }).locator('button').click();
  await page.waitForURL(url('/portal/security?done=passkey_removed'));
  assert.equal(await passkeys(page).count(), 1);
  await signOut(page);
  await page.locator('form[data-passkey=get] button').click();
  await page.locator('.notice.bad:not([hidden])').waitFor();
  assert.match(await page.locator('.notice.bad:not([hidden])').first().innerText(), /not accepted/);

  step('another origin of the same host');
  await device.plugIn({ transport: 'usb' }, ring);
  const ask = async () => {
    const response = await fetch(url('/api/v1/sign-in/passkey/options'), {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}',
    });
    assert.equal(response.status, 200);
    const cookie = response.headers.get('set-cookie');
    assert.match(cookie, /tradewind_ceremony=.*HttpOnly; SameSite=Strict/);
    return [await response.json(), cookie.split(';')[0]];
  };
  const tell = (credential, cookie) => fetch(url('/api/v1/sign-in/passkey'), {
    method: 'POST', headers: { 'content-type': 'application/json', ...(cookie && { cookie }) }, body: JSON.stringify({ credential }),
  });
  const use = (where, options) => where.evaluate(async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  }, options);
  const evil = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>evil</title>'));
  await new Promise((ready) => { evil.listen(Number(new URL(given.hosts[0]).port), '127.0.0.1', ready); });
  try {
    const stranger = await open({ expected: [/favicon/] });
    await stranger.goto(given.hosts[0]);
    const strangers = await devices(stranger);
    await strangers.plugIn({ transport: 'usb' }, ring);
    const [options, cookie] = await ask();
    const refused = await tell(await use(stranger, options), cookie);
    assert.deepEqual([refused.status, (await refused.json()).code], [401, 'passkey_failed']);
  } finally {
    evil.close();
    evil.closeAllConnections();
  }

  step('the same by calls, at our own');
  let [options, cookie] = await ask();
  const credential = await use(page, options);
  assert.equal((await tell(credential)).status, 401, 'in no browser that asked');
  [options, cookie] = await ask();
  const signedIn = await tell(await use(page, options), cookie);
  assert.equal(signedIn.status, 200);
  const session = signedIn.headers.get('set-cookie');
  assert.match(session, /tradewind_session=.*HttpOnly; SameSite=Lax/);
  const mine = await fetch(url('/api/v1/me/passkeys'), { headers: { cookie: session.split(';')[0] } });
  assert.deepEqual((await mine.json()).data.map((one) => one.name), ['Key ring']);
  [options] = await ask();
  assert.ok(await page.evaluate((options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({ ...options, rpId: 'example.com' });
    return navigator.credentials.get({ publicKey }).then(() => false, (error) => error.name === 'SecurityError');
  }, options), 'the browser itself keeps passkeys of others from us');

  step('a fresh proof');
  await page.goto(url('/portal/sign-in?next=%2Fportal%2Fconfirm'));
  await page.locator('form[data-passkey=get] button').click();
  await page.waitForURL(url('/portal/confirm'));
  await axe(page, 'confirm with a passkey');
  await page.locator('form[data-passkey=get] button').click();
  await page.waitForURL(url('/portal'));

  step('without scripts');
  const plain = await open({ script: false, lang: 'he', theme: 'dark' });
  await plain.goto(url('/portal/sign-in'));
  assert.equal(await plain.locator('form[data-passkey=get]').isVisible(), false);
  await plain.fill('#email', 'ada@example.com');
  await plain.fill('#password', ADA.password);
  await plain.locator('button.primary').click();
  assert.equal(plain.url(), url('/portal'));
  await plain.goto(url('/portal/security'));
  assert.equal(await passkeys(plain).count(), 1);
});
