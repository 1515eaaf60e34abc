package sesmail

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/collectors"
)

const (
	refused     = alerts.DeliveryRefused
	auth        = alerts.DeliveryAuth
	quota       = alerts.DeliveryQuota
	unavailable = alerts.DeliveryUnavailable
)

// maxRetryAfter bounds what an answer may ask for, so that none can silence a notifier for good.
const maxRetryAfter = time.Hour

// silenceError is the cause of the end of a call that got no answer in time.
type silenceError struct{ after time.Duration }

func (e *silenceError) Error() string { return "no answer within " + e.after.String() }

// Timeout reports true, as errors of package net do.
func (e *silenceError) Timeout() bool { return true }

// credentialsError is an error of the providers of credentials.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "get AWS credentials: " + e.err.Error() }

func (e *credentialsError) Unwrap() error { return e.err }

// finding is what an error means.
type finding struct {
	reason alerts.DeliveryReason
	text   string
	after  time.Duration
}

func (s *Sender) fail(f finding) error {
	return &alerts.DeliveryError{
		Notifier: s.notifier, Reason: f.reason, RetryAfter: f.after, Err: errors.New("send through SES: " + f.text),
	}
}

// classify finds out what an error of the SDK means. It repeats codes, and nothing of a request or of what SES says of it.
func (s *Sender) classify(err error) finding {
	prefix := ""
	failed, credentials := errors.AsType[*credentialsError](err)
	if credentials {
		prefix, err = "get AWS credentials: ", failed.err
	}
	var f finding
	response, _ := errors.AsType[*smithyhttp.ResponseError](err)
	answer, answered := errors.AsType[smithy.APIError](err)
	switch {
	case answered:
		f = known(answer.ErrorCode(), statusOf(response))
	case statusOf(response) != 0:
		f = finding{reason: byStatus(statusOf(response)), text: fmt.Sprintf("the answer had status %d", statusOf(response))}
	case credentials:
		f = finding{reason: auth, text: "there are none; " + hintCredentials}
	default:
		f = finding{reason: unavailable, text: network(err)}
	}
	// That a role may not be assumed is about the credentials, whatever STS calls it.
	if credentials && f.reason == refused {
		f.reason = auth
	}
	if response != nil && response.Response != nil {
		f.after = min(collectors.RetryAfter(response.Response.Header, s.now()), maxRetryAfter)
	}
	f.text = prefix + f.text
	return f
}

func statusOf(e *smithyhttp.ResponseError) int {
	if e == nil || e.Response == nil {
		return 0
	}
	return e.HTTPStatusCode()
}

const hintCredentials = "give the process a role, a profile or the AWS_* variables"

// known says what a code of SES or STS means. What a person can mend is tried on; only what speaks of this one mail is refused.
// (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors)
func known(code string, status int) finding {
	f := finding{text: "the answer was " + delivery.Line(code)}
	hint := ""
	switch code {
	case "AccessDenied", "AccessDeniedException", "NotAuthorized":
		f.reason, hint = auth, "the policy must allow ses:SendEmail and ses:SendRawEmail, the trust policy of a role sts:AssumeRole"
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId":
		f.reason, hint = auth, "renew or correct the AWS credentials"
	case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignatureException", "MissingAuthenticationTokenException":
		f.reason, hint = auth, "check the secret key, the clock of this machine and the region"
	case "MessageRejected":
		f.reason, hint = refused, "verify the sender in this region, and while the account is in the sandbox the recipients too"
	case "MailFromDomainNotVerifiedException":
		f.reason, hint = auth, "verify the MAIL FROM domain"
	case "AccountSuspendedException", "SendingPausedException":
		f.reason, hint = auth, "SES lets the account or the configuration set send nothing; another way out is needed for such alerts"
	case "NotFoundException":
		f.reason, hint = auth, "check the configuration set"
	case "LimitExceededException", "TooManyRequestsException", "Throttling", "ThrottlingException", "RequestThrottled":
		f.reason = quota
	default:
		f.reason = byStatus(status)
	}
	if hint != "" {
		f.text += "; " + hint
	}
	return f
}

func byStatus(status int) alerts.DeliveryReason {
	switch {
	case status == http.StatusTooManyRequests:
		return quota
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
		return auth
	case status == http.StatusRequestTimeout, status >= 500, status < 400:
		return unavailable
	default:
		return refused
	}
}

// network reads an error of the network, without the address of the request.
func network(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return delivery.Line(e.Err.Error())
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return delivery.Line(e.Error())
	}
	return "no answer that can be understood"
}
