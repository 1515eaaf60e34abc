package s3

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRefusals holds what S3 says to requests that the SDK would not make.
func TestRefusals(t *testing.T) {
	s := New(Options{Account: "123456789012", Buckets: []Bucket{{Name: "b"}}})
	const signature = "AWS4-HMAC-SHA256 Credential=k/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
	f := func(method, path, body string, header map[string]string, status int, code string) {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", signature)
		for name, value := range header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != status || code != "" && !strings.Contains(w.Body.String(), "<Code>"+code+"</Code>") {
			t.Errorf("%s %s: %d %s, want %d %s", method, path, w.Code, w.Body, status, code)
		}
	}
	unsigned := map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
	f("PUT", "/b/k", "x", unsigned, 200, "")
	f("PUT", "/b/k", "x", nil, 400, "InvalidRequest")
	f("PUT", "/b/k", "x", map[string]string{"X-Amz-Content-Sha256": strings.Repeat("0", 64)}, 400, "XAmzContentSHA256Mismatch")
	f("PUT", "/b/k", "x", map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD", "X-Amz-Checksum-Crc32": "AAAAAA=="}, 400, "BadDigest")
	f("PUT", "/b/k", "x", map[string]string{"Authorization": "Basic x"}, 400, "IncompleteSignature")
	f("GET", "/b/k", "", map[string]string{"Authorization": ""}, 403, "AccessDenied")
	f("PUT", "/b/large", strings.Repeat("x", maxObject+1), unsigned, 400, "EntityTooLarge")
	f("GET", "/b/none", "", nil, 404, "NoSuchKey")
	f("GET", "/none/k", "", nil, 404, "NoSuchBucket")
	f("HEAD", "/b/k", "", nil, 200, "")
	f("GET", "/b", "", nil, 405, "MethodNotAllowed")
	f("DELETE", "/b/k", "", nil, http.StatusMethodNotAllowed, "MethodNotAllowed")
	if diff := cmp.Diff([]string{"k"}, s.Keys("b")); diff != "" {
		t.Error(diff)
	}
}
