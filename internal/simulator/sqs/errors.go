package sqs

import (
	"fmt"
	"net/http"
)

// apiError is an error as SQS answers it.
type apiError struct {
	status int
	// shape is the type of the JSON protocol; code is the older name, which the header x-amzn-query-error carries and
	// which SDKs report in its place.
	shape, code, message string
	// fault is Sender or Receiver.
	fault string
}

// modelled holds the error shapes of the SQS API model with their code in the query protocol and their usual text.
var modelled = map[string]struct{ code, message string }{
	"BatchEntryIdsNotDistinct": {"AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
		"Two or more batch entries in the request have the same Id."},
	"BatchRequestTooLong": {"AWS.SimpleQueueService.BatchRequestTooLong",
		"Batch requests cannot be longer than 1048576 bytes."},
	"EmptyBatchRequest": {"AWS.SimpleQueueService.EmptyBatchRequest",
		"There should be at least one entry in the request."},
	"InvalidAttributeName": {"InvalidAttributeName", "Unknown Attribute."},
	"InvalidBatchEntryId": {"AWS.SimpleQueueService.InvalidBatchEntryId",
		"A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."},
	"InvalidMessageContents": {"InvalidMessageContents", "Message contains characters outside the allowed set."},
	"KmsAccessDenied": {"KMS.AccessDeniedException",
		"The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."},
	"KmsDisabled":            {"KMS.DisabledException", "The key is disabled."},
	"KmsInvalidKeyUsage":     {"KMS.InvalidKeyUsageException", "The key usage is not ENCRYPT_DECRYPT."},
	"KmsInvalidState":        {"KMS.InvalidStateException", "The key is pending deletion."},
	"KmsNotFound":            {"KMS.NotFoundException", "The key does not exist."},
	"KmsOptInRequired":       {"KMS.OptInRequired", "The key needs a subscription for the service."},
	"KmsThrottled":           {"KMS.ThrottlingException", "The rate of requests to the key is too high."},
	"MessageNotInflight":     {"AWS.SimpleQueueService.MessageNotInflight", "The message referred to is not in flight."},
	"OverLimit":              {"OverLimit", "Too many messages are in flight in the queue."},
	"QueueDoesNotExist":      {"AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."},
	"ReceiptHandleIsInvalid": {"ReceiptHandleIsInvalid", "The input receipt handle is invalid."},
	"RequestThrottled":       {"RequestThrottled", "Rate exceeded (synthetic)"},
	"UnsupportedOperation":   {"AWS.SimpleQueueService.UnsupportedOperation", "Unsupported operation."},
	"InvalidParameterValue":  {"InvalidParameterValue", "A value is invalid."},
	"MissingParameter":       {"MissingParameter", "The request must contain the parameter."},
	"InternalFailure":        {"InternalFailure", "The request processing has failed due to an unknown error."},
	"ServiceUnavailable":     {"ServiceUnavailable", "The request has failed due to a temporary failure of the server."},
	"AccessDenied":           {"AccessDenied", "Access to the resource is denied."},
	"ExpiredToken":           {"ExpiredToken", "The security token included in the request is expired."},
	"SignatureDoesNotMatch":  {"SignatureDoesNotMatch", "Credential should be scoped to a valid region."},
	"IncompleteSignature":    {"IncompleteSignature", "Authorization header requires Credential, SignedHeaders and Signature."},
	"UnknownOperation":       {"InvalidAction", "The action is not valid for this endpoint."},
	"SerializationException": {"MalformedInput", "The request could not be read."},
	"TooManyEntriesInBatchRequest": {"AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
		"Maximum number of entries per request are 10."},
}

// coralShapes are errors of AWS's service framework, not of the SQS model: they have other type names.
var coralShapes = map[string]string{
	"InvalidParameterValue":  "com.amazon.coral.service#InvalidParameterValueException",
	"MissingParameter":       "com.amazon.coral.service#MissingRequiredParameterException",
	"InternalFailure":        "com.amazon.coral.service#InternalFailure",
	"ServiceUnavailable":     "com.amazon.coral.service#ServiceUnavailableException",
	"AccessDenied":           "com.amazon.coral.service#AccessDeniedException",
	"ExpiredToken":           "com.amazon.coral.service#ExpiredTokenException",
	"SignatureDoesNotMatch":  "com.amazon.coral.service#InvalidSignatureException",
	"IncompleteSignature":    "com.amazon.coral.service#IncompleteSignatureException",
	"UnknownOperation":       "com.amazon.coral.service#UnknownOperationException",
	"SerializationException": "com.amazon.coral.service#SerializationException",
}

// newError makes the error of that name with its usual text.
func newError(name string) *apiError {
	known, ok := modelled[name]
	if !ok {
		known.code, known.message = name, "An injected error."
	}
	e := &apiError{status: http.StatusBadRequest, shape: "com.amazonaws.sqs#" + name, code: known.code,
		message: known.message, fault: "Sender"}
	if shape, ok := coralShapes[name]; ok {
		e.shape = shape
	}
	switch name {
	case "AccessDenied", "ExpiredToken", "SignatureDoesNotMatch":
		e.status = http.StatusForbidden
	case "InternalFailure":
		e.status, e.fault = http.StatusInternalServerError, "Receiver"
	case "ServiceUnavailable":
		e.status, e.fault = http.StatusServiceUnavailable, "Receiver"
	}
	return e
}

// errorf makes the error of that name with a text of its own.
func errorf(name, format string, args ...any) *apiError {
	e := newError(name)
	e.message = fmt.Sprintf(format, args...)
	return e
}

// Error makes apiError an error.
func (e *apiError) Error() string { return e.code + ": " + e.message }
