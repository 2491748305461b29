// The certified client of OpenID Connect against a running server: node openid_client.mjs <directory with node_modules> <given as JSON>
import assert from 'node:assert/strict';
import { api, loader, makeClient, Person } from './person.mjs';

const [tools, text] = process.argv.slice(2);
const given = JSON.parse(text);
const oidc = await (await loader(tools))('openid-client');
const server = new URL(given.base);
const insecure = { execute: [oidc.allowInsecureRequests] };
const callback = 'https://app.example/callback';
const scope = 'openid profile email leads:read offline_access';
const person = await Person.signedIn(given);

const code = async (config, parameters, { push = false, dpop } = {}) => {
  const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
  const asked = { redirect_uri: callback, scope, state, nonce, code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...parameters };
  const url = push ? await oidc.buildAuthorizationUrlWithPAR(config, asked, { DPoP: dpop }) : oidc.buildAuthorizationUrl(config, asked);
  if (push) assert.match(url.searchParams.get('request_uri'), /^urn:ietf:params:oauth:request_uri:/);
  const back = await person.decide(url);
  assert.ok(back instanceof URL, back.text);
  return { back, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true } };
};
const fails = async (promise, error) => {
  await assert.rejects(promise, (thrown) => thrown.error === error || thrown.cause?.error === error || thrown.cause?.[0]?.parameters?.error === error || assert.fail(`${error}: ${thrown} ${JSON.stringify(thrown.cause)}`));
};

// Confidential, by its secret: discovery, code with PKCE, id_token, userinfo, refresh with rotation, introspection, revocation.
const made = await makeClient(given, { name: 'Judge', redirectUris: [callback] });
const config = await oidc.discovery(server, made.id, made.clientSecret, undefined, insecure);
assert.equal(config.serverMetadata().issuer, given.base);
assert.ok(config.serverMetadata().supportsPKCE());
{
  const { back, checks } = await code(config, {});
  assert.equal(back.searchParams.get('iss'), given.base);
  const tokens = await oidc.authorizationCodeGrant(config, back, checks);
  assert.equal(tokens.token_type, 'bearer');
  const claims = tokens.claims();
  const told = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(told.email, 'ada@example.com');
  const leads = await oidc.fetchProtectedResource(config, tokens.access_token, new URL('/api/v1/leads', server), 'GET');
  assert.equal(leads.status, 200, await leads.text());
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, true);
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(next.refresh_token, tokens.refresh_token);
  assert.equal(next.claims().sub, claims.sub);
  // The code again, and the first refresh token again: both end what came of them.
  await fails(oidc.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant');
  await fails(oidc.refreshTokenGrant(config, next.refresh_token), 'invalid_grant');
  assert.equal((await oidc.tokenIntrospection(config, next.access_token)).active, false);
  await fails(oidc.authorizationCodeGrant(config, back, checks), 'invalid_grant');
}
{
  const { back, checks } = await code(config, {});
  const tokens = await oidc.authorizationCodeGrant(config, back, checks);
  await oidc.tokenRevocation(config, tokens.access_token);
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, false);
  await oidc.tokenRevocation(config, tokens.refresh_token);
  await fails(oidc.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant');
}
console.log('code, refresh, introspection, revocation');

// Pushed requests, and a client that must push.
{
  const pushing = await makeClient(given, { name: 'Pushing', redirectUris: [callback] }, { requirePar: true });
  const pushed = await oidc.discovery(server, pushing.id, pushing.clientSecret, undefined, insecure);
  const { back, checks } = await code(pushed, {}, { push: true });
  await oidc.authorizationCodeGrant(pushed, back, checks);
  const refused = await person.go(oidc.buildAuthorizationUrl(pushed, { redirect_uri: callback, code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }));
  assert.ok(refused.elsewhere?.searchParams.get('error') ?? refused.status === 400);
}
console.log('pushed requests');

// Public, with DPoP: tokens are bound to the key, refreshes too.
{
  const bare = await makeClient(given, { name: 'Bound', redirectUris: [callback], confidential: false }, { requireDpop: true });
  const config = await oidc.discovery(server, bare.id, undefined, oidc.None(), insecure);
  const [keys, others] = [await oidc.randomDPoPKeyPair('ES256'), await oidc.randomDPoPKeyPair('Ed25519')];
  const [dpop, other] = [oidc.getDPoPHandle(config, keys), oidc.getDPoPHandle(config, others)];
  const { back, checks } = await code(config, {}, { push: true, dpop });
  await fails(oidc.authorizationCodeGrant(config, back, checks, undefined, {}), 'invalid_dpop_proof');
  await fails(oidc.authorizationCodeGrant(config, back, checks, undefined, { DPoP: other }), 'invalid_grant');
  const tokens = await oidc.authorizationCodeGrant(config, back, checks, undefined, { DPoP: dpop });
  assert.equal(tokens.token_type, 'dpop');
  const leads = new URL('/api/v1/leads?limit=1', server);
  const answer = await oidc.fetchProtectedResource(config, tokens.access_token, leads, 'GET', undefined, undefined, { DPoP: dpop });
  assert.equal(answer.status, 200, await answer.text());
  await assert.rejects(oidc.fetchProtectedResource(config, tokens.access_token, leads, 'GET', undefined, undefined, { DPoP: other }));
  const bearer = await fetch(leads, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.equal(bearer.status, 401);
  assert.match(bearer.headers.get('www-authenticate'), /DPoP .*error="invalid_dpop_proof".*algs="ES256/);
  await fails(oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: other }), 'invalid_grant');
  const next = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: dpop });
  const told = await oidc.fetchUserInfo(config, next.access_token, tokens.claims().sub, { DPoP: dpop });
  assert.equal(told.sub, tokens.claims().sub);
}
console.log('tokens bound to keys');

