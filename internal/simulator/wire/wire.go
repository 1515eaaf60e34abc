package wire

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What can be wrong with a signature.
var (
	ErrUnsigned   = errors.New("the request is not signed")
	ErrIncomplete = errors.New("the signature is not whole")
	ErrScope      = errors.New("the signature has no scope of version 4")
)

// Signature is what a request's signature is for.
type Signature struct{ Region, Service string }

// Signed reads the signature of a request, version 4
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html). It does not verify it.
func Signed(r *http.Request) (s Signature, err error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return s, ErrUnsigned
	}
	parameters, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	_, credential, found := strings.Cut(parameters, "Credential=")
	if !ok || !found || !strings.Contains(parameters, "SignedHeaders=") || !strings.Contains(parameters, "Signature=") {
		return s, ErrIncomplete
	}
	credential, _, _ = strings.Cut(credential, ",")
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return s, ErrScope
	}
	return Signature{Region: scope[2], Service: scope[3]}, nil
}

// Hang keeps a request without an answer until its client gives up or closing is closed.
func Hang(w http.ResponseWriter, r *http.Request, closing <-chan struct{}) {
	select {
	case <-r.Context().Done():
	case <-closing:
	}
	Reset(w)
}

// Wait passes time; false says that the client has given up. It ends early when closing is closed.
func Wait(r *http.Request, d time.Duration, closing <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-closing:
	case <-r.Context().Done():
		return false
	}
	return true
}

// Reset resets the connection.
func Reset(w http.ResponseWriter) { cut(w, nil) }

// Truncate promises the whole answer and sends half of it.
func Truncate(w http.ResponseWriter, contentType string, answer []byte) {
	head := "HTTP/1.1 200 OK\r\nContent-Type: " + contentType + "\r\nContent-Length: " + strconv.Itoa(len(answer)) + "\r\n\r\n"
	cut(w, append([]byte(head), answer[:len(answer)/2]...))
}

// RetryAfter sets the header of that name, rounded up to seconds, unless d is 0.
func RetryAfter(w http.ResponseWriter, d time.Duration) {
	if d > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((d+time.Second-1)/time.Second)))
	}
}

// cut sends some bytes and closes the connection: in order after bytes, by a reset without them.
func cut(w http.ResponseWriter, send []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = conn.Close() }()
	if len(send) > 0 {
		_, _ = conn.Write(send)
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}
