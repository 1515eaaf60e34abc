package collectors

import (
	"fmt"
	"time"
)

// Reason says why a source could not be read: a bounded set that drives back-off and is an attribute of metrics.
type Reason string

// The reasons of an Error.
const (
	// ReasonAuth: credentials are missing, wrong, expired or lack a permission. A person must act.
	ReasonAuth Reason = "auth"
	// ReasonNotFound: the thing that is read does not exist. A person must act.
	ReasonNotFound Reason = "not_found"
	// ReasonConfig: the source refuses as it is set up (a disabled key, a wrong attribute). A person must act.
	ReasonConfig Reason = "config"
	// ReasonQuota: the source asks to be asked less.
	ReasonQuota Reason = "quota"
	// ReasonMalformed: the source's answer could not be understood.
	ReasonMalformed Reason = "malformed"
	// ReasonUnavailable: the source fails or cannot be reached.
	ReasonUnavailable Reason = "unavailable"
	// ReasonLedger: the source is well, but what it said could not be stored.
	ReasonLedger Reason = "ledger"
	// ReasonInternal: a fault of this program.
	ReasonInternal Reason = "internal"
)

// Permanent says whether the reason lasts until a person acts, so that asking often is of no use.
func (r Reason) Permanent() bool {
	return r == ReasonAuth || r == ReasonNotFound || r == ReasonConfig
}

// Error is a failed pass, or the failed part of one.
type Error struct {
	// Source is the source, Op what was attempted on it.
	Source, Op string
	Reason     Reason
	// Hint says what a person can do, empty when nothing.
	Hint string
	// Permission is the one permission that is known to be missing, such as the IAM action ses:GetAccount, else empty.
	Permission string
	// RetryAfter is how long the source asked to be left alone, 0 when it did not say.
	RetryAfter time.Duration
	Err        error
}

// Error names the source, what was attempted and the cause, and the hint after them.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %v", e.Op, e.Source, e.Err)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KeptError says that a batch was committed except for some messages, which the source must keep.
type KeptError struct {
	// Messages are their indexes in the batch's Messages.
	Messages []int
	Err      error
}

// Error says how many messages stay and why.
func (e *KeptError) Error() string {
	return fmt.Sprintf("%d messages stay at their source: %v", len(e.Messages), e.Err)
}

// Unwrap returns the cause.
func (e *KeptError) Unwrap() error { return e.Err }
