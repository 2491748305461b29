// HubSpot's own client for JavaScript drives the double. Arguments: directory of the packages, settings as JSON.
const assert = require('node:assert/strict');
const hubspot = require(require.resolve('@hubspot/api-client', { paths: [process.argv[2]] }));
const { url, clientId, clientSecret } = JSON.parse(process.argv[3]);
const redirectUri = 'http://127.0.0.1:9/callback';
const fails = (promise, code, category) => assert.rejects(promise, (why) => why.code === code && (!category || why.body.category === category));

(async () => {
  const client = new hubspot.Client({ basePath: url, limiterOptions: { maxConcurrent: 10 } });
  // The code flow.
  const asked = new URL(client.oauth.getAuthorizationUrl(clientId, redirectUri, 'oauth crm.objects.contacts.read crm.objects.contacts.write crm.objects.companies.read crm.objects.companies.write'));
  const back = new URL((await fetch(url + asked.pathname + asked.search, { redirect: 'manual' })).headers.get('location'));
  const tokens = await client.oauth.tokensApi.create('authorization_code', back.searchParams.get('code'), redirectUri, clientId, clientSecret);
  assert.equal(tokens.expiresIn, 1800);
  const renewed = await client.oauth.tokensApi.create('refresh_token', undefined, redirectUri, clientId, clientSecret, tokens.refreshToken);
  assert.equal(renewed.refreshToken, tokens.refreshToken);
  client.setAccessToken(renewed.accessToken);
  assert.equal((await client.oauth.accessTokensApi.get(renewed.accessToken)).hubId, 62515);

  // One contact.
  const api = client.crm.contacts;
  const made = await api.basicApi.create({ properties: { email: 'Ann@Example.com', firstname: 'Ann' }, associations: [] });
  assert.equal(made.properties.email, 'ann@example.com');
  await fails(api.basicApi.create({ properties: { email: 'ann@example.com' }, associations: [] }), 409, 'CONFLICT');
  await fails(api.basicApi.create({ properties: { nope: '1' }, associations: [] }), 400, 'VALIDATION_ERROR');
  const byEmail = await api.basicApi.getById('ann@example.com', ['firstname'], undefined, undefined, false, 'email');
  assert.equal(byEmail.id, made.id);
  assert.equal((await api.basicApi.update(made.id, { properties: { lastname: 'Lee' } })).properties.lastname, 'Lee');

  // Batches.
  const inputs = Array.from({ length: 90 }, (_, n) => ({ properties: { email: `b${n}@example.com`, lastname: `B${n}` }, associations: [] }));
  assert.equal((await api.batchApi.create({ inputs })).results.length, 90);
  const partial = await api.batchApi.create({ inputs: [
    { properties: { email: 'fresh@example.com' }, associations: [], objectWriteTraceId: 'one' },
    { properties: { email: 'b1@example.com' }, associations: [], objectWriteTraceId: 'two' },
  ] });
  assert.equal(partial.numErrors, 1);
  assert.deepEqual(partial.errors[0].context.objectWriteTraceId, ['two']);
  const upserted = await api.batchApi.upsert({ inputs: [
    { id: 'b1@example.com', idProperty: 'email', properties: { firstname: 'Known' } },
    { id: 'new@example.com', idProperty: 'email', properties: { firstname: 'New' } },
  ] });
  assert.deepEqual(upserted.results.map((one) => one._new ?? one['new']), [false, true]);
  const read = await api.batchApi.read({ idProperty: 'email', inputs: [{ id: 'b1@example.com' }, { id: 'gone@example.com' }], properties: ['firstname'], propertiesWithHistory: [] });
  assert.equal(read.results.length, 1);
  assert.equal(read.numErrors, 1);

  // All of them by pages, and search.
  const all = await client.crm.contacts.getAll(50);
  assert.equal(all.length, 93);
  const hits = await api.searchApi.doSearch({ filterGroups: [{ filters: [{ propertyName: 'email', operator: 'CONTAINS_TOKEN', value: 'b*' }] }], sorts: ['hs_object_id'], properties: ['email'], limit: 20, after: '20' });
  assert.ok(hits.total >= 90);
  assert.equal(hits.results.length, 20);
  assert.equal(hits.paging.next.after, '40');
  await fails(api.searchApi.doSearch({ filterGroups: [], sorts: [], properties: [], limit: 200, after: '9900' }), 400, 'VALIDATION_ERROR');

  // Associations.
  const company = await client.crm.companies.basicApi.create({ properties: { name: 'Acme', domain: 'acme.example' }, associations: [] });
  await client.crm.associations.v4.basicApi.createDefault('contacts', made.id, 'companies', company.id);
  const linked = await client.crm.associations.v4.basicApi.getPage('contacts', made.id, 'companies');
  assert.equal(String(linked.results[0].toObjectId), company.id);
  const withLinks = await api.basicApi.getById(made.id, undefined, undefined, ['companies']);
  assert.equal(withLinks.associations.companies.results[0].id, company.id);

  // Merge, archive.
  const merged = await api.basicApi.merge({ primaryObjectId: made.id, objectIdToMerge: all[5].id }).catch((why) => { throw why; });
  assert.equal(merged.id, made.id);
  assert.equal((await api.basicApi.getById(all[5].id)).id, made.id);
  await api.basicApi.archive(all[6].id);
  await fails(api.basicApi.getById(all[6].id), 404);
  assert.deepEqual((await api.basicApi.getPage(10, undefined, undefined, undefined, undefined, true)).results.map((one) => one.id), [all[6].id]);

  // Schema, missing scope, dead token.
  const properties = await client.crm.properties.coreApi.getAll('contacts');
  assert.ok(properties.results.some((one) => one.name === 'email' && one.hasUniqueValue));
  await fails(client.crm.deals.basicApi.getPage(), 403, 'MISSING_SCOPES');
  await fetch(`${url}/_double/expire`, { method: 'POST' });
  await fails(api.basicApi.getPage(), 401, 'EXPIRED_AUTHENTICATION');

  // The app's webhooks, judged by the client's own verification.
  const developer = new hubspot.Client({ basePath: url, developerApiKey: 'double-developer-key' });
  const came = [];
  const server = require('node:http').createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      came.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      response.end();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const target = `http://127.0.0.1:${server.address().port}/hook%3Fa?b=1`;
  await developer.webhooks.settingsApi.configure(1160452, { targetUrl: target, throttling: { maxConcurrentRequests: 10, period: 'SECONDLY' } });
  for (const one of [{ eventType: 'contact.creation' }, { eventType: 'contact.propertyChange', propertyName: 'email' }]) {
    await developer.webhooks.subscriptionsApi.create(1160452, { ...one, active: true });
  }
  assert.equal((await developer.webhooks.subscriptionsApi.getAll(1160452)).results.length, 2);
  const added = await fetch(`${url}/_double/add`, { method: 'POST', body: JSON.stringify({ object: 'contacts', fields: { email: 'hook@example.com', lastname: 'H' } }) });
  const id = Number(await added.json());
  while (came.reduce((sum, one) => sum + JSON.parse(one.body).length, 0) < 2) await new Promise((done) => setImmediate(done));
  server.close();
  server.closeAllConnections();
  const events = came.flatMap((one) => JSON.parse(one.body));
  assert.deepEqual(events.map((one) => one.subscriptionType).sort(), ['contact.creation', 'contact.propertyChange']);
  assert.ok(events.every((one) => one.objectId === id && one.portalId === 62515 && one.changeSource === 'CRM_UI'));
  for (const one of came) {
    const signed = { clientSecret, requestBody: one.body, url: target, method: 'POST' };
    // Whoever verifies undoes some escapes of the URL first, as HubSpot's documentation says.
    const v3 = { ...signed, url: target.replace('%3F', '?'), signatureVersion: 'v3', signature: one.headers['x-hubspot-signature-v3'], timestamp: Number(one.headers['x-hubspot-request-timestamp']) };
    assert.equal(hubspot.Signature.isValid(v3), true);
    assert.equal(hubspot.Signature.isValid({ ...v3, requestBody: one.body + ' ' }), false);
    assert.equal(hubspot.Signature.isValid({ ...signed, signatureVersion: 'v1', signature: one.headers['x-hubspot-signature'] }), true);
  }
  console.log('satisfied');
})().catch((why) => {
  console.error(why);
  process.exit(1);
});
