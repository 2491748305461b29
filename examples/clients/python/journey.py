"""The whole journey of a partner of call-coaching. Python 3.9 or later, nothing but the standard library."""

import json
import os
import time
import urllib.error
import urllib.request
import uuid

URL = os.environ["TRADEWIND_URL"] + "/api/partner/v1"


def call(method, path, body=None):
    """One request. A POST carries an Idempotency-Key, so that repeating it after a broken connection does nothing twice."""
    headers = {
        "Authorization": "Bearer " + os.environ["TRADEWIND_API_KEY"],
        "X-API-Secret": os.environ["TRADEWIND_API_SECRET"],
    }
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    for attempt in range(1, 6):
        request = urllib.request.Request(URL + path, method=method, headers=headers, data=data)
        try:
            with urllib.request.urlopen(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503) or attempt == 5:
                raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}")
            time.sleep(float(error.headers.get("Retry-After", 1)))


health = call("GET", "/health")
print("health:", health["status"])

company = call("POST", "/companies/create", {"name": "Northwind Traders", "industry": "Wholesale"})
print("company:", company["id"])

agent = call("POST", f"/companies/{company['id']}/agents/create", {"name": "Dana Levi", "email": "dana@northwind.example"})
print("agent:", agent["id"])

request = {
    "companyId": company["id"],
    "agentId": agent["id"],
    "callType": "discovery",
    "transcript": "\n".join(
        [
            "Agent: Hello, this is Dana from Northwind. How are you today?",
            "Customer: Good, thanks. We are, um, a little unhappy with our present supplier.",
            "Agent: I am sorry to hear that. What would make it great for you?",
            "Customer: Faster delivery, and a fair price. What do you charge?",
            "Agent: We deliver within two days, and the price is excellent. Shall I send an offer?",
            "Customer: Yes, please do. That sounds wonderful.",
        ]
    ),
    "metadata": {"source": "example"},
}
if os.environ.get("WEBHOOK_URL"):
    request["webhookUrl"] = os.environ["WEBHOOK_URL"]
    if os.environ.get("WEBHOOK_SECRET"):
        request["webhookSecret"] = os.environ["WEBHOOK_SECRET"]
submitted = call("POST", "/calls/analyze", request)
# Without a secret of our own, an address that is new gets one. It is told this once.
if not os.environ.get("WEBHOOK_SECRET") and submitted.get("webhookSecret"):
    print("webhook secret:", submitted["webhookSecret"])
print("job:", submitted["jobId"], submitted["status"])

while True:
    time.sleep(0.5)
    job = call("GET", f"/jobs/{submitted['jobId']}/status")
    print("status:", job["status"], f"{job.get('progress') or 0}%")
    if job["status"] not in ("pending", "processing"):
        break

if job["status"] != "completed":
    raise SystemExit(f"the analysis failed: {job.get('error')}")
print("result:", json.dumps(job["result"]))
