"""Verifies asymmetric signatures by the written public keys (whpk_…), and that it refuses what was tampered with.

Argument: a file of {keys, deliveries: [{headers, body}]} (the body in base64); keys is the key set as it is served.
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

with open(sys.argv[1], encoding="utf-8") as file:
    captured = json.load(file)

keys = []
for key in captured["keys"]:
    assert key["whpk"].startswith("whpk_")
    keys.append(Ed25519PublicKey.from_public_bytes(base64.b64decode(key["whpk"][5:])))


def accepts(headers, body, event=None, at=None):
    text = f"{event or headers['webhook-id']}.{at or headers['webhook-timestamp']}.".encode() + body
    for entry in headers["webhook-signature"].split(" "):
        version, _, signature = entry.partition(",")
        if version != "v1a":
            continue
        for key in keys:
            try:
                key.verify(base64.b64decode(signature), text)
                return True
            except InvalidSignature:
                pass
    return False


for delivery in captured["deliveries"]:
    headers, body = delivery["headers"], base64.b64decode(delivery["body"])
    assert accepts(headers, body), "a good signature was refused"
    bent = bytearray(body)
    bent[-2] ^= 1
    assert not accepts(headers, bytes(bent)), "a bent body was accepted"
    assert not accepts(headers, body, event=headers["webhook-id"] + "x"), "another id was accepted"
    assert not accepts(headers, body, at=str(int(headers["webhook-timestamp"]) + 1)), "another time was accepted"

print(len(captured["deliveries"]))
