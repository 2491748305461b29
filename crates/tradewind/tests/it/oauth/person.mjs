// A person at a browser, without the browser: follows redirects, keeps cookies, fills in the portal's forms. What real browsers do with the same
// pages is tested elsewhere (portal/).
import assert from 'node:assert/strict';

export async function api(given, path, body, method = body === undefined ? 'GET' : 'POST') {
  const headers = { authorization: `Bearer ${given.serviceKey}`, 'tradewind-tenant': given.tenant, 'content-type': 'application/json' };
  const answer = await fetch(new URL(path, given.base), { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** An API client with OAuth settings. */
export async function makeClient(given, client, settings) {
  const made = await api(given, '/api/v1/api-clients', client);
  if (settings) await api(given, `/api/v1/api-clients/${made.id}/oauth`, settings, 'PUT');
  return made;
}

export class Person {
  #cookies = new Map();

  constructor(base) {
    this.base = base;
  }

  /** Signed in by a link that the host made. */
  static async signedIn(given, email = 'ada@example.com', role = 'owner') {
    const person = new Person(given.base);
    const { url } = await api(given, '/api/v1/portal-sessions', { email, role, tenantId: given.tenant });
    const page = await person.go(url);
    assert.equal(page.status, 200, `${page.url} ${page.text}`);
    return person;
  }

  /** A page of the server, or the first address elsewhere. */
  async go(address, init = {}) {
    let [url, options] = [new URL(address, this.base), init];
    for (let hops = 0; hops < 12; hops += 1) {
      if (url.origin !== new URL(this.base).origin) return { elsewhere: url };
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = { ...options.headers, ...(cookie && { cookie }) };
      const answer = await fetch(url, { ...options, headers, redirect: 'manual' });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
        if (value === '' || /max-age=0/i.test(line)) this.#cookies.delete(name);
        else this.#cookies.set(name, value);
      }
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status > 399 || !location) {
        return { status: answer.status, url, headers: answer.headers, text: await answer.text() };
      }
      [url, options] = [new URL(location, url), {}];
    }
    throw new Error(`too many redirects, last to ${url}`);
  }

  /** Answers the page that asks whether an application may: `allow` or `deny`. Where the browser is sent. */
  async decide(authorize, decision = 'allow', fields = {}) {
    const page = await this.go(authorize);
    return page.elsewhere ?? this.submit(page, decision, fields);
  }

  /** Sends the form of a page that has the button `decision`. */
  async submit(page, decision, fields = {}) {
    const form = [...page.text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].find(([, , inside]) => inside.includes(`value="${decision}"`));
    assert.ok(form, `no form with ${decision} at ${page.url}: ${page.status} ${page.text}`);
    const body = new URLSearchParams();
    for (const [tag] of form[2].matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)) {
      body.append(unescape(tag.match(/name="([^"]*)"/)[1]), unescape(tag.match(/value="([^"]*)"/)?.[1] ?? ''));
    }
    body.append('decision', decision);
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    const action = form[1].match(/action="([^"]*)"/)?.[1];
    const to = action ? new URL(unescape(action), page.url) : page.url;
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(this.base).origin };
    const next = await this.go(to, { method: 'POST', body: body.toString(), headers });
    return next.elsewhere ?? next;
  }
}

function unescape(text) {
  return text.replaceAll('&quot;', '"').replaceAll('&#34;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&#38;', '&').replaceAll('&amp;', '&');
}

/** Where packages are: `load('name')` imports one from there. */
export async function loader(directory) {
  const { createRequire } = await import('node:module');
  const { join } = await import('node:path');
  const { pathToFileURL } = await import('node:url');
  const { readFileSync } = await import('node:fs');
  return (name) => {
    // Packages without an entry for `require` are found by their description.
    const home = join(directory, 'node_modules', name);
    const about = JSON.parse(readFileSync(join(home, 'package.json')));
    const entry = about.exports?.['.'] ?? about.exports;
    const file = typeof entry === 'string' ? entry : (entry?.import?.default ?? entry?.import ?? entry?.default ?? about.main);
    return import(pathToFileURL(createRequire(join(directory, 'package.json')).resolve(join(home, file))));
  };
}
