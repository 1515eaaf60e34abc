package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/mailvane/mailvane/collectors"
)

// What a person can do about refusals.
const (
	hintAction      = "the policy of the role or user must allow "
	hintCredentials = "renew or correct the AWS credentials"
	hintSignature   = "check the secret key, the clock of this machine and the region"
	hintEndpoint    = "check the region; for a server that is not AWS look at the AWS_ENDPOINT_URL variables"
	hintRole        = "the trust policy of role_arn must allow sts:AssumeRole to the credentials of this process"
	hintNoCreds     = "give the process AWS credentials: a role of its machine or pod, a profile, or the AWS_* variables"
)

// silenceError is the cause of the end of a call that got no whole answer in time.
type silenceError struct{ after time.Duration }

func (e *silenceError) Error() string { return "no whole answer within " + e.after.String() }

// Timeout reports true, as errors of package net do.
func (e *silenceError) Timeout() bool { return true }

// oddError is an answer that cannot be meant. Its text is this package's own.
type oddError struct{ what string }

func (e *oddError) Error() string { return "the answer cannot be right: " + e.what }

// credentialsError is an error of the providers of credentials.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "get AWS credentials: " + e.err.Error() }

func (e *credentialsError) Unwrap() error { return e.err }

// Fault makes the error of a pass, a *collectors.Error, out of that of a call to any service of the account. Op is what was
// attempted, action the IAM action that it needs, for the hint. The text holds nothing of a request, because requests hold
// signatures and session tokens, and of an answer only what is known to be harmless. The end of ctx is no fault of the
// source.
func (a *Account) Fault(ctx context.Context, op, action string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", op, a.source, context.Cause(ctx))
	}
	f := classify(err, action)
	return &collectors.Error{
		Source: a.source, Op: op, Reason: f.reason, Hint: f.hint, Err: f.err, RetryAfter: a.retryAfter(err),
	}
}

// Denied says whether the error of a call is that a permission is missing, the credentials being well.
func Denied(err error) bool {
	if _, ok := errors.AsType[*credentialsError](err); ok {
		return false
	}
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && isDenied(e.ErrorCode())
}

// finding is what an error means.
type finding struct {
	reason collectors.Reason
	hint   string
	err    error
}

