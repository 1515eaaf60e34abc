package ses

import (
	"context"
	"errors"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
)

// What a person can do about refusals.
const (
	hintAccess = "the queue's policy or the role's must allow sqs:ReceiveMessage, sqs:DeleteMessage, " +
		"sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on the queue"
	hintQueue     = "check the queue's URL, account and region; a queue takes up to a minute to exist"
	hintKMS       = "the key's policy must allow kms:Decrypt to the role that reads the encrypted queue"
	hintKMSKey    = "look at the KMS key of the encrypted queue: enable it, or choose another for the queue"
	hintSignature = "check the secret key, the clock of this machine and the queue's region"
	hintEndpoint  = "check the queue's URL and region; for a server that is not AWS set AWS_ENDPOINT_URL_SQS"
	hintOverLimit = "about 120,000 messages of the queue are in flight; do other readers receive without deleting?"
	hintLedger    = "earlier messages are still being stored"
)

// fault makes the error of a pass out of that of a call.
func (c *Collector) fault(ctx context.Context, op string, err error) error {
	service := awsfault.Service{
		Name: "SQS", Prefix: "AWS.SimpleQueueService.",
		Access: hintAccess, Signature: hintSignature, Endpoint: hintEndpoint,
		Own: own, Known: known,
	}
	return service.Fault(ctx, c.name, op, err, c.now())
}

// own knows the errors of this package.
func own(err error) (awsfault.Finding, bool) {
	if e, ok := errors.AsType[*tooLargeError](err); ok {
		return awsfault.Finding{Reason: collectors.ReasonMalformed, Hint: hintEndpoint, Err: e}, true
	}
	if e, ok := errors.AsType[*extraMessagesError](err); ok {
		return awsfault.Finding{Reason: collectors.ReasonMalformed, Hint: hintEndpoint, Err: e}, true
	}
	if e, ok := errors.AsType[*noRoomError](err); ok {
		return awsfault.Finding{Reason: collectors.ReasonLedger, Hint: hintLedger, Err: e}, true
	}
	if e, ok := errors.AsType[*entriesError](err); ok {
		return awsfault.Finding{Reason: collectors.ReasonUnavailable, Err: e}, true
	}
	return awsfault.Finding{}, false
}

// known says what the codes of queues and their keys mean, in the spelling of the JSON protocol and in that of the query
// protocol, which SQS sends beside it.
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html#API_ReceiveMessage_Errors)
func known(code string) (f awsfault.Finding, quote, ok bool) {
	switch code {
	case "QueueDoesNotExist", "NonExistentQueue", "QueueDeletedRecently":
		return awsfault.Finding{Reason: collectors.ReasonNotFound, Hint: hintQueue}, false, true
	case "KmsAccessDenied", "KMS.AccessDeniedException":
		return awsfault.Finding{Reason: collectors.ReasonAuth, Hint: hintKMS}, true, true
	case "KmsDisabled", "KmsNotFound", "KmsInvalidState", "KmsInvalidKeyUsage", "KmsOptInRequired", "KMS.DisabledException",
		"KMS.NotFoundException", "KMS.InvalidStateException", "KMS.InvalidKeyUsageException", "KMS.OptInRequired":
		return awsfault.Finding{Reason: collectors.ReasonConfig, Hint: hintKMSKey}, true, true
	case "InvalidSecurity":
		return awsfault.Finding{Reason: collectors.ReasonAuth, Hint: awsfault.HintCredentials}, false, true
	case "InvalidAddress", "UnsupportedOperation", "InvalidAction", "UnknownOperationException":
		return awsfault.Finding{Reason: collectors.ReasonConfig, Hint: hintEndpoint}, false, true
	case "OverLimit":
		return awsfault.Finding{Reason: collectors.ReasonQuota, Hint: hintOverLimit}, false, true
	case "KmsThrottled", "KMS.ThrottlingException":
		return awsfault.Finding{Reason: collectors.ReasonQuota}, false, true
	default:
		return awsfault.Finding{}, false, false
	}
}
