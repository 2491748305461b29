// npm oidc-provider, as it comes: node oidc_provider.mjs <directory with node_modules> <port> <redirect address>. Who is at its keyboard is told by
// POST /play ({sub, email, email_verified, name, deny}); its own pages ask nobody.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [tools, port, redirect] = process.argv.slice(2);
const require = createRequire(join(tools, 'package.json'));
const oidc = await import(pathToFileURL(require.resolve('oidc-provider')).href);
const Provider = oidc.Provider ?? oidc.default;

const people = new Map();
let now = {};
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: 'tradewind', client_secret: 'a secret of 32 characters or more!', redirect_uris: [redirect] }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people.get(id) }) }),
});

async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (now.deny) return provider.interactionFinished(request, response, { error: 'access_denied' });
  if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: now.sub } });
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope('openid email profile');
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

async function play(request, response) {
  let body = '';
  for await (const part of request) body += part;
  now = JSON.parse(body);
  const { sub, deny, ...claims } = now;
  if (sub) people.set(sub, claims);
  response.writeHead(204).end();
}

const callback = provider.callback();
const server = createServer((request, response) => {
  const fail = (error) => response.writeHead(500).end(String(error));
  if (request.url.startsWith('/interaction/')) interact(request, response).catch(fail);
  else if (request.url === '/play') play(request, response).catch(fail);
  else callback(request, response);
});
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
