# Verifies a webhook with modules that come with Perl.
#
#   perl verify.pl <secret> <webhook-id> <webhook-timestamp> <webhook-signature> < body
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(decode_base64 encode_base64);

my $TOLERANCE = 300;    # seconds

sub same {              # in constant time
    my ($given, $expected) = @_;
    return 0 if length $given != length $expected;
    my $difference = 0;
    $difference |= ord(substr $given, $_, 1) ^ ord(substr $expected, $_, 1) for 0 .. length($expected) - 1;
    return $difference == 0;
}

sub verify {
    my ($secret, $id, $timestamp, $signatures, $body, $now) = @_;
    $now //= time;
    return 0 if $timestamp !~ /\A[0-9]{1,12}\z/ || abs($now - $timestamp) > $TOLERANCE;
    (my $key = $secret) =~ s/\Awhsec_//;
    my $expected = encode_base64(hmac_sha256("$id.$timestamp.$body", decode_base64($key)), '');
    # Several while a secret is rotated; entries of other versions are passed over.
    for my $entry (split / /, $signatures) {
        return 1 if $entry =~ /\Av1,(.*)\z/s && same($1, $expected);
    }
    return 0;
}

unless (caller) {
    binmode STDIN;
    my $body = do { local $/; <STDIN> };    # the bytes as they came
    my $good = verify(@ARGV[0 .. 3], $body // '');
    print $good ? "genuine\n" : "forged\n";
    exit($good ? 0 : 1);
}

1;
