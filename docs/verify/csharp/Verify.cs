// Verifies a webhook with .NET's own classes.
//
//   dotnet run -- <secret> <webhook-id> <webhook-timestamp> <webhook-signature> < body
using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;

public static class Verify
{
    private const long Tolerance = 300; // seconds

    public static bool IsGenuine(string secret, string id, string timestamp, string signatures, byte[] body, DateTimeOffset now)
    {
        long at;
        if (!long.TryParse(timestamp, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out at)
            || Math.Abs(now.ToUnixTimeSeconds() - at) > Tolerance)
        {
            return false;
        }
        byte[] key = Convert.FromBase64String(secret.StartsWith("whsec_", StringComparison.Ordinal) ? secret.Substring(6) : secret);
        byte[] head = Encoding.UTF8.GetBytes(id + "." + timestamp + ".");
        byte[] signed = new byte[head.Length + body.Length];
        head.CopyTo(signed, 0);
        body.CopyTo(signed, head.Length);
        string expected;
        using (var hmac = new HMACSHA256(key))
        {
            expected = Convert.ToBase64String(hmac.ComputeHash(signed));
        }
        bool good = false;
        // Several while a secret is rotated; entries of other versions are passed over.
        foreach (string entry in signatures.Split(' '))
        {
            if (entry.StartsWith("v1,", StringComparison.Ordinal))
            {
                good |= AreEqual(entry.Substring(3), expected);
            }
        }
        return good;
    }

    // In constant time, as CryptographicOperations.FixedTimeEquals of newer versions.
    private static bool AreEqual(string given, string expected)
    {
        int difference = given.Length ^ expected.Length;
        for (int i = 0; i < given.Length && i < expected.Length; i++)
        {
            difference |= given[i] ^ expected[i];
        }
        return difference == 0;
    }

    public static int Main(string[] arguments)
    {
        var body = new MemoryStream();
        Console.OpenStandardInput().CopyTo(body); // the bytes as they came
        bool good = IsGenuine(arguments[0], arguments[1], arguments[2], arguments[3], body.ToArray(), DateTimeOffset.UtcNow);
        Console.WriteLine(good ? "genuine" : "forged");
        return good ? 0 : 1;
    }
}
