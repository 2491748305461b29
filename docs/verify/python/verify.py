# Verifies a webhook with Python's standard library.
#
#   python3 verify.py <secret> <webhook-id> <webhook-timestamp> <webhook-signature> < body
import base64
import hashlib
import hmac
import re
import sys
import time

TOLERANCE = 300  # seconds


def verify(secret, webhook_id, timestamp, signatures, body, now=None):
    now = time.time() if now is None else now
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now - int(timestamp)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # Several while a secret is rotated; entries of other versions are passed over.
    given = [entry[3:] for entry in signatures.split(" ") if entry.startswith("v1,")]
    return any(hmac.compare_digest(one.encode(), expected.encode()) for one in given)


if __name__ == "__main__":
    good = verify(*sys.argv[1:5], sys.stdin.buffer.read())  # the bytes as they came
    print("genuine" if good else "forged")
    sys.exit(0 if good else 1)
