<?php
// Verifies a webhook with PHP's own functions (7.1 or newer).
//
//   php verify.php <secret> <webhook-id> <webhook-timestamp> <webhook-signature> < body
declare(strict_types=1);

const TOLERANCE = 300; // seconds

function verify(string $secret, string $id, string $timestamp, string $signatures, string $body, ?int $now = null): bool
{
    if (!preg_match('/\A[0-9]{1,12}\z/', $timestamp) || abs(($now ?? time()) - (int) $timestamp) > TOLERANCE) {
        return false;
    }
    $key = base64_decode(preg_replace('/\Awhsec_/', '', $secret), true);
    if ($key === false) {
        return false;
    }
    $expected = base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    // Several while a secret is rotated; entries of other versions are passed over.
    foreach (explode(' ', $signatures) as $entry) {
        if (strncmp($entry, 'v1,', 3) === 0 && hash_equals($expected, substr($entry, 3))) {
            return true;
        }
    }
    return false;
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    [, $secret, $id, $timestamp, $signatures] = $argv;
    $good = verify($secret, $id, $timestamp, $signatures, file_get_contents('php://stdin')); // the bytes as they came
    echo $good ? "genuine\n" : "forged\n";
    exit($good ? 0 : 1);
}
