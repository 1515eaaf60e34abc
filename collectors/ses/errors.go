package ses

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

// What a person can do about refusals.
const (
	hintAccess = "the queue's policy or the role's must allow sqs:ReceiveMessage, sqs:DeleteMessage, " +
		"sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on the queue"
	hintQueue       = "check the queue's URL, account and region; a queue takes up to a minute to exist"
	hintKMS         = "the key's policy must allow kms:Decrypt to the role that reads the encrypted queue"
	hintKMSKey      = "look at the KMS key of the encrypted queue: enable it, or choose another for the queue"
	hintCredentials = "renew or correct the AWS credentials"
	hintSignature   = "check the secret key, the clock of this machine and the queue's region"
	hintEndpoint    = "check the queue's URL and region; for a server that is not AWS set AWS_ENDPOINT_URL_SQS"
	hintRole        = "the trust policy of role_arn must allow sts:AssumeRole to the credentials of this process"
	hintNoCreds     = "give the process AWS credentials: a role of its machine or pod, a profile, or the AWS_* variables"
	hintOverLimit   = "about 120,000 messages of the queue are in flight; do other readers receive without deleting?"
	hintLedger      = "earlier messages are still being stored"
)

// silenceError is the cause of the end of a call that got no whole answer in time.
type silenceError struct{ after time.Duration }

func (e *silenceError) Error() string { return "no whole answer within " + e.after.String() }

// Timeout reports true, as errors of package net do.
func (e *silenceError) Timeout() bool { return true }

// orCause returns why ctx ended if it did: the SDK reports the end, not its cause.
func orCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// fault makes the error of a pass out of that of a call. Its text holds nothing of a request, because requests hold
// signatures and session tokens, and of an answer only what is known to be harmless. The end of ctx is no fault of the
// queue.
func (c *Collector) fault(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", op, c.name, context.Cause(ctx))
	}
	f := classify(err)
	return &collectors.Error{
		Source: c.name, Op: op, Reason: f.reason, Hint: f.hint, Err: f.err, RetryAfter: retryAfter(err, c.now()),
	}
}

// finding is what an error means.
type finding struct {
	reason collectors.Reason
	hint   string
	err    error
}

// classify finds out what an error of the SDK means.
func classify(err error) finding {
	if e, ok := errors.AsType[*credentialsError](err); ok {
		return classifyCredentials(e)
	}
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return classifyAnswer(e, statusOf(err))
	}
	if f, ok := classifyOwn(err); ok {
		return f
	}
	status := statusOf(err)
	if status != 0 && status != http.StatusOK {
		return classifyStatus(status)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || status != 0 && isNetwork(err) {
		return finding{collectors.ReasonUnavailable, "", errors.New("the answer broke off")}
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return finding{collectors.ReasonMalformed, hintEndpoint, errors.New("the answer is not one of SQS")}
	}
	return classifyNetwork(err)
}

// classifyOwn knows the errors of this package. They carry nothing from outside.
func classifyOwn(err error) (finding, bool) {
	if e, ok := errors.AsType[*tooLargeError](err); ok {
		return finding{collectors.ReasonMalformed, hintEndpoint, e}, true
	}
	if e, ok := errors.AsType[*extraMessagesError](err); ok {
		return finding{collectors.ReasonMalformed, hintEndpoint, e}, true
	}
	if e, ok := errors.AsType[*noRoomError](err); ok {
		return finding{collectors.ReasonLedger, hintLedger, e}, true
	}
	if e, ok := errors.AsType[*silenceError](err); ok {
		return finding{collectors.ReasonUnavailable, "", e}, true
	}
	if e, ok := errors.AsType[*entriesError](err); ok {
		return finding{collectors.ReasonUnavailable, "", e}, true
	}
	return finding{}, false
}

