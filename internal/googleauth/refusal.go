package googleauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/mailvane/mailvane/collectors"
)

// RefusalError says that Google or the user gave no consent.
type RefusalError struct {
	why string
	// Hint says what to do.
	Hint string
}

// Error says what to do, too.
func (e *RefusalError) Error() string { return e.why + " (" + e.Hint + ")" }

func refusal(why, hint string) error { return &RefusalError{why, hint} }

const (
	hintAgain  = "run the command again"
	hintDenied = "press Continue and Allow; where Google itself says access_denied, the account is no test user of the app: add it, or " +
		"publish the app, at https://console.cloud.google.com/auth/audience"
	hintPolicy = "the administrator of the account's organisation must trust the app"
	hintClient = "download the client's file again, or make a new client of type Desktop app, at " + ClientsPage
)

// answerError is about an error that the browser brought (RFC 6749, section 4.1.2.1, and
// https://developers.google.com/identity/protocols/oauth2/native-app#authorization-errors).
func answerError(code string) error {
	why := "the answer was " + collectors.OneLine(code)
	switch code {
	case "access_denied":
		return refusal(why+": access was not allowed", hintDenied)
	case "admin_policy_enforced", "org_internal":
		return refusal(why, hintPolicy)
	case "unauthorized_client", "redirect_uri_mismatch", "invalid_client", "deleted_client":
		return refusal(why, hintClient)
	default:
		return refusal(why, hintAgain)
	}
}

// exchangeError is about a code that was not exchanged. The library's texts are not repeated: they hold whole answers.
func exchangeError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("exchange the code: %w", context.Cause(ctx))
	}
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return fmt.Errorf("exchange the code: %s", collectors.OneLine(err.Error()))
	}
	why := "exchange the code: the answer was " + collectors.OneLine(e.ErrorCode)
	if e.ErrorCode == "" && e.Response != nil {
		why = fmt.Sprintf("exchange the code: the answer had status %d", e.Response.StatusCode)
	}
	if e.ErrorDescription != "" {
		why += ": " + collectors.OneLine(e.ErrorDescription)
	}
	switch e.ErrorCode {
	case "invalid_client", "deleted_client", "disabled_client", "unauthorized_client", "redirect_uri_mismatch":
		return refusal(why, hintClient)
	default:
		return refusal(why, hintAgain)
	}
}
