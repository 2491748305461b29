// The official client of the Model Context Protocol finds the authorization server by itself, registers, and is allowed by a person:
// node mcp_client.mjs <directory with node_modules> <given as JSON>
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Person } from './person.mjs';

const [tools, text] = process.argv.slice(2);
const given = JSON.parse(text);
const resolve = createRequire(join(tools, 'package.json')).resolve;
const load = (name) => import(pathToFileURL(resolve(`@modelcontextprotocol/sdk/${name}`)));
const { Client } = await load('client/index.js');
const { StreamableHTTPClientTransport } = await load('client/streamableHttp.js');
const { UnauthorizedError } = await load('client/auth.js');

class Provider {
  constructor(callback) {
    this.redirectUrl = callback;
    this.clientMetadata = {
      client_name: 'An agent', redirect_uris: [callback], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
      token_endpoint_auth_method: 'none', scope: given.scope,
    };
  }
  state() { return 'some-state'; }
  clientInformation() { return this.information; }
  saveClientInformation(information) { this.information = information; }
  tokens() { return this.saved; }
  saveTokens(tokens) { this.saved = tokens; }
  redirectToAuthorization(url) { this.authorize = url; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  codeVerifier() { return this.verifier; }
}

const url = new URL('/mcp', given.base);
const provider = new Provider('http://localhost:33418/callback');
const connect = async () => {
  const client = new Client({ name: 'agent', version: '1.0.0' });
  const transport = new StreamableHTTPClientTransport(url, { authProvider: provider });
  try {
    await client.connect(transport);
    return { client };
  } catch (error) {
    assert.ok(error instanceof UnauthorizedError, error);
    return { transport };
  }
};

const { transport } = await connect();
assert.ok(transport && provider.authorize, 'it was sent to the person');
assert.ok(provider.information.client_id.startsWith('cli_'));
assert.equal(provider.authorize.searchParams.get('resource'), url.href);
const person = await Person.signedIn(given);
const back = await person.decide(provider.authorize);
assert.equal(back.searchParams.get('state'), 'some-state');
await transport.finishAuth(back.searchParams.get('code'));
const { client } = await connect();
const { tools: found } = await client.listTools();
const names = found.map((tool) => tool.name);
assert.ok(names.includes('leads_list') && !names.includes('tenants_create'), names.join());
const list = await client.callTool({ name: 'leads_list', arguments: { limit: 1 } });
assert.ok(!list.isError, JSON.stringify(list));
await client.close();

// Its token is over: it refreshes by itself.
provider.saved.access_token = 'twa_live_over';
const again = await connect();
assert.ok(again.client, 'it refreshed');
await again.client.close();
console.log('ok');
