"""HubSpot's own client for Python drives the double, with retries of its own for 429."""
import json
import sys

from hubspot import HubSpot
from hubspot.crm.contacts import (
    ApiException, BatchInputSimplePublicObjectBatchInputForCreate, PublicObjectSearchRequest, SimplePublicObjectBatchInputForCreate,
    SimplePublicObjectInput, SimplePublicObjectInputForCreate,
)
from urllib3.util.retry import Retry

given = json.loads(sys.argv[1])
retry = Retry(total=5, backoff_factor=0.01, status_forcelist=(429, 502), allowed_methods=None)
client = HubSpot(access_token=given["token"], retry=retry, host=given["url"])
contacts = client.crm.contacts
made = contacts.basic_api.create(SimplePublicObjectInputForCreate(properties={"email": "a@example.com", "firstname": "A"}, associations=[]))
other = contacts.basic_api.create(SimplePublicObjectInputForCreate(properties={"email": "b@example.com", "lastname": "B"}, associations=[]))
contacts.basic_api.update(made.id, SimplePublicObjectInput(properties={"firstname": "Ada"}))
batch = [SimplePublicObjectBatchInputForCreate(properties={"email": f"c{n}@example.com"}, associations=[]) for n in range(30)]
assert len(contacts.batch_api.create(BatchInputSimplePublicObjectBatchInputForCreate(inputs=batch)).results) == 30
seen, after = [], None
while True:
    page = contacts.basic_api.get_page(limit=7, after=after)
    seen += [one.id for one in page.results]
    if page.paging is None:
        break
    after = page.paging.next.after
assert len(seen) == len(set(seen)) == 32, len(seen)
found = contacts.search_api.do_search(PublicObjectSearchRequest(
    filter_groups=[{"filters": [{"propertyName": "email", "operator": "EQ", "value": "A@example.com"}]}], properties=["firstname"], limit=5))
assert found.total == 1 and found.results[0].properties["firstname"] == "Ada", found
try:
    contacts.basic_api.create(SimplePublicObjectInputForCreate(properties={"email": "not an address"}, associations=[]))
    raise AssertionError("an address that is none was accepted")
except ApiException as why:
    assert why.status == 400 and "INVALID_EMAIL" in why.body, why.body
contacts.basic_api.archive(other.id)
try:
    contacts.basic_api.get_by_id(other.id)
    raise AssertionError("an archived contact was read")
except ApiException as why:
    assert why.status == 404, why
print("satisfied")
