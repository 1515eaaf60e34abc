package postmaster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	postmasterv1 "google.golang.org/api/gmailpostmastertools/v1"
	postmasterv2 "google.golang.org/api/gmailpostmastertools/v2"

	"github.com/mailvane/mailvane/collectors"
)

// Scopes are the OAuth scopes that reading needs. Figures and compliance need one, the list of domains the other; v1 has one
// of its own, and a token for one version is no use with the other.
func Scopes(api API, listed bool) []string {
	switch {
	case api == V1:
		return []string{postmasterv1.PostmasterReadonlyScope}
	case listed:
		return []string{postmasterv2.PostmasterTrafficReadonlyScope, postmasterv2.PostmasterDomainScope}
	default:
		return []string{postmasterv2.PostmasterTrafficReadonlyScope}
	}
}

// maxCredentials bounds a credentials file.
const maxCredentials = 1 << 20

// identity is who calls: tokens, and the project whose quota is used when it is not that of the credentials.
type identity struct {
	tokens  oauth2.TokenSource
	project string
	// kind is the type of the credentials, for hints.
	kind google.CredentialsType
}

// identify reads the credentials. Tokens are fetched within ctx, so an identity lives as long as one pass.
func (c *Collector) identify(ctx context.Context) (*identity, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: c.transport, Timeout: c.timeout})
	params := google.CredentialsParams{Scopes: Scopes(c.api, len(c.domains) == 0), Subject: c.subject}
	if c.file == "" {
		found, err := google.FindDefaultCredentialsWithParams(ctx, params)
		if err != nil {
			// The cause is not repeated: it may quote a file.
			return nil, &failure{
				reason: collectors.ReasonAuth, hint: hintNoCredentials, whole: true,
				err: errors.New("there are no application default credentials"),
			}
		}
		head, _ := readHead(found.JSON)
		return &identity{tokens: found.TokenSource, project: head.QuotaProject, kind: head.Type}, nil
	}
	data, err := readCredentials(c.file)
	if err != nil {
		return nil, unusable(err)
	}
	head, err := readHead(data)
	switch {
	case err != nil:
		return nil, unusable(fmt.Errorf("%s is not JSON", c.file))
	case head.Type != google.AuthorizedUser && head.Type != google.ServiceAccount:
		return nil, unusable(fmt.Errorf("%s is neither of type authorized_user nor service_account", c.file))
	case head.Type == google.AuthorizedUser && c.subject != "":
		return nil, unusable(fmt.Errorf("%s is of a user, and only a service account can act for a subject", c.file))
	}
	made, err := google.CredentialsFromJSONWithTypeAndParams(ctx, data, head.Type, params)
	if err != nil {
		// The cause is not repeated: it may quote the file.
		return nil, unusable(fmt.Errorf("%s lacks what credentials of its type need", c.file))
	}
	return &identity{tokens: made.TokenSource, project: head.QuotaProject, kind: head.Type}, nil
}

func unusable(err error) *failure {
	return &failure{reason: collectors.ReasonAuth, hint: hintFile, whole: true, err: err}
}

// head is what a credentials file says about itself.
type head struct {
	Type         google.CredentialsType
	QuotaProject string `json:"quota_project_id"`
}

func readHead(data []byte) (h head, err error) {
	if len(data) == 0 { // credentials of a machine have no file
		return h, nil
	}
	return h, json.Unmarshal(data, &h)
}

func readCredentials(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCredentials+1))
	if err == nil && len(data) > maxCredentials {
		err = fmt.Errorf("%s is larger than a credentials file can be", name)
	}
	return data, err
}