// classify finds out what an error of the SDK means.
func classify(err error, action string) finding {
	if e, ok := errors.AsType[*credentialsError](err); ok {
		return classifyCredentials(e)
	}
	if f, ok := classifyOwn(err); ok {
		return f
	}
	status := httpStatus(err)
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return classifyAnswer(e, status, action)
	}
	if status != 0 && status != http.StatusOK {
		return classifyStatus(status, action)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || status != 0 && isNetwork(err) {
		return finding{collectors.ReasonUnavailable, "", errors.New("the answer broke off")}
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok || status == http.StatusOK {
		return finding{collectors.ReasonMalformed, hintEndpoint, errors.New("the answer is not one of the service")}
	}
	return classifyNetwork(err)
}

// classifyOwn knows the errors of this package. They carry nothing from outside.
func classifyOwn(err error) (finding, bool) {
	if e, ok := errors.AsType[*tooLargeError](err); ok {
		return finding{collectors.ReasonMalformed, hintEndpoint, e}, true
	}
	if e, ok := errors.AsType[*oddError](err); ok {
		return finding{collectors.ReasonMalformed, hintEndpoint, e}, true
	}
	if e, ok := errors.AsType[*silenceError](err); ok {
		return finding{collectors.ReasonUnavailable, "", e}, true
	}
	return finding{}, false
}

// classifyCredentials says what is wrong with credentials. When their provider itself cannot be reached just now, that is
// no fault of a person.
func classifyCredentials(e *credentialsError) finding {
	op, ok := errors.AsType[*smithy.OperationError](e.err)
	if !ok || op.ServiceID != "STS" {
		err := fmt.Errorf("get AWS credentials: %s", collectors.OneLine(e.err.Error()))
		return finding{collectors.ReasonAuth, hintNoCreds, err}
	}
	f := classify(e.err, "sts:AssumeRole")
	f.err = fmt.Errorf("get AWS credentials from STS: %w", f.err)
	if f.reason.Permanent() {
		f.reason, f.hint = collectors.ReasonAuth, hintRole
	}
	return f
}

// classifyAnswer reads an error that a service answered.
func classifyAnswer(e smithy.APIError, status int, action string) finding {
	f, quote, ok := known(e.ErrorCode(), action)
	if !ok {
		f = classifyStatus(status, action)
	}
	text := "the answer was " + collectors.OneLine(e.ErrorCode())
	if status != 0 {
		text = fmt.Sprintf("%s (status %d)", text, status)
	}
	if quote && e.ErrorMessage() != "" {
		text += ": " + collectors.OneLine(e.ErrorMessage())
	}
	f.err = errors.New(text)
	return f
}

func isDenied(code string) bool {
	switch code {
	case "AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation", "OptInRequired":
		return true
	default:
		return false
	}
}

// known says what a code means, in the spellings of the protocols that the services speak. quote says that the message,
// which names who lacks what, may be repeated; messages about signatures quote the request.
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html)
func known(code, action string) (f finding, quote, ok bool) {
	if isDenied(code) {
		f = finding{reason: collectors.ReasonAuth, hint: hintAction + action}
		return f, true, true
	}
	switch code {
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
		"InvalidAccessKeyId", "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return finding{reason: collectors.ReasonAuth, hint: hintCredentials}, false, true
	case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException",
		"RequestExpired", "RequestTimeTooSkewed":
		return finding{reason: collectors.ReasonAuth, hint: hintSignature}, false, true
	case "InvalidAction", "UnknownOperationException", "UnsupportedOperation", "InvalidParameterValue",
		"InvalidParameterValueException", "InvalidParameterCombination", "ValidationError", "ValidationException",
		"MissingParameter", "BadRequestException":
		return finding{reason: collectors.ReasonConfig, hint: hintEndpoint}, true, true
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "LimitExceeded", "LimitExceededException", "LimitExceededFault",
		"SlowDown":
		return finding{reason: collectors.ReasonQuota}, false, true
	default:
		return finding{}, false, false
	}
}

// classifyStatus reads an answer that says no more than its status, such as a load balancer's.
func classifyStatus(status int, action string) finding {
	f := finding{reason: collectors.ReasonConfig, hint: hintEndpoint, err: fmt.Errorf("the answer had status %d", status)}
	switch {
	case status == http.StatusTooManyRequests:
		f.reason, f.hint = collectors.ReasonQuota, ""
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		f.reason, f.hint = collectors.ReasonAuth, hintAction+action
	case status == http.StatusNotFound:
		f.reason = collectors.ReasonNotFound
	case status >= 500, status == http.StatusRequestTimeout:
		f.reason, f.hint = collectors.ReasonUnavailable, ""
	}
	return f
}

// classifyNetwork reads an error of the network, without the URL of the request. What is left is not foreseen.
func classifyNetwork(err error) finding {
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return finding{collectors.ReasonUnavailable, hintEndpoint, e}
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return finding{collectors.ReasonUnavailable, "", errors.New(collectors.OneLine(e.Err.Error()))}
	}
	if isNetwork(err) {
		return finding{collectors.ReasonUnavailable, "", errors.New(collectors.OneLine(err.Error()))}
	}
	return finding{collectors.ReasonInternal, "", errors.New(collectors.OneLine(err.Error()))}
}

func isNetwork(err error) bool {
	_, ok := errors.AsType[net.Error](err)
	return ok || errors.Is(err, io.EOF)
}

// httpStatus is the status of the answer that err speaks of, 0 when there was none.
func httpStatus(err error) int {
	if e, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && e.Response != nil {
		return e.HTTPStatusCode()
	}
	return 0
}

// retryAfter is how long the answer asked to be left alone, 0 when it did not say.
func (a *Account) retryAfter(err error) time.Duration {
	e, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || e.Response == nil {
		return 0
	}
	return collectors.RetryAfter(e.Response.Header, a.now())
}
