package postmaster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/mailvane/mailvane/collectors"
)

// What a person can do about refusals.
const (
	hintNoCredentials = "name a credentials_file, or set GOOGLE_APPLICATION_CREDENTIALS"
	hintFile          = "make a new file with mailvane auth google, or download the service account's key"
	hintRevoked       = "run mailvane auth google again; while the consent screen of the Google project is in Testing, its " +
		"tokens end after 7 days: publish it, In production"
	hintKey        = "check that the service account and its key still exist, that subject is a user of the domain, and the clock of this machine"
	hintClient     = "the OAuth client of the credentials is gone or its secret was changed: run mailvane auth google with the client as it is now"
	hintDelegation = "in the Admin console, domain-wide delegation must allow the service account's client ID the scopes "
	hintScope      = "the token lacks a scope: run mailvane auth google again and tick every box; needed are "
	hintEnable     = "enable the Gmail Postmaster Tools API at https://console.cloud.google.com/apis/library/gmailpostmastertools.googleapis.com"
	hintProject    = "look at the quota project of the credentials: it must exist, and the caller needs serviceusage.services.use on it"
	hintQuota      = "ask less often, or have the quota of the Google project raised"
	hintAccount    = "renew the credentials; the account must have access to Postmaster Tools"
	hintEndpoint   = "check the endpoint"
	hintV1         = "Google is switching v1 off: use api: v2"
	hintMetric     = "the API seems to have changed; other metrics are not affected"
	hintNoAccess   = "at https://postmaster.google.com, verify the domains and give the account of the credentials access to them"
	hintNoDomains  = "add and verify domains at https://postmaster.google.com, or give the account access to them"
)

// failure is what went wrong with a call, or with a part of one.
type failure struct {
	reason     collectors.Reason
	hint       string
	retryAfter time.Duration
	err        error
	// whole says that further calls would fail too, so that the pass ends; else it may be the fault of one of the
	// domains or metrics that were asked for.
	whole bool
	// again says that the same call may succeed if made once more at once.
	again bool
	// expired says that the token was not taken.
	expired bool
	// access, when not empty, is the state of the domain that the answer tells.
	access string
	// divisible says that fewer metrics in one question may be answered.
	divisible bool
}

func (f *failure) Error() string { return f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// ended is the failure of a call that was cut short by the end of ctx, or that would be.
func ended(ctx context.Context, err error) *failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return &failure{reason: collectors.ReasonUnavailable, whole: true, err: err}
}

// silenceError is the cause of the end of a call that got no whole answer in time.
type silenceError struct{ after time.Duration }

func (e *silenceError) Error() string { return "no whole answer within " + e.after.String() }

// Timeout reports true, as errors of package net do.
func (e *silenceError) Timeout() bool { return true }

// timeout is an error that may be about a wait that was too long. A net.Error has a method more, which is deprecated.
type timeout interface {
	error
	Timeout() bool
}

// networkFailure is about a call that got no answer, or one that broke off. The text of a url.Error is not repeated: it
// holds the address of the call.
func networkFailure(err error) *failure {
	f := &failure{reason: collectors.ReasonUnavailable, again: true, whole: true}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		f.whole, f.err = false, errors.New("the answer broke off")
		return f
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		f.hint = hintEndpoint
	}
	if e, ok := errors.AsType[timeout](err); ok && e.Timeout() {
		f.again = false // it has taken long enough
	}
	if _, ok := errors.AsType[*silenceError](err); ok {
		f.whole = false // what was asked may be to blame
	}
	f.err = errors.New(collectors.OneLine(err.Error()))
	return f
}

// tokenFailure is about a token that could not be had.
func (c *Collector) tokenFailure(err error, kind google.CredentialsType) *failure {
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		f := &failure{reason: collectors.ReasonAuth, hint: hintFile, err: errors.New(collectors.OneLine(err.Error()))}
		if _, ok := errors.AsType[*url.Error](err); ok {
			f = networkFailure(err)
		}
		f.again, f.whole, f.err = false, true, fmt.Errorf("get a token: %w", f.err)
		return f
	}
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(e.Body, &body) // an answer that is no JSON is told by its status
	code := 0
	if e.Response != nil {
		code = e.Response.StatusCode
	}
	text := "get a token: the answer was " + collectors.OneLine(body.Error)
	if body.Error == "" {
		text = fmt.Sprintf("get a token: the answer had status %d", code)
	}
	if body.Description != "" && !strings.Contains(body.Description, "@") {
		text += ": " + collectors.OneLine(body.Description)
	}
	f := &failure{reason: collectors.ReasonAuth, hint: hintAccount, whole: true, err: errors.New(text)}
	switch body.Error {
	case "invalid_grant":
		f.hint = hintRevoked
		if kind == google.ServiceAccount {
			f.hint = hintKey
		}
	case "unauthorized_client", "access_denied", "invalid_scope":
		f.hint = hintDelegation + c.scopeNames()
		if kind != google.ServiceAccount {
			f.hint = hintScope + c.scopeNames()
		}
	case "invalid_client", "deleted_client", "disabled_client":
		f.hint = hintClient
	default:
		if code == http.StatusTooManyRequests {
			f.reason, f.hint = collectors.ReasonQuota, ""
		} else if code >= 500 {
			f.reason, f.hint = collectors.ReasonUnavailable, ""
		}
	}
	if e.Response != nil {
		f.retryAfter = collectors.RetryAfter(e.Response.Header, c.now())
	}
	return f
}

