// What is good once is good once on whatever node: node replay.mjs <directory with node_modules> <given as JSON, with `second`, another node>
import assert from 'node:assert/strict';
import { loader, makeClient } from './person.mjs';

const [tools, text] = process.argv.slice(2);
const given = JSON.parse(text);
const jose = await (await loader(tools))('jose');
const nodes = [given.base, given.second];
const hash = async (bytes) => Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(bytes))).toString('base64url');

const pair = await jose.generateKeyPair('ES256', { extractable: true });
const jwk = await jose.exportJWK(pair.publicKey);
const proof = (claims, header = {}) => new jose.SignJWT({ jti: crypto.randomUUID(), htm: 'POST', htu: `${given.base}/oauth/token`, ...claims })
  .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header }).setIssuedAt(claims.iat).sign(pair.privateKey);
const token = async (node, dpop, body, authorization) => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...(dpop && { dpop }), ...(authorization && { authorization }) };
  const answer = await fetch(new URL('/oauth/token', node), { method: 'POST', headers, body: new URLSearchParams(body) });
  return { status: answer.status, headers: answer.headers, ...(await answer.json()) };
};

// A proof at the token endpoint, on two nodes at once: one takes it.
const made = await makeClient(given, { name: 'Bound' }, { requireDpop: true });
const basic = `Basic ${Buffer.from(`${made.id}:${made.clientSecret}`).toString('base64')}`;
const grant = { grant_type: 'client_credentials', scope: 'leads:read' };
for (let round = 0; round < 5; round += 1) {
  const one = await proof({});
  const answers = await Promise.all(nodes.map((node) => token(node, one, grant, basic)));
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 400], JSON.stringify(answers));
  assert.equal(answers.find((answer) => answer.status === 400).error, 'invalid_dpop_proof');
}

// At the gate: once, for this method, this path, this token.
const { access_token: bound } = await token(given.base, await proof({}), grant, basic);
const leads = (node, dpop, path = '/api/v1/leads') => fetch(new URL(path, node), { headers: { authorization: `DPoP ${bound}`, dpop } });
const good = async (claims = {}) => proof({ htm: 'GET', htu: `${given.base}/api/v1/leads`, ath: await hash(bound), ...claims });
for (let round = 0; round < 5; round += 1) {
  const one = await good();
  const statuses = await Promise.all(nodes.map(async (node) => (await leads(node, one)).status));
  assert.deepEqual(statuses.sort(), [200, 401], 'one of two nodes takes it: they share what they have seen');
}
const used = await good();
assert.equal((await leads(given.base, used)).status, 200);
assert.equal((await leads(given.base, used)).status, 401);
assert.equal((await leads(given.second, await good())).status, 200, 'a proof is made for the public address, which both nodes have');
for (const wrong of [{ ath: undefined }, { ath: await hash('another') }, { htm: 'POST' }, { htu: `${given.base}/api/v1/quotes` }, { htu: 'https://evil.example/api/v1/leads' }]) {
  const answer = await leads(given.base, await good(wrong));
  assert.equal(answer.status, 401, JSON.stringify(wrong));
  assert.equal((await answer.json()).code, 'invalid_dpop_proof');
}
// A clock that is wrong is helped by a nonce.
const seconds = Math.floor(Date.now() / 1000);
for (const iat of [seconds - 300, seconds + 300]) {
  const late = await leads(given.base, await good({ iat }));
  assert.equal((await late.json()).code, 'use_dpop_nonce');
  assert.match(late.headers.get('www-authenticate'), /DPoP .*error="use_dpop_nonce"/);
  const nonce = late.headers.get('dpop-nonce');
  assert.equal((await leads(given.second, await good({ iat, nonce }))).status, 200, 'nonces of one node are known to the others');
}

// An assertion, on two nodes at once.
const signing = await makeClient(given, { name: 'Signing' }, { tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [jwk] } });
for (let round = 0; round < 5; round += 1) {
  const assertion = await new jose.SignJWT({ jti: crypto.randomUUID() }).setProtectedHeader({ alg: 'ES256' })
    .setIssuer(signing.id).setSubject(signing.id).setAudience(given.base).setIssuedAt().setExpirationTime('1m').sign(pair.privateKey);
  const body = { ...grant, client_assertion: assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };
  const answers = await Promise.all(nodes.map((node) => token(node, undefined, body)));
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 401], JSON.stringify(answers));
}
console.log('ok');
