// Signs calls with the vendors' own packages: sign.mjs DIRECTORY-WITH-NODE_MODULES FILE. The file says what; the calls go to standard output.
import { createRequire } from "node:module";
import { createSign, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [directory, file] = process.argv.slice(2);
const require = createRequire(join(directory, "package.json"));
const input = JSON.parse(readFileSync(file, "utf8"));
const now = Math.floor(Date.now() / 1000);
const calls = [];
const call = (source, type, headers, body, query = "") => calls.push({ source, type, headers, body, query });

const { sign } = await import(join(directory, "node_modules/@octokit/webhooks-methods/dist-node/index.js"));
for (const [name, event, body] of input.payloads) {
  const headers = { "x-github-event": event, "x-github-delivery": name, "content-type": "application/json" };
  call("github", event, { ...headers, "x-hub-signature-256": await sign(input.github.secret, body) }, body);
}

const Stripe = require("stripe");
for (const id of ["evt_1", "evt_2"]) {
  const payload = JSON.stringify({ id, object: "event", type: "payment_intent.succeeded", note: "ünïcödé ☃" }, null, 2);
  const header = new (Stripe.default ?? Stripe)("sk_test_x").webhooks.generateTestHeaderString({ payload, secret: input.stripe.secret, timestamp: now });
  call("stripe", "payment_intent.succeeded", { "stripe-signature": header, "content-type": "application/json" }, payload);
}

const twilio = require("twilio");
const parameters = { MessageSid: "SM1", MessageStatus: "delivered", Body: "a b & ünïcödé", Zero: "" };
call(
  "twilio",
  "message.delivered",
  {
    "x-twilio-signature": twilio.getExpectedTwilioSignature(input.twilio.secret, `${input.twilio.url}?foo=1&bar=a%20b`, parameters),
    "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
  },
  new URLSearchParams(parameters).toString(),
  "foo=1&bar=a%20b",
);
const json = '{"type": "conversation.added"}';
const hash = twilio.getExpectedBodyHash(json);
call(
  "twilio",
  "conversation.added",
  { "x-twilio-signature": twilio.getExpectedTwilioSignature(input.twilio.secret, `${input.twilio.url}?bodySHA256=${hash}`, {}), "content-type": "application/json" },
  json,
  `bodySHA256=${hash}`,
);

// SendGrid's package only verifies: what it accepts must be accepted.
const { EventWebhook } = require("@sendgrid/eventwebhook");
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = publicKey.export({ type: "spki", format: "der" }).toString("base64");
const body = '[{"email":"a@b.co","event":"delivered","sg_event_id":"x"}]\r\n';
const signature = createSign("sha256").update(`${now}${body}`).sign(privateKey, "base64");
const judge = new EventWebhook();
if (!judge.verifySignature(judge.convertPublicKeyToECDSA(key), body, signature, `${now}`)) throw new Error("SendGrid's own package refuses this");
call(
  "sendgrid",
  "delivered",
  { "x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": `${now}`, "content-type": "application/json" },
  body,
);

process.stdout.write(JSON.stringify({ sendgridKey: key, calls }));