func (c *Collector) scopeNames() string { return strings.Join(Scopes(c.api, len(c.domains) == 0), " ") }

// answerFailure is about an answer with a status other than 200.
func (c *Collector) answerFailure(code int, h http.Header, body []byte) *failure {
	var e struct{ Error *status }
	foreign := json.Unmarshal(body, &e) != nil || e.Error == nil
	if foreign {
		e.Error = &status{}
	}
	f := c.statusFailure(code, e.Error)
	if foreign && code < 500 { // a proxy, or an address that is not the API's: it says nothing about a domain
		f.whole, f.access, f.divisible = true, "", false
	}
	f.retryAfter = collectors.RetryAfter(h, c.now())
	return f
}

// itemFailure is about one answer in a batch, whose code is one of google.rpc.Code.
func (c *Collector) itemFailure(s *status) *failure {
	http, ok := map[int]int{3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 11: 400, 12: 501, 16: 401}[s.Code]
	if !ok {
		http = 503
	}
	return c.statusFailure(http, s)
}

// statusFailure says what an HTTP status and the error that came with it mean.
func (c *Collector) statusFailure(code int, s *status) *failure {
	f := &failure{reason: collectors.ReasonConfig, hint: hintEndpoint, err: fmt.Errorf("the answer had status %d", code)}
	if s.Message != "" {
		f.err = fmt.Errorf("%w: %s", f.err, collectors.OneLine(s.Message))
	}
	switch {
	case code == http.StatusBadRequest:
		f.hint, f.divisible = hintMetric, true
	case code == http.StatusUnauthorized:
		f.reason, f.hint, f.whole, f.expired = collectors.ReasonAuth, hintAccount, true, true
	case code == http.StatusForbidden:
		c.forbidden(f, s)
	case code == http.StatusNotFound:
		f.reason, f.access = collectors.ReasonNotFound, AccessNotFound
	case code == http.StatusTooManyRequests:
		f.reason, f.hint, f.whole = collectors.ReasonQuota, hintQuota, true
	case code >= 500 || code == http.StatusRequestTimeout:
		f.reason, f.hint, f.again = collectors.ReasonUnavailable, "", true
	}
	if c.api == V1 && (code == http.StatusGone || code == http.StatusNotImplemented || code == http.StatusMethodNotAllowed) {
		f.reason, f.hint, f.whole, f.again = collectors.ReasonConfig, hintV1, true, false
	}
	return f
}

// forbidden tells apart the refusals of status 403 (https://docs.cloud.google.com/apis/docs/errors, ErrorReason).
func (c *Collector) forbidden(f *failure, s *status) {
	f.reason, f.hint = collectors.ReasonAuth, hintAccount
	for _, d := range s.Details {
		switch d.Reason {
		case "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
			f.hint, f.whole = hintScope+c.scopeNames(), true
			return
		case "SERVICE_DISABLED", "API_DISABLED":
			f.reason, f.hint, f.whole = collectors.ReasonConfig, enableHint(d.Metadata["consumer"], s.Message), true
			return
		case "CONSUMER_INVALID", "USER_PROJECT_DENIED", "BILLING_DISABLED", "CONSUMER_SUSPENDED":
			f.reason, f.hint, f.whole = collectors.ReasonConfig, hintProject, true
			return
		case "RATE_LIMIT_EXCEEDED", "RESOURCE_QUOTA_EXCEEDED":
			f.reason, f.hint, f.whole = collectors.ReasonQuota, hintQuota, true
			return
		}
	}
	f.access = AccessDenied
}

// enableHint links to the page of the project that the answer names: as "projects/1" in the metadata or in the message.
func enableHint(consumer, message string) string {
	project, ok := strings.CutPrefix(consumer, "projects/")
	if !ok {
		_, rest, _ := strings.Cut(message, " in project ")
		project, _, _ = strings.Cut(rest, " ")
	}
	odd := func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if project == "" || strings.ContainsFunc(project, odd) {
		return hintEnable
	}
	return hintEnable + "?project=" + project
}
