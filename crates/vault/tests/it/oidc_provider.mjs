// An authorization server with which reuse of a refresh token ends the whole grant: oidc-provider, with access tokens of five seconds.
// Arguments: port, number of grants, client secret. Prints the first refresh token of each grant.
import * as oidc from 'oidc-provider';

const [port, count, secret] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const Provider = oidc.Provider ?? oidc.default;
const scope = 'openid offline_access';
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'race',
    client_secret: secret,
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['https://app.example/cb'],
    response_types: ['code'],
  }],
  features: { introspection: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 5, Grant: 86400, IdToken: 3600, RefreshToken: 86400 },
});
const client = await provider.Client.find('race');
const tokens = [];
for (let n = 0; n < count; n += 1) {
  const grant = new provider.Grant({ accountId: `person-${n}`, clientId: 'race' });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const token = new provider.RefreshToken({ accountId: `person-${n}`, client, grantId, scope, gty: 'authorization_code' });
  tokens.push(await token.save());
}
provider.listen(port, '127.0.0.1', () => console.log(JSON.stringify(tokens)));
