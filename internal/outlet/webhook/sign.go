package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// The form of keys (Standard Webhooks, section "Signature scheme").
const (
	keyPrefix = "whsec_"
	minKey    = 24
	maxKey    = 64
	// maxKeys bounds how many sign at once.
	maxKeys = 4
)

var errKey = errors.New("the key is not one to four of 24 to 64 bytes in base64; make one with: openssl rand -base64 32")

// parseKeys reads the keys, with white space between them.
func parseKeys(text string) (keys [][]byte, err error) {
	for word := range strings.FieldsSeq(text) {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(word, keyPrefix))
		if err != nil || len(key) < minKey || len(key) > maxKey {
			return nil, errKey
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, errKey
	}
	return keys, nil
}

// sign makes one signature for each key. It binds the id and the time of the attempt to the body.
func sign(keys [][]byte, id, at string, body []byte) string {
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}
