// The whole journey of a partner of call-coaching. Node 18 or later, no dependencies.
import { randomUUID } from "node:crypto";

const { TRADEWIND_URL, TRADEWIND_API_KEY, TRADEWIND_API_SECRET, WEBHOOK_URL, WEBHOOK_SECRET } = process.env;

/** One request. A POST carries an Idempotency-Key, so that repeating it after a broken connection does nothing twice. */
async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${TRADEWIND_API_KEY}`, "X-API-Secret": TRADEWIND_API_SECRET };
  if (body) Object.assign(headers, { "Content-Type": "application/json", "Idempotency-Key": randomUUID() });
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${TRADEWIND_URL}/api/partner/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    const wait = response.headers.get("Retry-After");
    if (![429, 503].includes(response.status) || attempt === 5) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    await new Promise((resolve) => setTimeout(resolve, Number(wait ?? 1) * 1000));
  }
}

const health = await call("GET", "/health");
console.log("health:", health.status);

const company = await call("POST", "/companies/create", { name: "Northwind Traders", industry: "Wholesale" });
console.log("company:", company.id);

const agent = await call("POST", `/companies/${company.id}/agents/create`, { name: "Dana Levi", email: "dana@northwind.example" });
console.log("agent:", agent.id);

const submitted = await call("POST", "/calls/analyze", {
  companyId: company.id,
  agentId: agent.id,
  callType: "discovery",
  transcript: [
    "Agent: Hello, this is Dana from Northwind. How are you today?",
    "Customer: Good, thanks. We are, um, a little unhappy with our present supplier.",
    "Agent: I am sorry to hear that. What would make it great for you?",
    "Customer: Faster delivery, and a fair price. What do you charge?",
    "Agent: We deliver within two days, and the price is excellent. Shall I send an offer?",
    "Customer: Yes, please do. That sounds wonderful.",
  ].join("\n"),
  metadata: { source: "example" },
  ...(WEBHOOK_URL ? { webhookUrl: WEBHOOK_URL } : {}),
  ...(WEBHOOK_URL && WEBHOOK_SECRET ? { webhookSecret: WEBHOOK_SECRET } : {}),
});
// Without a secret of our own, an address that is new gets one. It is told this once.
if (!WEBHOOK_SECRET && submitted.webhookSecret) console.log("webhook secret:", submitted.webhookSecret);
console.log("job:", submitted.jobId, submitted.status);

let job;
do {
  await new Promise((resolve) => setTimeout(resolve, 500));
  job = await call("GET", `/jobs/${submitted.jobId}/status`);
  console.log("status:", job.status, `${job.progress ?? 0}%`);
} while (["pending", "processing"].includes(job.status));

if (job.status !== "completed") throw new Error(`the analysis failed: ${JSON.stringify(job.error)}`);
console.log("result:", JSON.stringify(job.result));
