// The low-level client, which checks every answer against its RFC: node oauth4webapi.mjs <directory with node_modules> <given as JSON>
import assert from 'node:assert/strict';
import { loader, makeClient, Person } from './person.mjs';

const [tools, text] = process.argv.slice(2);
const given = JSON.parse(text);
const oauth = await (await loader(tools))('oauth4webapi');
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(given.base);
const callback = 'https://app.example/cb';
const person = await Person.signedIn(given);

// Both documents say the same.
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
const oidc = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure }));
assert.deepEqual(as, oidc);
assert.equal(as.authorization_response_iss_parameter_supported, true);
const resource = new URL('/mcp', issuer);
const described = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, insecure));
assert.deepEqual(described.authorization_servers, [given.base]);

const made = await makeClient(given, { name: 'Low level', redirectUris: [callback] }, { tokenFormat: 'jwt', accessTokenSeconds: 300 });
const client = { client_id: made.id };
const proof = oauth.ClientSecretBasic(made.clientSecret);

// Pushed, with DPoP from the beginning, nonces as the server wants them.
const keys = await oauth.generateKeyPair('ES256');
const DPoP = oauth.DPoP(client, keys);
const retried = async (call) => {
  try {
    return await call();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return call();
  }
};
const verifier = oauth.generateRandomCodeVerifier();
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
const asked = new URLSearchParams({
  response_type: 'code', redirect_uri: callback, scope: 'openid email leads:read', state, nonce, resource: resource.href,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
});
const push = async () => oauth.processPushedAuthorizationResponse(as, client, await oauth.pushedAuthorizationRequest(as, client, proof, asked, { DPoP, ...insecure }));
const pushed = await retried(push);
const authorize = new URL(as.authorization_endpoint);
authorize.searchParams.set('client_id', client.client_id);
authorize.searchParams.set('request_uri', pushed.request_uri);
const back = await person.decide(authorize);
const callbackParameters = oauth.validateAuthResponse(as, client, back, state);
const redeem = async () => {
  const answer = await oauth.authorizationCodeGrantRequest(as, client, proof, callbackParameters, callback, verifier, { DPoP, ...insecure });
  return oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce, requireIdToken: true });
};
const tokens = await retried(redeem);
assert.equal(tokens.token_type, 'dpop');
const claims = oauth.getValidatedIdTokenClaims(tokens);
assert.equal(claims.iss, given.base);
assert.ok(claims.auth_time <= claims.iat);

// The resource server's own check of the JWT, by the published keys.
const request = new Request(resource, { method: 'POST', headers: { authorization: `DPoP ${tokens.access_token}` } });
const { payload, protectedHeader } = await (async () => {
  const jose = await (await loader(tools))('jose');
  return jose.jwtVerify(tokens.access_token, jose.createRemoteJWKSet(new URL(as.jwks_uri)), { issuer: given.base, audience: resource.href });
})();
assert.equal(protectedHeader.typ, 'at+jwt');
assert.ok(payload.cnf.jkt && payload.exp - payload.iat === 300 && request.headers.has('authorization'));

const told = async () => oauth.processUserInfoResponse(as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...insecure }));
assert.equal((await retried(told)).email, 'ada@example.com');
const introspected = await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, proof, tokens.access_token, insecure));
assert.ok(introspected.active && introspected.cnf.jkt === payload.cnf.jkt && introspected.aud === resource.href);
const refresh = async () => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, proof, tokens.refresh_token, { DPoP, ...insecure }));
const next = await retried(refresh);
assert.notEqual(next.refresh_token, tokens.refresh_token);
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, proof, next.refresh_token, insecure));
await assert.rejects(async () => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, proof, next.refresh_token, { DPoP, ...insecure })), (error) => error.error === 'invalid_grant');

// The person says no.
const refused = await person.decide(`${as.authorization_endpoint}?${new URLSearchParams({ client_id: made.id, response_type: 'code', redirect_uri: callback, scope: 'leads:write', state, code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' })}`, 'deny');
assert.throws(() => oauth.validateAuthResponse(as, client, refused, state), (error) => error.error === 'access_denied');

// Registration, by a credential.
const registered = await oauth.processDynamicClientRegistrationResponse(
  await oauth.dynamicClientRegistrationRequest(as, { redirect_uris: [callback], client_name: 'Self' }, { initialAccessToken: given.registrar, ...insecure }),
);
assert.ok(registered.client_id && registered.client_secret && registered.client_secret_expires_at === 0);
console.log('ok');
