package smtp

import (
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/mailbox"
)

// stage says what was attempted.
type stage string

const (
	stageCompose   stage = "compose"
	stageSecret    stage = "find credentials"
	stageConnect   stage = "connect"
	stageGreeting  stage = "greet"
	stageTLS       stage = "start TLS"
	stageAuth      stage = "authenticate"
	stageSender    stage = "name the sender"
	stageRecipient stage = "name a recipient"
	stageData      stage = "hand over"
)

var (
	errNoTLS   = errors.New("the server offers no STARTTLS, and nothing is sent in the clear")
	errNoAuth  = errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN")
	errTooMuch = errors.New("the server says more than any server should")
)

// silenceError is the cause of the end of a conversation that took too long.
type silenceError struct{ after time.Duration }

func (e *silenceError) Error() string { return "not done within " + e.after.String() }

// Timeout reports true, as errors of package net do.
func (e *silenceError) Timeout() bool { return true }

// fault is what went wrong, and where. Its err may hold what nobody is to see.
type fault struct {
	stage stage
	// recipient counts the recipients from 1; 0 when it is about no single one.
	recipient int
	err       error
}

func (f *fault) Error() string { return string(f.stage) }

// reply is the server's, nil when it is none of the server's.
func (f *fault) reply() *textproto.Error {
	e, _ := errors.AsType[*textproto.Error](f.err)
	return e
}

// status is the enhanced code at the start of a reply's text (RFC 3463).
var status = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// code is the reply's code with the enhanced one, for people; empty when there was no reply.
func (f *fault) code() string {
	r := f.reply()
	if r == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.Code, status.FindString(r.Msg)))
}

// reason says what a fault means to whoever would send the mail again.
func (f *fault) reason() alerts.DeliveryReason {
	switch f.stage {
	case stageCompose:
		return alerts.DeliveryRefused
	case stageSecret:
		return alerts.DeliveryAuth
	}
	if errors.Is(f.err, errNoAuth) || errors.Is(f.err, errAsksOn) {
		return alerts.DeliveryAuth
	}
	r := f.reply()
	if r == nil {
		return alerts.DeliveryUnavailable
	}
	switch {
	// SES slows a sender down with 454 in the place of a mail (https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html);
	// to AUTH it means that passwords cannot be checked just now (RFC 4954, section 6).
	case r.Code == 454 && f.stage != stageAuth && f.stage != stageTLS:
		return alerts.DeliveryQuota
	case r.Code/100 != 5, f.stage == stageTLS, f.stage == stageGreeting:
		return alerts.DeliveryUnavailable
	// 530 and 535 are about who sends (RFC 4954, section 6); so is a refused sender. A person can mend that, and then the mail
	// goes out.
	case f.stage == stageAuth, f.stage == stageSender, r.Code == 530, r.Code == 535:
		return alerts.DeliveryAuth
	default:
		return alerts.DeliveryRefused
	}
}

// worst is the fault that speaks for several: one that may pass before one that will not, because then trying again is
// worth it.
func worst(all []*fault) error {
	for _, f := range all {
		if f.reason() != alerts.DeliveryRefused {
			return f
		}
	}
	return all[0]
}

// fail makes the error of a notifier. Secrets are what no error may repeat.
func (s *Server) fail(err error, secrets []string) error {
	f, ok := errors.AsType[*fault](err)
	if !ok {
		f = &fault{stage: stageConnect, err: err}
	}
	text := string(f.stage)
	if f.recipient > 0 {
		text = fmt.Sprintf("name recipient %d", f.recipient)
	}
	return &alerts.DeliveryError{
		Notifier: s.Notifier, Reason: f.reason(), Err: fmt.Errorf("%s at %s: %s", text, s.Address, f.words(secrets)),
	}
}

// words say what happened without naming anybody.
func (f *fault) words(secrets []string) string {
	r := f.reply()
	if r == nil {
		if errors.Is(f.err, io.EOF) || errors.Is(f.err, io.ErrUnexpectedEOF) {
			return "the server hung up"
		}
		return harmless(f.err.Error(), secrets)
	}
	text := "the server replied " + f.code()
	if f.stage == stageAuth {
		return text // what it says to a password may hold it
	}
	said := harmless(strings.TrimSpace(status.ReplaceAllString(r.Msg, "")), secrets)
	if said != "" {
		text += ": " + said
	}
	return text
}

// shortest is the length from which on something is looked for in a text; shorter ones are in too many words.
const shortest = 3

// harmless redacts a text, and drops one that still holds a secret.
func harmless(text string, secrets []string) string {
	text = mailbox.Redact(text, secrets...)
	for _, s := range secrets {
		if len(s) >= shortest && strings.Contains(strings.ToLower(text), strings.ToLower(s)) {
			return ""
		}
	}
	return text
}
