package watch

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestHeartbeat calls a server that answers in each way; no error holds the address, which is a secret.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-0f-the-check"
	release := make(chan struct{})
	answers := map[string]http.HandlerFunc{
		"ok":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"large":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) },
		"redirect": func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, "/ok/"+secret, http.StatusFound) },
		"refuses":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"resets":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"hangs":    func(http.ResponseWriter, *http.Request) { <-release },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
		answers[name](w, req)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	beat := func(url string, urlErr, working error) error {
		timeout := time.Minute
		if strings.Contains(url, "/hangs/") {
			timeout = 300 * time.Millisecond
		}
		return NewHeartbeat(HeartbeatOptions{
			URL: func() (string, error) { return url, urlErr }, Working: func() error { return working }, Timeout: timeout,
		}).Beat(t.Context())
	}
	for name, want := range map[string]string{
		"ok": "", "large": "", "redirect": "answered 302", "refuses": "answered 404", "resets": "EOF", "hangs": "exceeded",
	} {
		check(t, name, beat(server.URL+"/"+name+"/"+secret, nil, nil), want, secret)
	}
	check(t, "no URL", beat("http://["+secret, nil, nil), "is no URL", secret)
	check(t, "no scheme", beat(secret, nil, nil), "is no URL", secret)
	check(t, "another scheme", beat(secret+"://host/", nil, nil), "is no URL", secret)
	check(t, "nobody there", beat("http://127.0.0.1:1/"+secret, nil, nil), "refused", secret)
	check(t, "no file", beat("", errors.New("read url_file: no such file"), nil), "no such file", secret)
	check(t, "not working", beat(server.URL+"/ok/", nil, errors.New("no round")), "left out: no round", secret)
}

func check(t *testing.T, name string, err error, want, secret string) {
	t.Helper()
	switch {
	case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: %v, want %q", name, err, want)
	case err != nil && strings.Contains(err.Error(), secret):
		t.Errorf("%s: the error tells the secret: %v", name, err)
	}
}
