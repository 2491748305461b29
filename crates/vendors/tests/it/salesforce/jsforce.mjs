// The official-in-all-but-name client for JavaScript drives the double. Arguments: directory of the packages, settings as JSON.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createHash, randomBytes } from 'node:crypto';

const require = createRequire(process.argv[2] + '/');
const jsforce = require('jsforce');
const { url, clientId, clientSecret } = JSON.parse(process.argv[3]);
const fetched = (target, init) => fetch(url + target, { redirect: 'manual', ...init });

// The web server flow with PKCE, by the SDK's own URLs.
const redirectUri = 'http://127.0.0.1:9/callback';
const oauth2 = new jsforce.OAuth2({ loginUrl: url, clientId, clientSecret, redirectUri });
const verifier = randomBytes(32).toString('base64url');
const challenge = createHash('sha256').update(verifier).digest('base64url');
const asked = oauth2.getAuthorizationUrl({ state: 'st', code_challenge: challenge, code_challenge_method: 'S256' });
const back = new URL((await fetch(asked, { redirect: 'manual' })).headers.get('location'));
assert.equal(back.searchParams.get('state'), 'st');
const tokens = await oauth2.requestToken(back.searchParams.get('code'), { code_verifier: verifier });
assert.equal(tokens.instance_url, url);
assert.ok(tokens.refresh_token && tokens.id.includes('/id/00D'));

let refreshed = 0;
const conn = new jsforce.Connection({ oauth2, instanceUrl: tokens.instance_url, accessToken: tokens.access_token, refreshToken: tokens.refresh_token, version: '62.0' });
conn.on('refresh', () => { refreshed += 1; });
assert.equal((await conn.identity()).username, 'ada@double.invalid');

// Objects and fields.
assert.ok((await conn.describeGlobal()).sobjects.some((one) => one.name === 'Lead'));
const described = await conn.sobject('Lead').describe();
assert.ok(described.fields.find((field) => field.name === 'External_Id__c').externalId);

// One row.
const lead = conn.sobject('Lead');
const made = await lead.create({ LastName: "O'Neil", Company: 'Acme', Email: 'neil@example.com' });
assert.ok(made.success && made.id.length === 18);
await assert.rejects(lead.create({ LastName: 'Nobody' }), (why) => why.errorCode === 'REQUIRED_FIELD_MISSING');
await lead.update({ Id: made.id, FirstName: 'Ann' });
const read = await lead.retrieve(made.id);
assert.equal(read.Name, "Ann O'Neil");
const upserted = await lead.upsert({ External_Id__c: 'x-1', LastName: 'Up', Company: 'Acme' }, 'External_Id__c');
assert.equal(upserted.created, true);
assert.equal((await lead.upsert({ External_Id__c: 'x-1', LastName: 'Upper' }, 'External_Id__c')).created, false);

// Many rows in one call.
const rows = Array.from({ length: 450 }, (_, n) => ({ LastName: `Row ${n}`, Company: n === 7 ? undefined : 'Acme', External_Id__c: `r-${n}` }));
const results = await lead.create(rows, { allowRecursive: true, allOrNone: false });
assert.equal(results.filter((one) => one.success).length, 449);
assert.equal(results[7].errors[0].statusCode, 'REQUIRED_FIELD_MISSING');
const upserts = await lead.upsert(rows.slice(0, 3).map((row) => ({ ...row, Company: 'Beta' })), 'External_Id__c', { allOrNone: false });
assert.deepEqual(upserts.map((one) => one.created), [false, false, false]);

// Queries, by pages and with references.
const all = await conn.query('SELECT Id, LastName, SystemModstamp FROM Lead ORDER BY SystemModstamp, Id', { autoFetch: true, maxFetch: 1000, headers: { 'Sforce-Query-Options': 'batchSize=200' } });
assert.equal(all.totalSize, 451);
assert.equal(all.records.length, 451);
const quoted = await lead.find({ LastName: "O'Neil" }, ['Id', 'Name']);
assert.equal(quoted[0].Id, made.id);
assert.equal((await conn.query('SELECT COUNT() FROM Lead')).totalSize, 451);
const account = await conn.sobject('Account').create({ Name: 'Parent' });
await conn.sobject('Contact').create({ LastName: 'Child', AccountId: account.id });
const joined = await conn.query("SELECT Name, Account.Name FROM Contact WHERE Account.Name = 'Parent'");
assert.equal(joined.records[0].Account.Name, 'Parent');
await assert.rejects(conn.query('SELECT Nope FROM Lead'), (why) => why.errorCode === 'INVALID_FIELD');
await assert.rejects(conn.query('SELECT FROM Lead'), (why) => why.errorCode === 'MALFORMED_QUERY');

// Deletes and their feed.
await lead.destroy(made.id);
await assert.rejects(lead.retrieve(made.id), (why) => why.errorCode === 'ENTITY_IS_DELETED' || why.errorCode === 'NOT_FOUND');
const gone = await lead.deleted(new Date(Date.now() - 3600e3), new Date(Date.now() + 60e3));
assert.deepEqual(gone.deletedRecords.map((one) => one.id), [made.id]);
const bin = await conn.query('SELECT Id, IsDeleted FROM Lead WHERE IsDeleted = true', { scanAll: true });
assert.deepEqual(bin.records.map((one) => one.Id), [made.id]);

// A session that ended is renewed by itself, and the refresh token rotates.
await fetched('/_double/expire', { method: 'POST' });
assert.equal((await conn.query('SELECT Id FROM Account')).totalSize, 1);
assert.equal(refreshed, 1);

// Bulk 2.0.
conn.bulk2.pollInterval = 10;
conn.bulk2.pollTimeout = 20000;
const loaded = await conn.bulk2.loadAndWaitForResults({
  object: 'Contact', operation: 'upsert', externalIdFieldName: 'External_Id__c', pollInterval: 10,
  input: [{ LastName: 'Bulk, "A"', External_Id__c: 'b-1', Score__c: '1.5' }, { LastName: '', External_Id__c: 'b-2' }],
});
assert.equal(loaded.successfulResults.length, 1);
assert.ok(loaded.failedResults[0].sf__Error.startsWith('REQUIRED_FIELD_MISSING'));
const stream = await conn.bulk2.query("SELECT Id, LastName, Score__c FROM Contact WHERE External_Id__c = 'b-1'");
const found = await stream.toArray();
assert.equal(found[0].LastName, 'Bulk, "A"');

const limits = await conn.limits();
assert.ok(limits.DailyApiRequests.Remaining < limits.DailyApiRequests.Max);
assert.ok(conn.limitInfo.apiUsage.used > 10);

// What an old refresh token does: the whole grant is over.
await assert.rejects(oauth2.refreshToken(tokens.refresh_token), (why) => why.name === 'invalid_grant' || /invalid_grant|expired/.test(why.message));
await assert.rejects(conn.query('SELECT Id FROM Account'));
console.log('satisfied');
