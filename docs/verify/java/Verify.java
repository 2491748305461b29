// Verifies a webhook with the JDK's own classes (11 or newer).
//
//   java Verify.java <secret> <webhook-id> <webhook-timestamp> <webhook-signature> < body
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public final class Verify {
    private static final long TOLERANCE = 300; // seconds

    private Verify() {}

    public static boolean verify(String secret, String id, String timestamp, String signatures, byte[] body, Instant now)
            throws GeneralSecurityException {
        if (!timestamp.matches("[0-9]{1,12}") || Math.abs(now.getEpochSecond() - Long.parseLong(timestamp)) > TOLERANCE) {
            return false;
        }
        byte[] key = Base64.getDecoder().decode(secret.startsWith("whsec_") ? secret.substring("whsec_".length()) : secret);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        byte[] expected = Base64.getEncoder().encode(mac.doFinal(body));
        boolean good = false;
        // Several while a secret is rotated; entries of other versions are passed over.
        for (String entry : signatures.split(" ")) {
            if (entry.startsWith("v1,")) {
                byte[] given = entry.substring("v1,".length()).getBytes(StandardCharsets.UTF_8);
                good |= MessageDigest.isEqual(given, expected); // in constant time
            }
        }
        return good;
    }

    public static void main(String[] arguments) throws Exception {
        byte[] body = System.in.readAllBytes(); // the bytes as they came
        boolean good = verify(arguments[0], arguments[1], arguments[2], arguments[3], body, Instant.now());
        System.out.println(good ? "genuine" : "forged");
        System.exit(good ? 0 : 1);
    }
}
