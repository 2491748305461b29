// The audits of GraphQL over HTTP, of the npm package graphql-http, against a server that wants a credential.
// node audits.mjs <directory with node_modules> <base> <key> <tenant>
import { createRequire } from "node:module";
import { join } from "node:path";

const [directory, base, key, tenant] = process.argv.slice(2);
const { serverAudits } = createRequire(join(directory, "x.js"))("graphql-http");
const fetchFn = (url, init = {}) => {
  const headers = { ...init.headers, authorization: `Bearer ${key}`, "tradewind-tenant": tenant };
  return fetch(url, { ...init, headers });
};
const audits = serverAudits({ url: `${base}/graphql`, fetchFn });
let failed = 0;
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === "ok") continue;
  failed += 1;
  console.error(result.status, audit.id, audit.name, result.reason);
}
console.log(audits.length, failed);
process.exit(failed === 0 && audits.length > 50 ? 0 : 1);
