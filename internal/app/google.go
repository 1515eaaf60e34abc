package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/internal/googleauth"
)

// GoogleOptions say whose consent to obtain, and for what.
type GoogleOptions struct {
	Environment
	// ClientFile is the OAuth client as the Google Cloud console hands it out.
	ClientFile string
	// ConfigFile, when not empty, is a configuration that names the account: where its credentials go, and what is read.
	ConfigFile string
	// File is where the credentials go, by default where ConfigFile says, else DefaultGoogleFile. Force replaces a file that is
	// there.
	File  string
	Force bool
	// API is the version that will be read. ConfigFile goes before it.
	API postmaster.API
	// Browse, when not nil, opens an address in the user's browser.
	Browse func(ctx context.Context, address string) error
	// Timeout is how long the user may take.
	Timeout time.Duration
	// Out is where the user is told what to do.
	Out io.Writer
}

// DefaultGoogleFile is where credentials go when nothing says otherwise.
const DefaultGoogleFile = "postmaster.json"

// AuthGoogle obtains a user's consent to read Postmaster Tools and stores the credentials that come of it.
func AuthGoogle(ctx context.Context, o GoogleOptions) (err error) {
	scopes, err := o.complete()
	if err != nil {
		return err
	}
	client, err := googleauth.ReadClient(o.ClientFile)
	if err != nil {
		return err
	}
	place, err := googleauth.Reserve(o.File, o.Force)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	got, err := googleauth.Obtain(ctx, googleauth.Options{
		Client: client, Scopes: scopes, Timeout: o.Timeout,
		Show: func(address string, port int) {
			fmt.Fprintf(o.Out, askText, address, strings.Join(scopeNames(scopes), " and "), strings.TrimSuffix(o.Timeout.String(), "0s"), port)
			if o.Browse != nil && o.Browse(ctx, address) != nil {
				fmt.Fprintln(o.Out, "No browser could be opened here.")
			}
		},
	})
	if err != nil {
		return err
	}
	if err := place.Store(got); err != nil {
		return err
	}
	_, err = fmt.Fprint(o.Out, o.stored(got))
	return err
}

const askText = `Open this address in a browser, as the Google user who sees the domains at https://postmaster.google.com:

  %s

You will be asked to allow %s.
The answer is awaited for %s, on this machine. If the browser is on another one, forward the port first:

  ssh -N -L %[4]d:127.0.0.1:%[4]d THIS-MACHINE

`

// complete fills in what was not said, and returns the scopes that are needed.
func (o *GoogleOptions) complete() (scopes []string, err error) {
	if o.ConfigFile != "" {
		return o.fromConfig()
	}
	o.File = cmp.Or(o.File, DefaultGoogleFile)
	return postmaster.Scopes(o.API, true), nil
}

// AccountError says that a configuration does not tell which account is meant.
type AccountError struct{ text string }

// Error says what to write instead.
func (e *AccountError) Error() string { return e.text }

// fromConfig finds the account that is meant, the one with the file or the only one with any, and what it needs. Several
// accounts may have one file.
func (o *GoogleOptions) fromConfig() (scopes []string, err error) {
	c, err := CommandOptions{o.Environment, o.ConfigFile}.config()
	if err != nil {
		return nil, err
	}
	var files []string
	for _, a := range c.Collectors.Postmaster {
		file := string(a.CredentialsFile)
		if file == "" || a.Subject != "" || o.File != "" && !samePath(file, o.File) {
			continue
		}
		files = append(files, file)
		scopes = append(scopes, postmaster.Scopes(postmaster.API(a.API), len(a.Domains) == 0)...)
	}
	slices.Sort(files)
	files = slices.Compact(files)
	text := ""
	switch {
	case len(files) > 1:
		text = fmt.Sprintf("%s names several files of credentials; say with --out which is meant: %s", o.ConfigFile, strings.Join(files, ", "))
	case len(files) == 0 && o.File != "":
		text = fmt.Sprintf("%s has no Google account with the credentials_file %s", o.ConfigFile, o.File)
	case len(files) == 0:
		text = fmt.Sprintf("%s has no Google account with a credentials_file; write collectors: {postmaster: [{credentials_file: %s}]}",
			o.ConfigFile, DefaultGoogleFile)
	}
	if text != "" {
		return nil, &AccountError{text}
	}
	o.File = files[0]
	slices.Sort(scopes)
	return slices.Compact(scopes), nil
}

func samePath(a, b string) bool {
	a, err1 := filepath.Abs(a)
	b, err2 := filepath.Abs(b)
	return err1 == nil && err2 == nil && a == b
}

// scopeNames are scopes without what all of Google's have in common.
func scopeNames(scopes []string) []string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = strings.TrimPrefix(s, "https://www.googleapis.com/auth/")
	}
	return names
}

// stored says what became of it, and when it ends.
func (o *GoogleOptions) stored(c *googleauth.Credentials) string {
	text := fmt.Sprintf("%s: stored, to be read by its owner alone.\n\n", o.File)
	if c.Lifetime > 0 {
		text += fmt.Sprintf(endText, o.Now().Add(c.Lifetime).UTC().Format("2006-01-02 15:04 MST"))
	} else {
		text += noEndText
	}
	text += publishText
	if o.ConfigFile == "" {
		return text + fmt.Sprintf(nextText, o.File)
	}
	return text + fmt.Sprintf("Try it:\n\n  mailvane check --config %s --online\n", o.ConfigFile)
}

const (
	endText   = "THIS ACCESS ENDS ON %s, because the consent screen of the Google project is in Testing:\n"
	noEndText = "Google told no end of this access. Should it end after seven days all the same, the consent screen of the Google\n" +
		"project is in Testing: "
	publishText = `publish the app, so that its status is "In production"
(https://console.cloud.google.com/auth/audience), and run this command again with --force. It needs no verification
by Google for your own use.

`
	nextText = `Name the file in the configuration, and try it:

  collectors: {postmaster: [{credentials_file: %s}]}

  mailvane check --online
`
)
