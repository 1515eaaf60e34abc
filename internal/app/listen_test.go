package app

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListenSaysWhatHelps(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	_, err = listen(t.Context(), address)
	want := "listen on " + address + ": address already in use (stop the program that listens there, or choose another address with http.listen or --listen)"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	// TEST-NET-3 (RFC 5737) is no machine's.
	_, err = listen(t.Context(), "203.0.113.1:9464")
	if err == nil || strings.Count(err.Error(), "203.0.113.1") != 1 {
		t.Errorf("%v, want the address once", err)
	}
}

// TestLocalURL: an address that a daemon in a pod listens on is none that a browser can open.
func TestLocalURL(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:9464": "http://127.0.0.1:9464",
		"10.1.2.3:80":    "http://10.1.2.3:80",
		"[::1]:9464":     "http://[::1]:9464",
		"0.0.0.0:9464":   "http://127.0.0.1:9464",
		"[::]:9464":      "http://127.0.0.1:9464",
	} {
		if got := localURL(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))); got != want {
			t.Errorf("of %s: %s, want %s", address, got, want)
		}
	}
}

func TestCheckWebConfig(t *testing.T) {
	if err := CheckWebConfig(""); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "web.yaml")
	for text, want := range map[string]string{
		"basic_auth_users: {admin: secret}\n":        "a password is not a bcrypt hash",
		"tls_server_config: {cert_file: none.pem}\n": "key_file",
		"colour: red\n": "colour",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := CheckWebConfig(file)
		if err == nil || !strings.HasPrefix(err.Error(), file+": ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
