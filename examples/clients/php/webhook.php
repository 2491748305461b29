<?php
// Receives webhooks and verifies them with the official library: composer install
// Run it with PHP's own server: php -S 127.0.0.1:3000 webhook.php

require __DIR__ . '/vendor/autoload.php';

use StandardWebhooks\Webhook;

// The signature is over the body exactly as it came: it must not be parsed and written again.
$body = file_get_contents('php://input');
$headers = [];
foreach ($_SERVER as $name => $value) {
    if (str_starts_with($name, 'HTTP_WEBHOOK_')) {
        $headers[strtolower(str_replace('_', '-', substr($name, 5)))] = $value;
    }
}
try {
    $event = (new Webhook(getenv('WEBHOOK_SECRET')))->verify($body, $headers);
    error_log("received: {$headers['webhook-id']} " . ($event['type'] ?? ''));
    // A repeated webhook-id is the same event: work on each id once. Answer first, then work.
    http_response_code(204);
} catch (Throwable $error) {
    error_log('refused: ' . $error->getMessage());
    http_response_code(400);
}
