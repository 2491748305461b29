// The first person of a server, an invited one, a second step, sessions: every page in four combinations of language and theme.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { journey, totp } from '../browser/browser.mjs';

const OPERATOR = { name: 'Grace Hopper', email: 'grace@example.com', password: 'harbour lantern quiet 7' };
const ADA = { name: 'Ada <script>alert(1)</script>', email: 'ada@example.com', password: 'seven tides and a lamp' };
const COMBINATIONS = [['en', 'light'], ['en', 'dark'], ['he', 'light'], ['he', 'dark']];

await journey(async ({ given, open, step, axe, shot }) => {
  const url = (path) => new URL(path, given.base).href;
  const primary = (page) => page.locator('button.primary');
  const title = (page) => page.locator('h1').innerText();

  /** Chooses a language and colours as the pages' own buttons do (which `preferences` presses), and opens the page again. */
  async function choose(page, lang, theme) {
    const cookie = (name, value) => ({ name, value, url: given.base });
    await page.context().addCookies([cookie('tradewind_language', lang), cookie('tradewind_theme', theme)]);
    await page.reload();
  }

  /** Looks at a page in all four combinations: nothing for axe to find; pictures of two. */
  async function looks(page, name) {
    for (const [lang, theme] of COMBINATIONS) {
      await choose(page, lang, theme);
      const root = page.locator('html');
      assert.deepEqual([await root.getAttribute('lang'), await root.getAttribute('dir'), await root.getAttribute('data-theme')],
        [lang, lang === 'he' ? 'rtl' : 'ltr', theme]);
      await axe(page, `${name} ${lang} ${theme}`);
      if ((lang === 'en') === (theme === 'light')) await shot(page, `${name}-${lang}-${theme}`);
    }
    await choose(page, 'en', 'system');
  }

  step('set-up');
  const operator = await open({ script: false });
  await operator.goto(url('/portal'));
  assert.match(operator.url(), /\/portal\/sign-in$/);
  await operator.goto(given.setUp);
  await operator.fill('#name', OPERATOR.name);
  await operator.fill('#email', OPERATOR.email);
  await operator.fill('#password', 'too short');
  await primary(operator).click();
  assert.match(await operator.locator('#password-about').innerText(), /12/);
  assert.equal(await operator.inputValue('#email'), OPERATOR.email, 'what was typed is kept');
  await operator.fill('#password', OPERATOR.password);
  await primary(operator).click();
  assert.equal(operator.url(), url('/admin'));
  await operator.goto(given.setUp);
  assert.equal(await title(operator), 'This link is over');

  step('operator pages');
  const admin = await open();
  await admin.goto(url('/admin'));
  await admin.fill('#email', OPERATOR.email);
  await admin.fill('#password', OPERATOR.password);
  await primary(admin).click();
  assert.equal(admin.url(), url('/admin'), 'led back to where one wanted to go');
  await looks(admin, 'admin');
  step('preferences');
  await admin.locator('button[name=language][value=he]').click();
  await admin.locator('button[name=theme][value=dark]').click();
  assert.equal(admin.url(), url('/admin'));
  assert.deepEqual([await admin.getAttribute('html', 'dir'), await admin.getAttribute('html', 'data-theme')], ['rtl', 'dark']);
  assert.equal(await admin.getAttribute('button[name=theme][value=dark]', 'aria-pressed'), 'true');
  await admin.goto(url('/admin/styleguide'));
  await looks(admin, 'styleguide');

  step('invitation');
  const page = await open();
  await page.goto(given.invitations[0]);
  await looks(page, 'invitation');
  assert.ok((await page.locator('h1 + p').innerText()).includes('Acme <b>&"'), 'a hostile name is text');
  await page.fill('#name', ADA.name);
  await page.fill('#password', ADA.password);
  await primary(page).click();
  assert.equal(page.url(), url('/portal'));
  assert.ok((await title(page)).includes(ADA.name), 'a hostile name is text');
  step('second invitation, signed in');
  await page.goto(given.invitations[1]);
  await primary(page).click();
  assert.equal(await page.locator('tbody tr').count(), 2);
  await looks(page, 'home');
  assert.equal((await page.goto(url('/admin'))).status(), 404, 'who operates the server is nobody else\'s business');
  await looks(page, 'not-found');

  step('enrol an authenticator');
  await page.goto(url('/portal/security'));
  await looks(page, 'security');
  await page.locator('a[href="/portal/security/totp"]').click();
  await looks(page, 'totp-begin');
  await primary(page).click();
  const secret = (await page.locator('#secret').innerText()).trim();
  assert.ok(await page.locator('.qr svg').isVisible());
  await axe(page, 'totp');
  await shot(page, 'totp-en-light');
  await page.fill('#code', '000000');
  await primary(page).click();
  assert.ok(await page.locator('#code-about.fault').isVisible());
  await page.fill('#code', await totp(secret, -1));
  await primary(page).click();
  const codes = await page.locator('#codes code').allInnerTexts();
  assert.equal(codes.length, 10);
  await axe(page, 'recovery codes');
  await shot(page, 'recovery-codes-en-light');

  step('sign out and in, with the second step');
  await page.goto(url('/portal'));
  await page.locator('form[action="/portal/sign-out"] button').click();
  assert.match(page.url(), /\/portal\/sign-in/);
  await looks(page, 'sign-in');
  await page.goto(url('/portal/security/password'));
  assert.match(page.url(), /next=/);
  await page.fill('#email', ADA.email);
  await page.fill('#password', 'wrong wrong wrong');
  await primary(page).click();
  assert.ok(await page.locator('.notice.bad').isVisible());
  await axe(page, 'sign-in, refused');
  await page.fill('#password', ADA.password);
  await primary(page).click();
  assert.match(page.url(), /\/portal\/sign-in\/second/);
  await looks(page, 'second-step');
  await page.fill('#code', '000000');
  await primary(page).click();
  assert.ok(await page.locator('.notice.bad').isVisible());
  await page.fill('#code', await totp(secret));
  await primary(page).click();
  assert.equal(page.url(), url('/portal/security/password'), 'led back');
  await looks(page, 'password');

  step('a recovery code, without scripts');
  const phone = await open({ script: false, width: 390 });
  await phone.goto(url('/portal/security'));
  await phone.fill('#email', ADA.email);
  await phone.fill('#password', ADA.password);
  await primary(phone).click();
  await phone.fill('#code', codes[0]);
  await primary(phone).click();
  assert.equal(phone.url(), url('/portal/security'));
  assert.ok((await phone.locator('body').innerText()).includes('9 recovery codes are left'));
  await shot(phone, 'security-phone-en-light');

  step('end the other session');
  await phone.locator('tbody button').first().click();
  assert.match(phone.url(), /done=session/);
  await page.goto(url('/portal'));
  assert.match(page.url(), /\/portal\/sign-in/, 'the session that was ended opens nothing');

  step('change the password');
  await phone.goto(url('/portal/security/password'));
  await phone.fill('#current', ADA.password);
  await phone.fill('#password', 'another lamp and 8 tides');
  await primary(phone).click();
  assert.match(phone.url(), /done=password/);

  /** The link in the mail that leads to `path`, once it is there. */
  async function mailed(path) {
    const plain = (text) => text.replace(/=\r?\n/g, '').replaceAll('=3D', '=');
    for (const until = Date.now() + 20_000; Date.now() < until; await new Promise((again) => setTimeout(again, 50))) {
      const files = existsSync(given.mails) ? readdirSync(given.mails) : [];
      const texts = files.map((file) => plain(readFileSync(join(given.mails, file), 'utf8')));
      const found = texts.map((text) => text.match(new RegExp(`http://\\S*${path}\\?token=[\\w-]+`))).find(Boolean);
      if (found) return found[0];
    }
    throw new Error(`no mail with ${path} in ${given.mails}`);
  }

  step('a link by mail');
  const mail = await open();
  await mail.goto(url('/portal/sign-in?next=%2Fportal%2Fapps'));
  await mail.locator('a[href^="/portal/sign-in/link"]').click();
  await looks(mail, 'ask-link');
  await mail.fill('#email', ADA.email);
  await primary(mail).click();
  assert.match(mail.url(), /\/portal\/sign-in\/sent/);
  await looks(mail, 'sent');
  const link = await mailed('/portal/sign-in/link');
  await mail.goto(link);
  await mail.goto(link); // looking uses nothing up
  await looks(mail, 'open-link');
  await primary(mail).click();
  await mail.fill('#code', codes[1]);
  await primary(mail).click();
  assert.equal(mail.url(), url('/portal/apps'), 'led back to where one wanted to go');
  const stranger = await open();
  assert.equal((await stranger.goto(link)).status(), 404, 'a link is good once');

  step('a forgotten password');
  await stranger.goto(url('/portal/reset-password'));
  await looks(stranger, 'ask-reset');
  await stranger.fill('#email', ADA.email);
  await primary(stranger).click();
  await stranger.goto(await mailed('/portal/reset-password'));
  await looks(stranger, 'new-password');
  await stranger.fill('#password', 'a third lamp for the tides');
  await primary(stranger).click();
  await stranger.fill('#code', codes[2]);
  await primary(stranger).click();
  assert.equal(stranger.url(), url('/portal'));
  await mail.goto(url('/portal'));
  assert.match(mail.url(), /\/portal\/sign-in/, 'a new password ends the other sessions');
});
