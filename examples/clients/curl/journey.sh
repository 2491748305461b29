#!/bin/sh
# The whole journey of a partner of call-coaching, with curl and nothing else.
set -eu

base="$TRADEWIND_URL/api/partner/v1"

# One request. A POST carries an Idempotency-Key, so that curl's own retries (after 429, 503 and broken connections) do nothing twice.
call() {
    method=$1 path=$2
    shift 2
    curl --silent --show-error --fail-with-body --retry 4 -X "$method" "$base$path" \
        -H "Authorization: Bearer $TRADEWIND_API_KEY" -H "X-API-Secret: $TRADEWIND_API_SECRET" "$@"
}

post() {
    call POST "$1" -H 'Content-Type: application/json' -H "Idempotency-Key: $(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" --data-binary "$2"
}

# The value of a member that is a text or a number. Where jq is installed: jq -r ".$1"
member() {
    sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\)\"\{0,1\}.*/\1/p"
}

# The first id in an answer: that of the object itself.
own_id() {
    sed 's/"id":"/\n&/' | sed -n 's/^"id":"\([^"]*\)".*/\1/p' | head -n 1
}

echo "health: $(call GET /health | member status)"

company=$(post /companies/create '{"name": "Northwind Traders", "industry": "Wholesale"}' | own_id)
echo "company: $company"

agent=$(post "/companies/$company/agents/create" '{"name": "Dana Levi", "email": "dana@northwind.example"}' | own_id)
echo "agent: $agent"

webhook=''
if [ -n "${WEBHOOK_URL:-}" ]; then webhook=", \"webhookUrl\": \"$WEBHOOK_URL\""; fi
if [ -n "${WEBHOOK_URL:-}" ] && [ -n "${WEBHOOK_SECRET:-}" ]; then webhook="$webhook, \"webhookSecret\": \"$WEBHOOK_SECRET\""; fi
submitted=$(post /calls/analyze "{
  \"companyId\": \"$company\",
  \"agentId\": \"$agent\",
  \"callType\": \"discovery\",
  \"transcript\": \"Agent: Hello, this is Dana from Northwind. How are you today?\\nCustomer: Good, thanks. We are, um, a little unhappy with our present supplier.\\nAgent: I am sorry to hear that. What would make it great for you?\\nCustomer: Faster delivery, and a fair price. What do you charge?\\nAgent: We deliver within two days, and the price is excellent. Shall I send an offer?\\nCustomer: Yes, please do. That sounds wonderful.\",
  \"metadata\": {\"source\": \"example\"}$webhook
}")
# Without a secret of our own, an address that is new gets one. It is told this once.
secret=$(echo "$submitted" | member webhookSecret)
if [ -z "${WEBHOOK_SECRET:-}" ] && [ -n "$secret" ]; then echo "webhook secret: $secret"; fi
job=$(echo "$submitted" | member jobId)
echo "job: $job"

while :; do
    sleep 0.5
    answer=$(call GET "/jobs/$job/status")
    status=$(echo "$answer" | sed 's/"status":"/\n&/' | sed -n 's/^"status":"\([a-z]*\)".*/\1/p' | head -n 1)
    echo "status: $status"
    case $status in
        completed) echo "result: $answer"; exit 0 ;;
        pending | processing) ;;
        *) echo "the analysis failed: $answer" >&2; exit 1 ;;
    esac
done
