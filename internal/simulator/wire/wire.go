package wire

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

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
