"""Verifies captured deliveries with the official library, and that it refuses what was tampered with.

Argument: a file of {secret, headers, body} (the body in base64).
"""

import base64
import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def refuses(secret, body, headers):
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return True
    return False


with open(sys.argv[1], encoding="utf-8") as file:
    deliveries = json.load(file)

for delivery in deliveries:
    secret, headers = delivery["secret"], delivery["headers"]
    body = base64.b64decode(delivery["body"])
    Webhook(secret).verify(body, headers)
    bent = bytearray(body)
    bent[-2] ^= 1
    late = str(int(headers["webhook-timestamp"]) + 1)
    assert refuses(secret, bytes(bent), headers), "a bent body was accepted"
    assert refuses(secret, body + b" ", headers), "a longer body was accepted"
    assert refuses(secret, body, {**headers, "webhook-id": headers["webhook-id"] + "x"}), "another id was accepted"
    assert refuses(secret, body, {**headers, "webhook-timestamp": late}), "another time was accepted"

print(len(deliveries))
