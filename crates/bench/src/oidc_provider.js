// The reference of `bench oauth`: npm oidc-provider with its own in-memory adapter, one confidential client, and refresh tokens of one person.
import * as oidc from 'oidc-provider';

const [port, count, secret] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const Provider = oidc.Provider ?? oidc.default;
const scope = 'offline_access leads:read';
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'bench',
    client_secret: secret,
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirect_uris: ['https://app.example/cb'],
    response_types: ['code'],
  }],
  features: { clientCredentials: { enabled: true }, introspection: { enabled: true }, devInteractions: { enabled: false } },
  scopes: ['openid', 'offline_access', 'leads:read'],
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, ClientCredentials: 3600, Grant: 86400, RefreshToken: 86400 },
});
const client = await provider.Client.find('bench');
const tokens = [];
for (let n = 0; n < count; n += 1) {
  const grant = new provider.Grant({ accountId: 'ada', clientId: 'bench' });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const token = new provider.RefreshToken({ accountId: 'ada', client, grantId, scope, gty: 'authorization_code' });
  tokens.push(await token.save());
}
provider.listen(port, '127.0.0.1', () => console.log(JSON.stringify(tokens)));
