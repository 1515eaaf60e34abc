package awsfault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/mailvane/mailvane/collectors"
)

// What a person can do about refusals by any service.
const (
	HintCredentials = "renew or correct the AWS credentials"
	// HintRole is for a role that cannot be assumed, HintNoCredentials for a process without any credentials.
	HintRole          = "the trust policy of role_arn must allow sts:AssumeRole to the credentials of this process"
	HintNoCredentials = "give the process AWS credentials: a role of its machine or pod, a profile, or the AWS_* variables"
)

// HintPermission is for a permission, such as ses:GetAccount, that the role or user lacks.
func HintPermission(action string) string {
	return "the policy of the role or user must allow " + action
}

// Service is what a collector knows of the service that it calls. Own and Known must be set.
type Service struct {
	// Name is what an answer that is not understood is not one of, such as "SQS".
	Name string
	// Prefix is left out of codes.
	Prefix string
	// Access, Signature and Endpoint are the hints when a permission is missing, when the signature is refused, and when
	// something else than the service seems to answer.
	Access, Signature, Endpoint string
	// Permission is the one permission that the call needs, empty when that is not known.
	Permission string
	// Own knows the errors of the collector itself, which carry nothing from outside; ok is false for others.
	Own func(err error) (f Finding, ok bool)
	// Known knows codes before those that all services share. Quote says that the message of the answer may be repeated:
	// it does not quote the request.
	Known func(code string) (f Finding, quote, ok bool)
}

// Finding is what an error means.
type Finding struct {
	Reason collectors.Reason
	Hint   string
	// Permission is the missing one, as in collectors.Error.
	Permission string
	// Err is what may be told. Known leaves it nil.
	Err error
}

// Fault makes the error of a pass, a *collectors.Error, out of that of a call. Source is the source's name, op what was
// attempted. The end of ctx is no fault of the source.
func (s Service) Fault(ctx context.Context, source, op string, err error, now time.Time) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", op, source, context.Cause(ctx))
	}
	f := s.classify(err)
	return &collectors.Error{
		Source: source, Op: op, Reason: f.Reason, Hint: f.Hint, Permission: f.Permission, Err: f.Err,
		RetryAfter: retryAfter(err, now),
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

// classify finds out what an error of the SDK means.
func (s Service) classify(err error) Finding {
	if e, ok := errors.AsType[*credentialsError](err); ok {
		return s.credentials(e)
	}
	if e, ok := errors.AsType[*silenceError](err); ok {
		return Finding{Reason: collectors.ReasonUnavailable, Err: e}
	}
	if f, ok := s.Own(err); ok {
		return f
	}
	status := statusOf(err)
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return s.answer(e, status)
	}
	if status != 0 && status != http.StatusOK {
		return s.status(status)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || status != 0 && isNetwork(err) {
		return Finding{Reason: collectors.ReasonUnavailable, Err: errors.New("the answer broke off")}
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok || status == http.StatusOK {
		return Finding{
			Reason: collectors.ReasonMalformed, Hint: s.Endpoint, Err: fmt.Errorf("the answer is not one of %s", s.Name),
		}
	}
	return s.network(err)
}

// credentials says what is wrong with credentials. When their provider itself cannot be reached just now, that is no fault
// of a person.
func (s Service) credentials(e *credentialsError) Finding {
	op, ok := errors.AsType[*smithy.OperationError](e.err)
	if !ok || op.ServiceID != "STS" {
		err := fmt.Errorf("get AWS credentials: %s", collectors.OneLine(e.err.Error()))
		return Finding{Reason: collectors.ReasonAuth, Hint: HintNoCredentials, Err: err}
	}
	f := s.classify(e.err)
	f.Err = fmt.Errorf("get AWS credentials from STS: %w", f.Err)
	if f.Reason.Permanent() {
		f.Reason, f.Hint, f.Permission = collectors.ReasonAuth, HintRole, ""
	}
	return f
}

// answer reads an error that the service, or STS, answered.
func (s Service) answer(e smithy.APIError, status int) Finding {
	code := strings.TrimPrefix(e.ErrorCode(), s.Prefix)
	f, quote, ok := s.Known(code)
	if !ok {
		f, quote, ok = s.common(code)
	}
	if !ok {
		f = s.status(status)
	}
	text := "the answer was " + collectors.OneLine(code)
	if status != 0 {
		text = fmt.Sprintf("%s (status %d)", text, status)
	}
	if quote && e.ErrorMessage() != "" {
		text += ": " + collectors.OneLine(e.ErrorMessage())
	}
	f.Err = errors.New(text)
	return f
}

// common says what a code of any service means, in the spellings of the protocols that services speak. A message that names
// who lacks what may be repeated; messages about signatures quote the request.
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html,
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html)
func (s Service) common(code string) (f Finding, quote, ok bool) {
	if isDenied(code) {
		return s.denied(), true, true
	}
	switch code {
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
		"InvalidAccessKeyId", "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return Finding{Reason: collectors.ReasonAuth, Hint: HintCredentials}, false, true
	case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException",
		"RequestExpired", "RequestTimeTooSkewed":
		return Finding{Reason: collectors.ReasonAuth, Hint: s.Signature}, false, true
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException", "SlowDown":
		return Finding{Reason: collectors.ReasonQuota}, false, true
	default:
		return Finding{}, false, false
	}
}

func isDenied(code string) bool {
	switch code {
	case "AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation", "OptInRequired":
		return true
	default:
		return false
	}
}

func (s Service) denied() Finding {
	return Finding{Reason: collectors.ReasonAuth, Hint: s.Access, Permission: s.Permission}
}

// status reads an answer that says no more than its status, such as a load balancer's.
func (s Service) status(status int) Finding {
	f := Finding{Reason: collectors.ReasonConfig, Hint: s.Endpoint}
	switch {
	case status == http.StatusTooManyRequests:
		f = Finding{Reason: collectors.ReasonQuota}
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		f = s.denied()
	case status == http.StatusNotFound:
		f.Reason = collectors.ReasonNotFound
	case status >= 500, status == http.StatusRequestTimeout:
		f = Finding{Reason: collectors.ReasonUnavailable}
	}
	f.Err = fmt.Errorf("the answer had status %d", status)
	return f
}

// network reads an error of the network, without the URL of the request. What is left is not foreseen.
func (s Service) network(err error) Finding {
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return Finding{Reason: collectors.ReasonUnavailable, Hint: s.Endpoint, Err: e}
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return Finding{Reason: collectors.ReasonUnavailable, Err: errors.New(collectors.OneLine(e.Err.Error()))}
	}
	if isNetwork(err) {
		return Finding{Reason: collectors.ReasonUnavailable, Err: errors.New(collectors.OneLine(err.Error()))}
	}
	return Finding{Reason: collectors.ReasonInternal, Err: errors.New(collectors.OneLine(err.Error()))}
}

func isNetwork(err error) bool {
	_, ok := errors.AsType[net.Error](err)
	return ok || errors.Is(err, io.EOF)
}

// statusOf is the status of the answer that err speaks of, 0 when there was none.
func statusOf(err error) int {
	if e, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && e.Response != nil {
		return e.HTTPStatusCode()
	}
	return 0
}

// retryAfter is how long the answer asked to be left alone (RFC 9110, section 10.2.3), 0 when it did not say.
func retryAfter(err error, now time.Time) time.Duration {
	e, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || e.Response == nil {
		return 0
	}
	return collectors.RetryAfter(e.Response.Header, now)
}
