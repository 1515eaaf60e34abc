package googleauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// ClientsPage is where OAuth clients are made.
const ClientsPage = "https://console.cloud.google.com/auth/clients"

// Client is the OAuth client of a Google project, of type Desktop app.
type Client struct {
	id, secret string
	endpoint   oauth2.Endpoint
}

// ClientError says why a file is no client that can be used.
type ClientError struct {
	Path string
	why  string
}

// Error says what to do, too.
func (e *ClientError) Error() string { return e.Path + " " + e.why }

// maxClient bounds a client's file.
const maxClient = 64 << 10

// clientFile is the file as the console hands it out, or one of those that are taken for it.
type clientFile struct {
	Installed, Web *struct {
		ID       string `json:"client_id"`
		Secret   string `json:"client_secret"`
		AuthURI  string `json:"auth_uri"`
		TokenURI string `json:"token_uri"`
	}
	Type string
}

// ReadClient reads the file of a client. Its errors are *ClientError.
func ReadClient(path string) (*Client, error) {
	refuse := func(why string) (*Client, error) { return nil, &ClientError{path, why} }
	data, err := readBounded(path)
	if err != nil {
		return refuse("cannot be read: " + withoutPath(err).Error())
	}
	var file clientFile
	if len(data) > maxClient || json.Unmarshal(data, &file) != nil {
		return refuse("is not JSON as the Google Cloud console hands it out for a client; make one of type Desktop app at " + ClientsPage)
	}
	c := file.Installed
	switch {
	case file.Type == string(google.ServiceAccount):
		return refuse("is the key of a service account, which needs no browser: name it as credentials_file")
	case file.Type == string(google.AuthorizedUser):
		return refuse("is what this command makes of a client: name it as credentials_file")
	case file.Web != nil:
		return refuse("is a client of type Web application, to which no answer can come at 127.0.0.1; make one of type Desktop app at " + ClientsPage)
	case c == nil:
		return refuse("holds no client; make one of type Desktop app at " + ClientsPage)
	case c.ID == "" || c.Secret == "":
		return refuse("lacks the client's id or its secret, which Google wants of desktop apps too; add a secret at " + ClientsPage +
			" and download the file again")
	}
	client := &Client{id: c.ID, secret: c.Secret, endpoint: google.Endpoint}
	for _, a := range []struct {
		told string
		used *string
	}{{c.AuthURI, &client.endpoint.AuthURL}, {c.TokenURI, &client.endpoint.TokenURL}} {
		if a.told == "" {
			continue
		}
		if !private(a.told) {
			return refuse("names an address that is not https; download it again")
		}
		*a.used = a.told
	}
	client.endpoint.AuthStyle = oauth2.AuthStyleInParams
	return client, nil
}

// readBounded reads a file, and at most a byte more than a client has.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxClient+1))
}

// withoutPath is what an error of a file says beside its path.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// private says whether nobody on the way can read what is sent to an address.
func private(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && err == nil && ip.IsLoopback()
}

// file is the credentials file that a refresh token makes with the client.
func (c *Client) file(refreshToken string) ([]byte, error) {
	text, err := json.MarshalIndent(struct {
		Type         google.CredentialsType `json:"type"`
		ID           string                 `json:"client_id"`
		Secret       string                 `json:"client_secret"`
		RefreshToken string                 `json:"refresh_token"`
		TokenURI     string                 `json:"token_uri"`
	}{google.AuthorizedUser, c.id, c.secret, refreshToken, c.endpoint.TokenURL}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write credentials: %w", err)
	}
	return append(text, '\n'), nil
}
