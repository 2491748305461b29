// The official client against a running server: node client.mjs <directory with node_modules> <base url> <key> <key that may only read leads>
// Prints every step, which is what docs/agents.md shows, and "ok" at the end.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [tools, base, key, readerKey] = process.argv.slice(2);
const resolve = createRequire(join(tools, 'package.json')).resolve;
const load = (name) => import(pathToFileURL(resolve(`@modelcontextprotocol/sdk/${name}`)));
const { Client } = await load('client/index.js');
const { StreamableHTTPClientTransport } = await load('client/streamableHttp.js');

async function connected(token) {
  const client = new Client({ name: 'agents-test', version: '1.0.0' });
  const headers = { Authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', base), { requestInit: { headers } }));
  return client;
}

async function step(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  console.log(`> ${name} ${JSON.stringify(args)}`);
  for (const block of result.content) console.log(`< ${result.isError ? 'error ' : ''}${block.text}`);
  return result;
}

const client = await connected(key);
const server = client.getServerVersion();
console.log(`connected to ${server.name} ${server.version}`);
assert.ok(client.getServerCapabilities().tools);
assert.ok(client.getInstructions().includes('cursor'));

const { tools: all } = await client.listTools();
const create = all.find((tool) => tool.name === 'leads_create');
assert.deepEqual(create.inputSchema.required, ['body']);
assert.equal(all.find((tool) => tool.name === 'leads_list').annotations.readOnlyHint, true);
console.log(`${all.length} tools: ${all.slice(0, 6).map((tool) => tool.name).join(', ')}, …`);

const lead = { source: 'agent', email: 'ada@example.com', firstName: 'Ada', lastName: 'Byron', insuranceType: 'AUTO' };
const made = await step(client, 'leads_create', { body: lead, 'Idempotency-Key': 'lead-1' });
const id = made.structuredContent.id;
assert.match(id, /^rec_/);
const again = await client.callTool({ name: 'leads_create', arguments: { body: lead, 'Idempotency-Key': 'lead-1' } });
assert.equal(again.structuredContent.id, id);
const changed = await step(client, 'leads_update', { id, body: { status: 'QUALIFIED' } });
assert.equal(changed.structuredContent.status, 'QUALIFIED');
const list = await step(client, 'leads_list', { status: 'QUALIFIED', limit: 1 });
assert.equal(list.structuredContent.data[0].id, id);
const missing = await step(client, 'leads_get', { id: 'rec_01jd3m9x7efd2v5k8q0r4tnwye' });
assert.equal(missing.isError, true);
assert.equal(missing.structuredContent.code, 'not_found');
const invalid = await step(client, 'leads_create', { body: { firstName: 'Grace' } });
assert.equal(invalid.structuredContent.code, 'validation_failed');

// A long list is cut between items, and says how to go on.
const notes = 'x'.repeat(3900);
for (let n = 0; n < 30; n += 1) {
  await client.callTool({ name: 'leads_create', arguments: { body: { ...lead, email: `n${n}@example.com`, notes } } });
}
const long = await client.callTool({ name: 'leads_list', arguments: { limit: 100 } });
assert.ok(long.content[0].text.length <= 65536);
assert.match(long.content[1].text, /^Only the first \d+ of 31 items are shown/);
console.log(`< ${long.content[1].text}`);

const reader = await connected(readerKey);
const few = (await reader.listTools()).tools.map((tool) => tool.name);
assert.ok(few.includes('leads_list') && !few.includes('leads_create'));
const refused = await step(reader, 'leads_create', { body: lead });
assert.equal(refused.structuredContent.code, 'insufficient_scope');
await assert.rejects(reader.callTool({ name: 'no_such_tool', arguments: {} }), /no tool/);

await assert.rejects(connected('nobody'), /401|Unauthorized|invalid_credential/i);
await client.close();
await reader.close();
console.log('ok');
