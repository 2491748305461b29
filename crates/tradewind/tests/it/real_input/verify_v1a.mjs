// Verifies asymmetric signatures by the published key set, with Node's own cryptography, and that it refuses what was tampered with.
// Argument: a file of {keys, deliveries: [{headers, body}]} (the body in base64); keys is the key set as it is served.
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const { keys, deliveries } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const known = keys.map((jwk) => createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: "jwk" }));

function accepts(headers, body, id = headers["webhook-id"], at = headers["webhook-timestamp"]) {
  const text = Buffer.concat([Buffer.from(`${id}.${at}.`), body]);
  const given = headers["webhook-signature"].split(" ").filter((entry) => entry.startsWith("v1a,"));
  return given.some((entry) => known.some((key) => verify(null, text, key, Buffer.from(entry.slice(4), "base64"))));
}

for (const { headers, body } of deliveries) {
  const bytes = Buffer.from(body, "base64");
  if (!accepts(headers, bytes)) throw new Error("a good signature was refused");
  const bent = Buffer.from(bytes);
  bent[bent.length - 2] ^= 1;
  if (accepts(headers, bent)) throw new Error("a bent body was accepted");
  if (accepts(headers, bytes, headers["webhook-id"] + "x")) throw new Error("another id was accepted");
  if (accepts(headers, bytes, undefined, String(Number(headers["webhook-timestamp"]) + 1))) throw new Error("another time was accepted");
}
console.log(deliveries.length);
