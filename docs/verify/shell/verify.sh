#!/bin/sh
# Verifies a webhook with openssl: for a look at a delivery by hand. A receiver should use a language that compares in constant time, and
# the key is seen in the list of processes while openssl runs.
#
#   sh verify.sh <secret> <webhook-id> <webhook-timestamp> <webhook-signature> < body
set -eu
secret=$1 id=$2 timestamp=$3 signatures=$4
tolerance=300 # seconds

case $timestamp in '' | *[!0-9]*) echo forged; exit 1 ;; esac
age=$(($(date +%s) - timestamp))
if [ "${age#-}" -gt $tolerance ]; then echo forged; exit 1; fi

key=$(printf '%s' "${secret#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
expected=$({ printf '%s.%s.' "$id" "$timestamp"; cat; } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)

# Several while a secret is rotated; entries of other versions are passed over.
set -f
for entry in $signatures; do
    if [ "$entry" = "v1,$expected" ]; then echo genuine; exit 0; fi
done
echo forged
exit 1
