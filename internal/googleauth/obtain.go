package googleauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/mailvane/mailvane/collectors"
)

const (
	// DefaultTimeout is how long the user may take.
	DefaultTimeout = 5 * time.Minute
	// exchangeTimeout bounds the exchange of the code.
	exchangeTimeout = 30 * time.Second
)

// Options say what consent to obtain.
type Options struct {
	Client *Client
	// Scopes are what the user is asked to allow.
	Scopes []string
	// Show is told the address of the consent page, and the port of this machine on which the answer is awaited.
	Show func(address string, port int)
	// Timeout is how long the user may take, DefaultTimeout when 0.
	Timeout time.Duration
	// Transport exchanges the code, http.DefaultTransport when nil.
	Transport http.RoundTripper
}

// Credentials are what the user has allowed.
type Credentials struct {
	// Scopes are those that were allowed: all that were asked for, or more.
	Scopes []string
	// Lifetime is after how long they end, 0 when Google told no end. It is told while the consent screen of the project is in
	// Testing.
	Lifetime time.Duration
	file     []byte
}

// errTimeout is the cause of the end of waiting for the user.
var errTimeout = errors.New("nobody answered in time")

// Obtain asks a user for consent and waits for the answer. What Google or the user refuses is a *RefusalError.
func Obtain(ctx context.Context, o Options) (*Credentials, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the browser's answer: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	c := oauth2.Config{
		ClientID: o.Client.id, ClientSecret: o.Client.secret, Endpoint: o.Client.endpoint, Scopes: o.Scopes,
		RedirectURL: fmt.Sprintf("http://127.0.0.1:%d/", port),
	}
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	d := newDesk(state)
	defer d.serve(l)()
	// Only a user who is made to consent, for a program that works while he is away, gets a refresh token
	// (https://developers.google.com/identity/protocols/oauth2/native-app).
	o.Show(c.AuthCodeURL(state, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"),
		oauth2.S256ChallengeOption(verifier)), port)
	code, err := d.wait(ctx, cmp.Or(o.Timeout, DefaultTimeout))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	// The token endpoint has no redirects, and neither code nor secret may follow one.
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	token, err := c.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, exchangeError(ctx, err)
	}
	return o.credentials(token)
}

// credentials checks that what came is what was asked for.
func (o *Options) credentials(token *oauth2.Token) (*Credentials, error) {
	granted := slices.Clone(o.Scopes)
	if text, ok := token.Extra("scope").(string); ok { // it may be left out when all was granted (RFC 6749, section 5.1)
		granted = strings.Fields(text)
	}
	missing := slices.DeleteFunc(slices.Clone(o.Scopes), func(s string) bool { return slices.Contains(granted, s) })
	switch {
	case len(missing) > 0:
		return nil, refusal("not all was allowed: "+strings.Join(missing, " ")+" is missing", "run the command again and tick every box")
	case token.RefreshToken == "":
		return nil, refusal("no refresh token came, although access_type=offline and prompt=consent were asked for",
			"take the app's access away at https://myaccount.google.com/connections and run the command again; in an organisation, "+
				"its administrator may have to trust the app")
	}
	file, err := o.Client.file(token.RefreshToken)
	if err != nil {
		return nil, err
	}
	c := &Credentials{Scopes: granted, file: file}
	for i, s := range granted {
		granted[i] = collectors.OneLine(s)
	}
	// Not in the documents, but in each answer to a client whose consent screen is in Testing.
	if n, ok := token.Extra("refresh_token_expires_in").(float64); ok && n > 0 && n < 1e9 {
		c.Lifetime = time.Duration(n) * time.Second
	}
	return c, nil
}
