"""Zoho's own SDK for Python drives the double. Arguments: settings as JSON."""
import json
import sys
import tempfile

import requests
from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.dc.data_center import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.notifications import (
    BodyWrapper as WatchBody, Notification, NotificationsOperations, ActionWrapper as WatchResults,
)
from zohocrmsdk.src.com.zoho.crm.api.record import (
    ActionWrapper, APIException, BodyWrapper, DeletedRecordsWrapper, Field, GetRecordsParam, Record, RecordOperations,
    ResponseWrapper, SearchRecordsParam, SuccessResponse, GetDeletedRecordsParam,
)

given = json.loads(sys.argv[1])
url = given["url"]
place = tempfile.TemporaryDirectory()
environment = DataCenter.Environment(url, url + "/oauth/v2/token", url)
token = OAuthToken(client_id=given["clientId"], client_secret=given["clientSecret"], refresh_token=given["refresh"], find_user=False)
Initializer.initialize(environment=environment, token=token, store=FileStore(file_path=place.name + "/tokens.txt"), resource_path=place.name)
leads = RecordOperations("Leads")


def lead(**fields):
    record = Record()
    for name, value in fields.items():
        record.add_key_value(name, value)
    return record


def body(*records, checks=None):
    wrapper = BodyWrapper()
    wrapper.set_data(list(records))
    if checks:
        wrapper.set_duplicate_check_fields(checks)
    return wrapper


def results(response):
    wrapper = response.get_object()
    assert isinstance(wrapper, ActionWrapper), (response.get_status_code(), wrapper)
    return wrapper.get_data()


made = leads.create_records(body(lead(Last_Name="Rao", Company="Acme", Email="rao@example.com"), lead(Company="Acme")), HeaderMap())
assert made.get_status_code() == 207, made.get_status_code()
good, bad = results(made)
assert isinstance(good, SuccessResponse) and isinstance(bad, APIException), (good, bad)
assert bad.get_code().get_value() == "MANDATORY_NOT_FOUND" and bad.get_details()["api_name"] == "Last_Name"
number = int(good.get_details()["id"])

changed = results(leads.update_record(number, body(lead(City="Pune")), HeaderMap()))
assert changed[0].get_message().get_value() if hasattr(changed[0].get_message(), "get_value") else changed[0].get_message() == "record updated"
upserted = results(leads.upsert_records(
    body(lead(Last_Name="Rao", First_Name="Asha", Email="RAO@example.com"), lead(Last_Name="New", Email="new@example.com"), checks=["Email"]), HeaderMap()))
assert [one.get_action().get_value() if hasattr(one.get_action(), "get_value") else one.get_action() for one in upserted] == ["update", "insert"]
results(leads.create_records(body(*[lead(Last_Name=f"Row {n}") for n in range(30)]), HeaderMap()))

seen, token = [], None
while True:
    parameters = ParameterMap()
    parameters.add(GetRecordsParam.fields, "Last_Name,Email,Modified_Time")
    parameters.add(GetRecordsParam.per_page, 10)
    parameters.add(GetRecordsParam.sort_order, "asc")
    if token:
        parameters.add(GetRecordsParam.page_token, token)
    page = leads.get_records(parameters, HeaderMap()).get_object()
    assert isinstance(page, ResponseWrapper), page
    seen += [one.get_id() for one in page.get_data()]
    if not page.get_info().get_more_records():
        break
    token = page.get_info().get_next_page_token()
assert len(seen) == len(set(seen)) == 32, len(seen)

parameters = ParameterMap()
parameters.add(SearchRecordsParam.criteria, "((Email:equals:rao@example.com)and(City:starts_with:Pu))")
found = leads.search_records(parameters, HeaderMap()).get_object().get_data()
assert [one.get_id() for one in found] == [number] and found[0].get_key_value("First_Name") == "Asha"

one = leads.get_record(number, ParameterMap(), HeaderMap()).get_object().get_data()[0]
assert one.get_key_value("Full_Name") == "Asha Rao", one.get_key_values()

results(leads.delete_record(number, ParameterMap(), HeaderMap()))
gone = leads.get_deleted_records(ParameterMap(), HeaderMap()).get_object()
assert isinstance(gone, DeletedRecordsWrapper) and [one.get_id() for one in gone.get_data()] == [number], gone
assert leads.get_record(number, ParameterMap(), HeaderMap()).get_status_code() == 204

watch = Notification()
watch.set_channel_id("1006800211")
watch.set_events(["Leads.all"])
watch.set_notify_url("http://127.0.0.1:9/watch")
watch.set_token("secret-of-ours")
wrapper = WatchBody()
wrapper.set_watch([watch])
answered = NotificationsOperations().enable_notifications(wrapper).get_object()
assert isinstance(answered, WatchResults), answered

# A token that is dead is an error in the API's form.
requests.post(url + "/_double/expire")
dead = leads.get_records(ParameterMap(), HeaderMap()).get_object()
assert dead.get_code().get_value() == "INVALID_TOKEN", dead
print("satisfied")
