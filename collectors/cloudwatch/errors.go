package cloudwatch

import (
	"context"
	"errors"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
)

// What a person can do about refusals.
const (
	hintSignature = "check the secret key, the clock of this machine and the region"
	hintEndpoint  = "check the region; for a server that is not AWS look at the AWS_ENDPOINT_URL variables"
)

// oddError is an answer that cannot be meant. Its text is this package's own.
type oddError struct{ what string }

func (e *oddError) Error() string { return "the answer cannot be right: " + e.what }

// Fault makes the error of a pass, a *collectors.Error, out of that of a call to any service of the account. Op is what was
// attempted, action the IAM action that it needs, which is the error's Permission when it is missing. The end of ctx is no
// fault of the source.
func (a *Account) Fault(ctx context.Context, op, action string, err error) error {
	service := awsfault.Service{
		Name: "the service", Access: awsfault.HintPermission(action), Signature: hintSignature, Endpoint: hintEndpoint,
		Permission: action, Own: own, Known: known,
	}
	return service.Fault(ctx, a.source, op, err, a.now())
}

// own knows the errors of this package.
func own(err error) (awsfault.Finding, bool) {
	if e, ok := errors.AsType[*tooLargeError](err); ok {
		return awsfault.Finding{Reason: collectors.ReasonMalformed, Hint: hintEndpoint, Err: e}, true
	}
	if e, ok := errors.AsType[*oddError](err); ok {
		return awsfault.Finding{Reason: collectors.ReasonMalformed, Hint: hintEndpoint, Err: e}, true
	}
	return awsfault.Finding{}, false
}

// known says what the codes mean that a question gets which the service does not take, and those of its other limits.
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html)
func known(code string) (f awsfault.Finding, quote, ok bool) {
	switch code {
	case "InvalidAction", "UnknownOperationException", "UnsupportedOperation", "InvalidParameterValue",
		"InvalidParameterValueException", "InvalidParameterCombination", "ValidationError", "ValidationException",
		"MissingParameter", "BadRequestException":
		return awsfault.Finding{Reason: collectors.ReasonConfig, Hint: hintEndpoint}, true, true
	case "LimitExceeded", "LimitExceededFault":
		return awsfault.Finding{Reason: collectors.ReasonQuota}, false, true
	default:
		return awsfault.Finding{}, false, false
	}
}
