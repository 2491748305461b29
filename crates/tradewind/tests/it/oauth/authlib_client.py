"""A second client: python authlib_client.py <given as JSON>. The person's answer is asked for on standard output and read from standard input."""

import json
import sys

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT

given = json.loads(sys.argv[1])
base = given["base"]
callback = "https://app.example/callback"


def person_goes_to(address):
    print(json.dumps({"go": address}), flush=True)
    return sys.stdin.readline().strip()


def refused(call, error):
    try:
        call()
    except Exception as thrown:
        assert error in f"{getattr(thrown, 'error', '')} {thrown}", f"{error}: {thrown!r}"
        return
    raise AssertionError(f"{error} was expected")


meta = requests.get(f"{base}/.well-known/openid-configuration").json()
assert meta["issuer"] == base

for method in ("client_secret_basic", "client_secret_post"):
    client = OAuth2Session(
        given["clientId"], given["clientSecret"], scope="openid email leads:read", redirect_uri=callback,
        code_challenge_method="S256", token_endpoint_auth_method=method, token_endpoint=meta["token_endpoint"],
        revocation_endpoint_auth_method=method, leeway=0,
    )
    verifier = "v" * 64
    address, state = client.create_authorization_url(meta["authorization_endpoint"], code_verifier=verifier, nonce="a-nonce")
    back = person_goes_to(address)
    token = client.fetch_token(meta["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state)
    assert token["token_type"] == "Bearer" and token["refresh_token"] and token["id_token"]
    told = client.get(meta["userinfo_endpoint"]).json()
    assert told["email"] == "ada@example.com", told
    assert client.get(f"{base}/api/v1/leads").status_code == 200
    first = token["refresh_token"]
    again = client.refresh_token(meta["token_endpoint"], refresh_token=first)
    assert again["refresh_token"] != first
    said = client.introspect_token(meta["introspection_endpoint"], token=again["access_token"]).json()
    assert said["active"] and said["client_id"] == given["clientId"], said
    assert client.revoke_token(meta["revocation_endpoint"], token=again["access_token"]).status_code == 200
    said = client.introspect_token(meta["introspection_endpoint"], token=again["access_token"]).json()
    assert said == {"active": False}, said
    refused(lambda: client.refresh_token(meta["token_endpoint"], refresh_token=first), "invalid_grant")
    print(json.dumps({"done": method}), flush=True)

machine = OAuth2Session(given["clientId"], given["clientSecret"], scope="leads:read", token_endpoint_auth_method="client_secret_basic")
token = machine.fetch_token(meta["token_endpoint"], grant_type="client_credentials")
assert token["scope"] == "leads:read" and "refresh_token" not in token
refused(lambda: machine.fetch_token(meta["token_endpoint"], grant_type="client_credentials", scope="no:such"), "invalid_scope")

signing = OAuth2Session(
    given["signingId"], given["privateKey"], scope="leads:read", token_endpoint_auth_method=PrivateKeyJWT(meta["token_endpoint"], alg="RS256")
)
token = signing.fetch_token(meta["token_endpoint"], grant_type="client_credentials")
assert token["access_token"]
print(json.dumps({"done": "ok"}), flush=True)
