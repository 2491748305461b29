// The official clients of graphql-transport-ws and graphql-sse: a query, a refusal, a subscription, and how a bad credential ends.
// node clients.mjs <directory with node_modules> <base> <key> <tenant>; says when it begins to listen, and ends when it was told enough.
import { createRequire } from "node:module";
import { join } from "node:path";

const [directory, base, key, tenant] = process.argv.slice(2);
const load = createRequire(join(directory, "x.js"));
const ws = load("graphql-ws");
const sse = load("graphql-sse");
const WebSocket = load("ws");

const socket = (connectionParams) =>
  ws.createClient({ url: `${base.replace("http", "ws")}/graphql`, webSocketImpl: WebSocket, lazy: true, retryAttempts: 0, connectionParams, onNonLazyError() {} });
const good = { Authorization: `Bearer ${key}`, "Tradewind-Tenant": tenant };
const overSocket = socket(good);
const overEvents = sse.createClient({ url: `${base}/api/v1/graphql`, headers: () => ({ authorization: `Bearer ${key}`, "tradewind-tenant": tenant }), retryAttempts: 0 });

// The first answer, or how it ended without one.
const once = (client, query) =>
  new Promise((resolve) => {
    let first;
    client.subscribe({ query }, { next: (value) => (first ??= value), error: (error) => resolve({ error }), complete: () => resolve(first) });
  });

const check = (what, holds, value) => {
  if (!holds) {
    console.error(what, JSON.stringify(value, (_, one) => (one instanceof Error ? String(one) : one)));
    process.exit(1);
  }
};

for (const [name, client] of [["ws", overSocket], ["sse", overEvents]]) {
  const typed = await once(client, "{ __typename }");
  check(`${name} query`, typed?.data?.__typename === "Query", typed);
  const wrong = await once(client, "{ nothing }");
  const errors = wrong?.errors ?? (Array.isArray(wrong?.error) ? wrong.error : []);
  check(`${name} refusal`, errors[0]?.extensions?.code === "graphql_validation_failed", wrong);
}
const closed = await once(socket({ Authorization: "Bearer nobody" }), "{ __typename }");
check("a bad credential", closed?.error?.code === 4403, { code: closed?.error?.code });
const silent = await new Promise((resolve) => {
  const raw = new WebSocket(`${base.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  raw.on("open", () => raw.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: "{ __typename }" } })));
  raw.on("close", (code) => resolve(code));
  raw.on("error", () => resolve("error"));
});
check("an operation before the beginning", silent === 4401, { silent });

// The host makes leads, one after another, until both have been told of three in a row.
const told = { ws: [], sse: [] };
const query = 'subscription { events(types: ["lead.*"]) { type data } }';
for (const [name, client] of [["ws", overSocket], ["sse", overEvents]]) {
  client.subscribe({ query }, {
    next: ({ data, errors }) => {
      check(`${name} events`, !errors && data.events.type === "lead.created", { data, errors });
      told[name].push(Number(data.events.data.notes));
      const inOrder = told[name].every((number, n) => number === told[name][0] + n);
      check(`${name} order`, inOrder, told[name]);
      if (told.ws.length >= 3 && told.sse.length >= 3) process.exit(0);
    },
    error: (error) => check(`${name} subscription`, false, error),
    complete: () => {},
  });
}
console.log("listening");
