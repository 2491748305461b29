<?php
// The whole journey of a partner of call-coaching. PHP 8, no extensions, no dependencies.

/** One request. A POST carries an Idempotency-Key, so that repeating it after a broken connection does nothing twice. */
function call(string $method, string $path, ?array $body = null): array
{
    $headers = [
        'Authorization: Bearer ' . getenv('TRADEWIND_API_KEY'),
        'X-API-Secret: ' . getenv('TRADEWIND_API_SECRET'),
    ];
    if ($body !== null) {
        $headers[] = 'Content-Type: application/json';
        $headers[] = 'Idempotency-Key: ' . bin2hex(random_bytes(16));
    }
    $options = ['method' => $method, 'header' => $headers, 'ignore_errors' => true];
    if ($body !== null) {
        $options['content'] = json_encode($body);
    }
    for ($attempt = 1; ; $attempt++) {
        $url = getenv('TRADEWIND_URL') . '/api/partner/v1' . $path;
        $text = file_get_contents($url, false, stream_context_create(['http' => $options]));
        preg_match('{ (\d{3})}', $http_response_header[0], $found);
        $status = (int) $found[1];
        if ($status < 300) {
            return json_decode($text, true);
        }
        if (!in_array($status, [429, 503], true) || $attempt === 5) {
            fwrite(STDERR, "$method $path: $status $text\n");
            exit(1);
        }
        $waits = preg_filter('{^Retry-After: (\d+)$}i', '$1', $http_response_header);
        sleep((int) (reset($waits) ?: 1));
    }
}

$health = call('GET', '/health');
echo 'health: ', $health['status'], "\n";

$company = call('POST', '/companies/create', ['name' => 'Northwind Traders', 'industry' => 'Wholesale']);
echo 'company: ', $company['id'], "\n";

$agent = call('POST', "/companies/{$company['id']}/agents/create", ['name' => 'Dana Levi', 'email' => 'dana@northwind.example']);
echo 'agent: ', $agent['id'], "\n";

$request = [
    'companyId' => $company['id'],
    'agentId' => $agent['id'],
    'callType' => 'discovery',
    'transcript' => implode("\n", [
        'Agent: Hello, this is Dana from Northwind. How are you today?',
        'Customer: Good, thanks. We are, um, a little unhappy with our present supplier.',
        'Agent: I am sorry to hear that. What would make it great for you?',
        'Customer: Faster delivery, and a fair price. What do you charge?',
        'Agent: We deliver within two days, and the price is excellent. Shall I send an offer?',
        'Customer: Yes, please do. That sounds wonderful.',
    ]),
    'metadata' => ['source' => 'example'],
];
if (getenv('WEBHOOK_URL')) {
    $request['webhookUrl'] = getenv('WEBHOOK_URL');
    if (getenv('WEBHOOK_SECRET')) {
        $request['webhookSecret'] = getenv('WEBHOOK_SECRET');
    }
}
$submitted = call('POST', '/calls/analyze', $request);
// Without a secret of our own, an address that is new gets one. It is told this once.
if (!getenv('WEBHOOK_SECRET') && isset($submitted['webhookSecret'])) {
    echo 'webhook secret: ', $submitted['webhookSecret'], "\n";
}
echo 'job: ', $submitted['jobId'], ' ', $submitted['status'], "\n";

do {
    usleep(500_000);
    $job = call('GET', "/jobs/{$submitted['jobId']}/status");
    echo 'status: ', $job['status'], ' ', $job['progress'] ?? 0, "%\n";
} while (in_array($job['status'], ['pending', 'processing'], true));

if ($job['status'] !== 'completed') {
    fwrite(STDERR, 'the analysis failed: ' . json_encode($job['error'] ?? null) . "\n");
    exit(1);
}
echo 'result: ', json_encode($job['result']), "\n";
