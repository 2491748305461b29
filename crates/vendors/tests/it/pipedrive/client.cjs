// Pipedrive's own client for JavaScript drives the double. Arguments: directory of the packages, settings as JSON.
const assert = require('node:assert/strict');
const { v1, v2 } = require(require.resolve('pipedrive', { paths: [process.argv[2]] }));
const { url, token } = JSON.parse(process.argv[3]);
// The client throws the body of an answer that is an error.
const fails = (promise, part) => assert.rejects(promise, (why) => JSON.stringify(why).includes(part));

(async () => {
  const second = new v2.Configuration({ accessToken: token, basePath: `${url}/api/v2` });
  const first = new v1.Configuration({ accessToken: token, basePath: `${url}/api/v1` });
  const persons = new v2.PersonsApi(second);
  const me = await new v1.UsersApi(first).getCurrentUser();
  assert.equal(me.data.name, 'Ada Double');

  const organization = (await new v2.OrganizationsApi(second).addOrganization({ AddOrganizationRequest: { name: 'Acme' } })).data;
  const made = (await persons.addPerson({ AddPersonRequest: { name: 'Ann Lee', org_id: organization.id, emails: [{ value: 'ann@example.com', primary: true, label: 'work' }] } })).data;
  assert.equal(made.first_name, 'Ann');
  await fails(persons.addPerson({ AddPersonRequest: { owner_id: 1 } }), 'name: Required');
  await fails(persons.addPerson({ AddPersonRequest: { name: 'x', custom_fields: { nope: 1 } } }), 'nope: unrecognized key');

  // Custom fields are known by the codes of this account.
  const fields = (await new v2.PersonFieldsApi(second).getPersonFields({})).data;
  const score = fields.find((one) => one.field_name === 'Score');
  assert.match(score.field_code, /^[0-9a-f]{40}$/);
  const updated = (await persons.updatePerson({ id: made.id, UpdatePersonRequest: { custom_fields: { [score.field_code]: 7 } } })).data;
  assert.equal(updated.custom_fields[score.field_code], 7);

  // Pages.
  const since = made.update_time;
  for (let n = 0; n < 12; n += 1) await persons.addPerson({ AddPersonRequest: { name: `Person ${n}` } });
  const seen = [];
  let cursor;
  do {
    const page = await persons.getPersons({ limit: 5, cursor, sort_by: 'update_time', sort_direction: 'asc', updated_since: since });
    seen.push(...page.data.map((one) => one.id));
    cursor = page.additional_data.next_cursor ?? undefined;
  } while (cursor);
  assert.equal(new Set(seen).size, 13);
  assert.equal(seen.length, 13);

  const found = await persons.searchPersons({ term: 'ANN@example.com', fields: 'email', exact_match: true });
  assert.equal(found.data.items[0].item.id, made.id);

  // Leads have stayed on v1.
  const leads = new v1.LeadsApi(first);
  const lead = (await leads.addLead({ AddLeadRequest: { title: 'Deal to be', person_id: made.id, value: { amount: 10, currency: 'EUR' } } })).data;
  assert.match(lead.id, /^[0-9a-f-]{36}$/);
  assert.equal((await leads.getLeads({ person_id: made.id })).data.length, 1);
  assert.equal((await leads.updateLead({ id: lead.id, UpdateLeadRequest: { title: 'Renamed' } })).data.title, 'Renamed');
  await leads.deleteLead({ id: lead.id });
  await fails(leads.getLead({ id: lead.id }), 'requested lead not found');

  // Webhooks, deletion.
  const hooks = new v1.WebhooksApi(first);
  const hook = (await hooks.addWebhook({ AddWebhookRequest: { subscription_url: 'http://127.0.0.1:9/x', event_action: '*', event_object: 'person', name: 'all', version: '2.0' } })).data;
  assert.equal((await hooks.getWebhooks()).data.length, 1);
  await hooks.deleteWebhook({ id: hook.id });
  await persons.deletePerson({ id: made.id });
  assert.equal((await persons.getPerson({ id: made.id })).data.is_deleted, true);
  await fetch(`${url}/_double/expire`, { method: 'POST' });
  await fails(persons.getPersons({}), 'unauthorized access');
  console.log('satisfied');
})().catch((why) => {
  console.error(why.response?.data ?? why, why.config?.url);
  process.exit(1);
});