// A client that signs, for itself; and a JWT as access token, checked with the published keys.
{
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
  const settings = { tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [{ kty, crv, x, y, kid: 'one' }] }, tokenFormat: 'jwt' };
  const signing = await makeClient(given, { name: 'Signing' }, settings);
  const config = await oidc.discovery(server, signing.id, undefined, oidc.PrivateKeyJwt({ key: privateKey, kid: 'one' }), insecure);
  const tokens = await oidc.clientCredentialsGrant(config, { scope: 'leads:read' });
  const jose = await (await loader(tools))('jose');
  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const { payload } = await jose.jwtVerify(tokens.access_token, keys, { issuer: given.base, audience: given.base, typ: 'at+jwt' });
  assert.deepEqual([payload.client_id, payload.sub, payload.scope], [signing.id, signing.id, 'leads:read']);
  const leads = await oidc.fetchProtectedResource(config, tokens.access_token, new URL('/api/v1/leads', server), 'GET');
  assert.equal(leads.status, 200);
  await oidc.tokenRevocation(config, tokens.access_token);
  await assert.rejects(oidc.fetchProtectedResource(config, tokens.access_token, new URL('/api/v1/leads', server), 'GET'));
  const wrong = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const forged = await oidc.discovery(server, signing.id, undefined, oidc.PrivateKeyJwt({ key: wrong.privateKey, kid: 'one' }), insecure);
  // HTTP wants a challenge with a 401, and the library shows that in place of the error.
  await assert.rejects(oidc.clientCredentialsGrant(forged), (thrown) => thrown.status === 401 || thrown.cause?.status === 401 || thrown.response?.status === 401);
}
console.log('a client that signs, tokens that are signed');

// A device.
{
  const settings = { grantTypes: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'] };
  const device = await makeClient(given, { name: 'Television', confidential: false }, settings);
  const config = await oidc.discovery(server, device.id, undefined, oidc.None(), insecure);
  const begun = await oidc.initiateDeviceAuthorization(config, { scope: 'openid leads:read' });
  assert.match(begun.user_code, /^[B-Z]{4}-[B-Z]{4}$/);
  await fails(oidc.genericGrantRequest(config, settings.grantTypes[0], { device_code: begun.device_code }), 'authorization_pending');
  await fails(oidc.genericGrantRequest(config, settings.grantTypes[0], { device_code: begun.device_code }), 'slow_down');
  if (given.devicePage) {
    const page = await person.go(begun.verification_uri_complete);
    const done = await person.submit(page, 'allow');
    assert.equal(done.status, 200, done.text);
    const tokens = await oidc.pollDeviceAuthorizationGrant(config, begun);
    assert.ok(tokens.access_token && tokens.refresh_token && tokens.claims().sub);
  }
}
console.log('a device');

// A client that registers itself, by a credential; reads, changes and removes its registration.
{
  const metadata = { redirect_uris: [callback], client_name: 'Registered', grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'client_secret_post' };
  await fails(oidc.dynamicClientRegistration(server, metadata, undefined, insecure), 'invalid_token');
  const config = await oidc.dynamicClientRegistration(server, metadata, undefined, { ...insecure, initialAccessToken: given.registrar });
  const client = config.clientMetadata();
  assert.ok(client.client_secret && client.registration_access_token);
  const { back, checks } = await code(config, {});
  const tokens = await oidc.authorizationCodeGrant(config, back, checks);
  const own = { authorization: `Bearer ${client.registration_access_token}`, 'content-type': 'application/json' };
  const read = await (await fetch(client.registration_client_uri, { headers: own })).json();
  assert.equal(read.client_name, 'Registered');
  const changed = await fetch(client.registration_client_uri, { method: 'PUT', headers: own, body: JSON.stringify({ ...metadata, client_name: 'Renamed' }) });
  assert.equal((await changed.json()).client_name, 'Renamed');
  assert.equal((await api(given, `/api/v1/api-clients/${client.client_id}`)).name, 'Renamed');
  assert.equal((await fetch(client.registration_client_uri, { method: 'DELETE', headers: own })).status, 204);
  assert.equal((await fetch(client.registration_client_uri, { headers: own })).status, 401);
  const gone = await fetch(new URL('/api/v1/leads', server), { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.equal(gone.status, 401);
}
console.log('registration');

// A backend exchanges a person's token for a narrower one, which ends with it.
{
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const backend = await makeClient(given, { name: 'Backend' }, { grantTypes: [exchange] });
  const acting = await oidc.discovery(server, backend.id, backend.clientSecret, undefined, insecure);
  const { back, checks } = await code(config, { scope: 'openid leads:read leads:write' });
  const tokens = await oidc.authorizationCodeGrant(config, back, checks);
  const asked = { subject_token: tokens.access_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', scope: 'leads:read' };
  const narrower = await oidc.genericGrantRequest(acting, exchange, asked);
  assert.deepEqual([narrower.scope, narrower.issued_token_type], ['leads:read', asked.subject_token_type]);
  const said = await oidc.tokenIntrospection(acting, narrower.access_token);
  assert.deepEqual(said.act, { sub: backend.id, act: { sub: made.id } });
  assert.equal(said.sub, tokens.claims().sub);
  await fails(oidc.genericGrantRequest(acting, exchange, { ...asked, scope: 'quotes:write' }), 'invalid_scope');
  await fails(oidc.genericGrantRequest(acting, exchange, { ...asked, subject_token: 'nonsense' }), 'invalid_grant');
  await oidc.tokenRevocation(config, tokens.refresh_token);
  assert.equal((await oidc.tokenIntrospection(acting, narrower.access_token)).active, false);
}
console.log('exchange');
console.log('ok');
