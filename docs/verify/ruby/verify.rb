# Verifies a webhook with Ruby's standard library.
#
#   ruby verify.rb <secret> <webhook-id> <webhook-timestamp> <webhook-signature> < body
require "openssl"

TOLERANCE = 300 # seconds

def verify(secret, id, timestamp, signatures, body, now = Time.now.to_i)
  return false unless timestamp.match?(/\A[0-9]{1,12}\z/) && (now - timestamp.to_i).abs <= TOLERANCE

  key = secret.delete_prefix("whsec_").unpack1("m0")
  signed = "#{id}.#{timestamp}.".b + body.b
  expected = [OpenSSL::HMAC.digest("SHA256", key, signed)].pack("m0")
  # Several while a secret is rotated; entries of other versions are passed over.
  signatures.split(" ").any? do |entry|
    version, given = entry.split(",", 2)
    version == "v1" && !given.nil? && OpenSSL.secure_compare(given, expected)
  end
end

if $PROGRAM_NAME == __FILE__
  good = verify(*ARGV[0, 4], $stdin.binmode.read) # the bytes as they came
  puts good ? "genuine" : "forged"
  exit(good ? 0 : 1)
end
