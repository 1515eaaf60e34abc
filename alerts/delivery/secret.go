package delivery

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// Secret returns a key, or an address that is one. It is asked at each delivery, so that a key that was changed is used at
// once. Its error names no secret.
type Secret func() (string, error)

// maxSecret bounds a file that holds a secret.
const maxSecret = 8 << 10

// SecretFile is the secret that a file holds, without the white space around it.
func SecretFile(path string) Secret {
	return func() (string, error) {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
		if err != nil {
			return "", err
		}
		text := strings.TrimSpace(string(data))
		switch {
		case len(data) > maxSecret:
			return "", fmt.Errorf("%s is larger than a secret can be", path)
		case text == "":
			return "", fmt.Errorf("%s is empty", path)
		default:
			return text, nil
		}
	}
}

// What is wrong with an address, in words that do not quote it.
var (
	errNoAddress = errors.New("is no address such as https://host.example.com/path")
	errPlain     = errors.New("must begin with https: what goes there could be read on the way")
	errUser      = errors.New("must not hold a user or a password")
)

// CheckAddress reads an address to post to. Plain says that http will do; to this machine it always does. The error does not
// quote the address and continues a sentence that begins with its name.
func CheckAddress(text string, plain bool) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Hostname() == "", u.Scheme != "http" && u.Scheme != "https", u.Fragment != "":
		return nil, errNoAddress
	case u.User != nil:
		return nil, errUser
	case u.Scheme == "http" && !plain && !loopback(u.Hostname()):
		return nil, errPlain
	default:
		return u, nil
	}
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// AddressSecrets are the parts of an address by which others could post to it.
func AddressSecrets(u *url.URL) []string { return []string{u.Path, u.EscapedPath(), u.RawQuery} }

// enough is how many characters of a secret in a row are taken for a part of it.
const enough = 8

// reveals says whether a text holds a part of a secret.
func reveals(text string, secrets []string) bool {
	for _, s := range secrets {
		if s != "" && len(s) <= enough && s != "/" && strings.Contains(text, s) {
			return true
		}
		for i := 0; i+enough <= len(s); i++ {
			if strings.Contains(text, s[i:i+enough]) {
				return true
			}
		}
	}
	return false
}
