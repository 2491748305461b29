// The GraphQL console: asks the server that it came from, and nobody else.
'use strict';

const at = (id) => document.getElementById(id);
const [key, secret, tenant, query, variables, answer, status, types, where, find, operation] =
  ['key', 'secret', 'tenant', 'query', 'variables', 'answer', 'status', 'types', 'where', 'find', 'operation'].map(at);
const RIGHT_TO_LEFT = ['ar', 'fa', 'he', 'iw', 'ur', 'yi'];
const INTROSPECTION = `query Introspection { __schema {
  queryType { name } mutationType { name } subscriptionType { name }
  types { kind name description
    fields(includeDeprecated: true) { name description args { name description defaultValue type { ...Ref } } type { ...Ref } }
    inputFields { name description defaultValue type { ...Ref } }
    enumValues(includeDeprecated: true) { name description } } } }
fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;

let schema = null;
let running = null;

// --- what is kept while the tab is open ---------------------------------------------------------

for (const field of [key, secret, tenant, query, variables]) {
  field.value = sessionStorage.getItem('graphql.' + field.id) || '';
  field.addEventListener('input', () => sessionStorage.setItem('graphql.' + field.id, field.value));
}
if (!query.value) query.value = '# Load the schema, choose a field of Query, or write.\n{\n  __typename\n}\n';

// --- direction ----------------------------------------------------------------------------------

function direct(direction) {
  document.documentElement.dir = direction;
  at('direction').setAttribute('aria-pressed', String(direction === 'rtl'));
  localStorage.setItem('graphql.direction', direction);
}
const wished = new URLSearchParams(location.search).get('dir') || localStorage.getItem('graphql.direction');
const native = RIGHT_TO_LEFT.includes((navigator.language || '').slice(0, 2)) ? 'rtl' : 'ltr';
direct(wished === 'rtl' || wished === 'ltr' ? wished : native);
at('direction').addEventListener('click', () => direct(document.documentElement.dir === 'rtl' ? 'ltr' : 'rtl'));

// --- asking -------------------------------------------------------------------------------------

function headers(accept) {
  const out = { 'Content-Type': 'application/json', Accept: accept };
  if (key.value.trim()) out.Authorization = 'Bearer ' + key.value.trim();
  if (secret.value.trim()) out['X-API-Secret'] = secret.value.trim();
  if (tenant.value.trim()) out['Tradewind-Tenant'] = tenant.value.trim();
  return out;
}

function operations(text) {
  const plain = text.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*/g, '');
  return [...plain.matchAll(/\b(query|mutation|subscription)\s+([_A-Za-z]\w*)/g)].map(([, kind, name]) => ({ kind, name }));
}

function offerOperations() {
  const names = operations(query.value).map((one) => one.name);
  operation.hidden = names.length < 2;
  const chosen = operation.value;
  operation.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
}
query.addEventListener('input', offerOperations);
offerOperations();

function show(value, bad) {
  answer.textContent = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  answer.classList.toggle('bad', Boolean(bad));
}

async function run() {
  if (running) return;
  let given;
  try {
    given = variables.value.trim() ? JSON.parse(variables.value) : {};
  } catch (error) {
    return show('The variables are not JSON: ' + error.message, true);
  }
  const body = { query: query.value, variables: given };
  if (!operation.hidden) body.operationName = operation.value;
  const plain = query.value.replace(/#[^\n]*/g, '').trim();
  const named = operations(query.value).find((one) => one.name === body.operationName);
  const streams = named ? named.kind === 'subscription' : plain.startsWith('subscription');
  running = new AbortController();
  at('stop').hidden = false;
  status.textContent = 'running';
  const begun = performance.now();
  try {
    const accept = streams ? 'text/event-stream' : 'application/graphql-response+json, application/json;q=0.9';
    const response = await fetch('/graphql', { method: 'POST', headers: headers(accept), body: JSON.stringify(body), signal: running.signal });
    if (streams && (response.headers.get('content-type') || '').startsWith('text/event-stream')) {
      await listen(response);
    } else {
      const text = await response.text();
      let value = text;
      try { value = JSON.parse(text); } catch { /* shown as it is */ }
      show(value, !response.ok || Boolean(value.errors));
    }
    status.textContent = `${response.status} in ${Math.round(performance.now() - begun)} ms`;
  } catch (error) {
    if (error.name === 'AbortError') status.textContent = 'stopped';
    else { status.textContent = ''; show('The server did not answer: ' + error.message, true); }
  }
  running = null;
  at('stop').hidden = true;
}

async function listen(response) {
  const seen = [];
  show('listening', false);
  status.textContent = 'subscribed';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const messages = rest.split('\n\n');
    rest = messages.pop();
    for (const message of messages) {
      const data = message.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim()).join('\n');
      if (message.includes('event: complete')) return;
      if (!data) continue;
      seen.unshift(JSON.parse(data));
      seen.length = Math.min(seen.length, 50);
      show(seen.map((one) => JSON.stringify(one, null, 2)).join('\n\n'), Boolean(seen[0].errors));
    }
  }
}

at('run').addEventListener('click', run);
at('stop').addEventListener('click', () => running && running.abort());
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); }
});

// --- the schema ---------------------------------------------------------------------------------

async function load() {
  where.replaceChildren();
  types.textContent = 'loading';
  try {
    const response = await fetch('/graphql', { method: 'POST', headers: headers('application/json'), body: JSON.stringify({ query: INTROSPECTION }) });
    const value = await response.json();
    if (!value.data) {
      types.textContent = value.detail || (value.errors && value.errors[0].message) || 'The schema could not be read.';
      return;
    }
    const raw = value.data.__schema;
    schema = { raw, named: new Map(raw.types.map((type) => [type.name, type])) };
    overview();
  } catch (error) {
    types.textContent = 'The server did not answer: ' + error.message;
  }
}
at('load').addEventListener('click', load);

function element(name, text, ...inside) {
  const out = document.createElement(name);
  if (text) out.textContent = text;
  out.append(...inside);
  return out;
}

function link(text, action) {
  const out = element('button', text);
  out.type = 'button';
  out.className = 'link';
  out.addEventListener('click', action);
  return out;
}

const shown = (type) => type.kind === 'NON_NULL' ? shown(type.ofType) + '!' : type.kind === 'LIST' ? `[${shown(type.ofType)}]` : type.name;
const core = (type) => type.ofType ? core(type.ofType) : type.name;

function overview() {
  where.replaceChildren();
  const { raw } = schema;
  const roots = [raw.queryType, raw.mutationType, raw.subscriptionType].filter(Boolean).map((type) => type.name);
  const others = raw.types.filter((type) => !type.name.startsWith('__') && !roots.includes(type.name)).map((type) => type.name).sort();
  const list = element('ul');
  for (const name of [...roots, ...others]) list.append(element('li', '', link(name, () => open(name))));
  types.replaceChildren(list);
}

function open(name) {
  const type = schema.named.get(name);
  if (!type) return;
  where.replaceChildren(link('All types', overview));
  const list = element('ul');
  for (const field of type.fields || type.inputFields || []) {
    const row = element('li', '', element('code', field.name));
    if (field.args && field.args.length) row.append(element('code', `(${field.args.map((arg) => `${arg.name}: ${shown(arg.type)}`).join(', ')})`));
    row.append(': ', link(shown(field.type), () => open(core(field.type))));
    if (isRoot(name)) row.append(' ', link('insert', () => insert(name, field)));
    if (field.description) row.append(element('small', field.description));
    list.append(row);
  }
  for (const value of type.enumValues || []) list.append(element('li', '', element('code', value.name)));
  types.replaceChildren(element('h2', name), element('p', type.description || ''), list);
}

function isRoot(name) {
  const { raw } = schema;
  return [raw.queryType, raw.mutationType, raw.subscriptionType].some((type) => type && type.name === name);
}

find.addEventListener('input', () => {
  if (!schema) return;
  const text = find.value.trim().toLowerCase();
  if (!text) return overview();
  const list = element('ul');
  let count = 0;
  for (const type of schema.raw.types) {
    if (type.name.startsWith('__')) continue;
    const fields = [...(type.fields || []), ...(type.inputFields || [])].filter((field) => field.name.toLowerCase().includes(text));
    if (!type.name.toLowerCase().includes(text) && !fields.length) continue;
    if (++count > 100) break;
    list.append(element('li', '', link(type.name, () => open(type.name)), element('small', fields.map((field) => field.name).join(', '))));
  }
  types.replaceChildren(list);
});

// An operation for a field of a root: what must be given as variables, and what can be read without more.
function insert(root, field) {
  const kind = { [schema.raw.queryType.name]: 'query', [(schema.raw.mutationType || {}).name]: 'mutation' }[root] || 'subscription';
  const wanted = field.args.filter((arg) => arg.type.kind === 'NON_NULL');
  const declared = wanted.map((arg) => `$${arg.name}: ${shown(arg.type)}`).join(', ');
  const passed = wanted.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const body = selection(core(field.type), 1);
  const title = field.name[0].toUpperCase() + field.name.slice(1);
  query.value = `${kind} ${title}${declared ? `(${declared})` : ''} {\n  ${field.name}${passed ? `(${passed})` : ''}${body}\n}\n`;
  variables.value = wanted.length ? JSON.stringify(Object.fromEntries(wanted.map((arg) => [arg.name, example(arg.type)])), null, 2) : '';
  for (const one of [query, variables]) one.dispatchEvent(new Event('input'));
  query.focus();
}

function example(type) {
  if (type.kind === 'NON_NULL') return example(type.ofType);
  if (type.kind === 'LIST') return [];
  const named = schema.named.get(type.name) || {};
  if (named.enumValues && named.enumValues.length) return named.enumValues[0].name;
  if (named.inputFields) {
    const wanted = named.inputFields.filter((field) => field.type.kind === 'NON_NULL');
    return Object.fromEntries(wanted.map((field) => [field.name, example(field.type)]));
  }
  return { Int: 0, Float: 0, Boolean: false, ID: '', JSON: {} }[type.name] ?? '';
}

function selection(name, depth) {
  const type = schema.named.get(name);
  if (!type || !type.fields) return '';
  const pad = '  '.repeat(depth + 1);
  const lines = [];
  for (const field of type.fields) {
    const inner = schema.named.get(core(field.type));
    const leaf = !inner || !inner.fields;
    if (leaf) lines.push(pad + field.name);
    else if (['nodes', 'pageInfo', 'node'].includes(field.name) && depth < 4) lines.push(pad + field.name + selection(core(field.type), depth + 1));
  }
  return lines.length ? ` {\n${lines.join('\n')}\n${'  '.repeat(depth)}}` : '';
}

if (key.value) load();
