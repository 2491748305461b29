// Verifies captured deliveries with the official library, and that it refuses what was tampered with.
// Arguments: a directory whose node_modules has standardwebhooks, and a file of {secret, headers, body} (the body in base64).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [tools, captured] = process.argv.slice(2);
const { Webhook } = createRequire(join(tools, "package.json"))("standardwebhooks");
const deliveries = JSON.parse(readFileSync(captured, "utf8"));

function refuses(secret, body, headers) {
  try {
    new Webhook(secret).verify(body, headers);
    return false;
  } catch (error) {
    return error.constructor.name === "WebhookVerificationError" || error.name === "WebhookVerificationError";
  }
}

for (const { secret, headers, body } of deliveries) {
  const bytes = Buffer.from(body, "base64");
  new Webhook(secret).verify(bytes.toString("utf8"), headers);
  const bent = Buffer.from(bytes);
  bent[bent.length - 2] ^= 1;
  if (!refuses(secret, bent.toString("utf8"), headers)) throw new Error("a bent body was accepted");
  if (!refuses(secret, bytes.toString("utf8") + " ", headers)) throw new Error("a longer body was accepted");
  if (!refuses(secret, bytes.toString("utf8"), { ...headers, "webhook-id": headers["webhook-id"] + "x" })) throw new Error("another id was accepted");
  const late = String(Number(headers["webhook-timestamp"]) + 1);
  if (!refuses(secret, bytes.toString("utf8"), { ...headers, "webhook-timestamp": late })) throw new Error("another time was accepted");
}
console.log(deliveries.length);
