#!/bin/sh
# Answers one webhook: the request on standard input, the answer on standard output. What it received goes to standard error.
# The key is seen in the list of processes while openssl runs, and a shell does not compare in constant time: for development.
#   socat TCP-LISTEN:3000,reuseaddr,fork EXEC:"sh webhook.sh"
set -uf

carriage=$(printf '\r')
length=0 id='' at='' signatures=''
while IFS= read -r line; do
    line=${line%"$carriage"}
    [ -n "$line" ] || break
    value=${line#*: }
    case $(printf '%s' "${line%%:*}" | tr '[:upper:]' '[:lower:]') in
        content-length) length=$value ;;
        webhook-id) id=$value ;;
        webhook-timestamp) at=$value ;;
        webhook-signature) signatures=$value ;;
    esac
done

# The signature is over the body exactly as it came, so it goes through a file and never through a variable.
body=$(mktemp)
trap 'rm -f "$body"' EXIT
head -c "$length" >"$body"

answer() {
    printf 'HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$1"
    exit 0
}

refuse() {
    echo "refused: $1" >&2
    answer '400 Bad Request'
}

case $at in '' | *[!0-9]*) refuse 'no time' ;; esac
age=$(($(date +%s) - at))
[ "$age" -le 300 ] && [ "$age" -ge -300 ] || refuse 'too old'

key=$(printf '%s' "${WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
expected=$({ printf '%s.%s.' "$id" "$at"; cat "$body"; } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
for signature in $signatures; do
    if [ "$signature" = "v1,$expected" ]; then
        echo "received: $id" >&2
        answer '204 No Content'
    fi
done
refuse 'no signature matches'