// classifyCredentials says what is wrong with credentials. When their provider itself cannot be reached just now, that is
// no fault of a person.
func classifyCredentials(e *credentialsError) finding {
	f := finding{collectors.ReasonAuth, hintNoCreds, fmt.Errorf("get AWS credentials: %s", collectors.OneLine(e.err.Error()))}
	op, ok := errors.AsType[*smithy.OperationError](e.err)
	if !ok || op.ServiceID != "STS" {
		return f
	}
	f = classify(e.err)
	f.err = fmt.Errorf("get AWS credentials from STS: %w", f.err)
	if f.reason.Permanent() {
		f.reason, f.hint = collectors.ReasonAuth, hintRole
	}
	return f
}

// classifyAnswer reads an error that SQS, or STS, answered.
func classifyAnswer(e smithy.APIError, status int) finding {
	code := strings.TrimPrefix(e.ErrorCode(), "AWS.SimpleQueueService.")
	f, quote, ok := known(code)
	if !ok {
		f = classifyStatus(status)
	}
	text := "the answer was " + collectors.OneLine(code)
	if status != 0 {
		text = fmt.Sprintf("%s (status %d)", text, status)
	}
	if quote && e.ErrorMessage() != "" {
		text += ": " + collectors.OneLine(e.ErrorMessage())
	}
	f.err = errors.New(text)
	return f
}

// known says what a code means, in the spelling of the JSON protocol and in that of the query protocol, which SQS sends
// beside it. quote says that the message, which names who lacks what, may be repeated; messages about signatures quote the
// request. (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html#API_ReceiveMessage_Errors,
// …/CommonErrors.html).
func known(code string) (f finding, quote, ok bool) {
	switch code {
	case "QueueDoesNotExist", "NonExistentQueue", "QueueDeletedRecently":
		return finding{reason: collectors.ReasonNotFound, hint: hintQueue}, false, true
	case "AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation", "OptInRequired":
		return finding{reason: collectors.ReasonAuth, hint: hintAccess}, true, true
	case "KmsAccessDenied", "KMS.AccessDeniedException":
		return finding{reason: collectors.ReasonAuth, hint: hintKMS}, true, true
	case "KmsDisabled", "KmsNotFound", "KmsInvalidState", "KmsInvalidKeyUsage", "KmsOptInRequired", "KMS.DisabledException",
		"KMS.NotFoundException", "KMS.InvalidStateException", "KMS.InvalidKeyUsageException", "KMS.OptInRequired":
		return finding{reason: collectors.ReasonConfig, hint: hintKMSKey}, true, true
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
		"InvalidAccessKeyId", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "InvalidSecurity":
		return finding{reason: collectors.ReasonAuth, hint: hintCredentials}, false, true
	case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException",
		"RequestExpired", "RequestTimeTooSkewed":
		return finding{reason: collectors.ReasonAuth, hint: hintSignature}, false, true
	case "InvalidAddress", "UnsupportedOperation", "InvalidAction", "UnknownOperationException":
		return finding{reason: collectors.ReasonConfig, hint: hintEndpoint}, false, true
	case "OverLimit":
		return finding{reason: collectors.ReasonQuota, hint: hintOverLimit}, false, true
	case "RequestThrottled", "RequestThrottledException", "Throttling", "ThrottlingException", "ThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException", "SlowDown", "KmsThrottled",
		"KMS.ThrottlingException":
		return finding{reason: collectors.ReasonQuota}, false, true
	default:
		return finding{}, false, false
	}
}

// classifyStatus reads an answer that says no more than its status, such as a load balancer's.
func classifyStatus(status int) finding {
	f := finding{reason: collectors.ReasonConfig, hint: hintEndpoint, err: fmt.Errorf("the answer had status %d", status)}
	switch {
	case status == http.StatusTooManyRequests:
		f.reason, f.hint = collectors.ReasonQuota, ""
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		f.reason, f.hint = collectors.ReasonAuth, hintAccess
	case status == http.StatusNotFound:
		f.reason, f.hint = collectors.ReasonNotFound, hintEndpoint
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
