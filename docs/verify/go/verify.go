// Verifies a webhook with Go's standard library.
//
//	go run verify.go <secret> <webhook-id> <webhook-timestamp> <webhook-signature> < body
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

const tolerance = 300 // seconds

// Verify says whether one of the signatures is ours and fresh.
func Verify(secret, id, timestamp, signatures string, body []byte, now time.Time) bool {
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || at < now.Unix()-tolerance || at > now.Unix()+tolerance {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	expected := mac.Sum(nil)
	// Several while a secret is rotated; entries of other versions are passed over.
	for _, entry := range strings.Split(signatures, " ") {
		if !strings.HasPrefix(entry, "v1,") {
			continue
		}
		given, err := base64.StdEncoding.DecodeString(entry[len("v1,"):])
		if err == nil && hmac.Equal(given, expected) {
			return true
		}
	}
	return false
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "verify <secret> <webhook-id> <webhook-timestamp> <webhook-signature> < body")
		os.Exit(2)
	}
	body, err := io.ReadAll(os.Stdin) // the bytes as they came
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !Verify(os.Args[1], os.Args[2], os.Args[3], os.Args[4], body, time.Now()) {
		fmt.Println("forged")
		os.Exit(1)
	}
	fmt.Println("genuine")
}
