package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// listen listens on the address where people and Prometheus ask.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	// What the operation says of itself repeats the address.
	if op := new(net.OpError); errors.As(err, &op) {
		err = op.Err
	}
	if call := new(os.SyscallError); errors.As(err, &call) {
		err = call.Err
	}
	advice := "choose another address with http.listen or --listen"
	if errors.Is(err, syscall.EADDRINUSE) {
		advice = "stop the program that listens there, or " + advice
	}
	return nil, fmt.Errorf("listen on %s: %w (%s)", address, err, advice)
}

// WebConfigError is a web configuration file that cannot be used.
type WebConfigError struct {
	File string
	Err  error
}

// Error names the file once, and says what to do where the toolkit's error is that of a library below it.
func (e *WebConfigError) Error() string {
	err := e.Err
	if detail := new(os.PathError); errors.As(err, &detail) && detail.Path == e.File {
		err = detail.Err
	}
	// The toolkit hands on what the hash's library says, which has no type in common.
	if strings.HasPrefix(err.Error(), "crypto/bcrypt: ") {
		return fmt.Sprintf("%s: basic_auth_users: a password is not a bcrypt hash; make one with htpasswd -nBC 10 NAME", e.File)
	}
	return fmt.Sprintf("%s: %v", e.File, err)
}

func (e *WebConfigError) Unwrap() error { return e.Err }

// CheckWebConfig says what is wrong with the file of --web.config.file: a *WebConfigError, or nil. An empty path is right.
func CheckWebConfig(path string) error {
	if err := toolkit.Validate(path); err != nil {
		return &WebConfigError{path, err}
	}
	return nil
}

// localURL is where a browser on this machine finds the pages. An address that stands for all of the machine's, as a pod listens
// on, is none that can be opened.
func localURL(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + a.String()
}
