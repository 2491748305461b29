"""simple-salesforce drives the double. It speaks https only: a transport adapter carries its calls to the double's plain port."""
import datetime
import json
import sys

import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest, SalesforceResourceNotFound
from simple_salesforce.exceptions import SalesforceExpiredSession

given = json.loads(sys.argv[1])


class Plain(requests.adapters.HTTPAdapter):
    def send(self, request, **kwargs):
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, **kwargs)


session = requests.Session()
session.mount("https://", Plain())
sf = Salesforce(instance_url=given["url"], session_id=given["token"], session=session, version="62.0")

assert any(one["name"] == "Account" for one in sf.describe()["sobjects"])
made = sf.Lead.create({"LastName": "Muster", "Company": "Acme", "Email": "m@example.com", "External_Id__c": "p-1"})
assert made["success"]
assert sf.Lead.get(made["id"])["Name"] == "Muster"
assert sf.Lead.get_by_custom_id("External_Id__c", "p-1")["Id"] == made["id"]
assert sf.Lead.update(made["id"], {"FirstName": "Max"}) == 204
assert sf.Lead.upsert("External_Id__c/p-1", {"FirstName": "Moritz"}) in (200, 204)
assert sf.query("SELECT Name FROM Lead WHERE Email = 'm@example.com'")["records"][0]["Name"] == "Moritz Muster"
try:
    sf.Lead.create({"LastName": "x"})
    raise AssertionError("a lead without a company was accepted")
except SalesforceMalformedRequest as why:
    assert why.content[0]["errorCode"] == "REQUIRED_FIELD_MISSING", why.content
results = sf.bulk2.Contact.insert(records=[{"LastName": f"C{n}", "Score__c": str(n)} for n in range(300)], batch_size=150, wait=0.01)
assert sum(one["numberRecordsProcessed"] for one in results) == 300, results
assert sum(one["numberRecordsFailed"] for one in results) == 0, results
rows = [row for page in sf.bulk2.Contact.query("SELECT Id, LastName FROM Contact", max_records=50000, wait=0.01) for row in page.splitlines()[1:]]
assert len(rows) == 300, len(rows)
everything = list(sf.query_all_iter("SELECT Id FROM Contact ORDER BY Id"))
assert len(everything) == 300
sf.Lead.delete(made["id"])
try:
    sf.Lead.get(made["id"])
    raise AssertionError("a deleted lead was read")
except SalesforceResourceNotFound:
    pass
now = datetime.datetime.now(datetime.timezone.utc)
gone = sf.Lead.deleted(now - datetime.timedelta(hours=1), now + datetime.timedelta(minutes=1))
assert [one["id"] for one in gone["deletedRecords"]] == [made["id"]], gone
assert sf.api_usage["api-usage"].used > 5
requests.post(given["url"] + "/_double/expire")
try:
    sf.query("SELECT Id FROM Lead")
    raise AssertionError("a dead session was accepted")
except SalesforceExpiredSession:
    pass
print("satisfied")
