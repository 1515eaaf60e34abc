package gate

import (
	"fmt"
	"net/http"
	"time"
)

// Error is an error of a service, by its name in AWS's Query protocol.
type Error struct {
	// Code is such as AccessDenied or Throttling.
	Code, Message string
	Status        int
	// RetryAfter is the header of that name; none when 0.
	RetryAfter time.Duration
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Sender says whether the fault is the caller's.
func (e *Error) Sender() bool { return e.Status < http.StatusInternalServerError }

// NewError makes the error of that code with its usual text and status. An unknown code has status 400.
func NewError(code string) *Error {
	e := &Error{Code: code, Message: "An injected error.", Status: http.StatusBadRequest}
	switch code {
	case "AccessDenied", "AccessDeniedException":
		e.Status, e.Message = http.StatusForbidden, "Access denied."
	case "MissingAuthenticationToken":
		e.Status, e.Message = http.StatusForbidden, "Request is missing Authentication Token"
	case "ExpiredToken", "ExpiredTokenException":
		e.Status, e.Message = http.StatusForbidden, "The security token included in the request is expired"
	case "InvalidClientTokenId", "UnrecognizedClientException":
		e.Status, e.Message = http.StatusForbidden, "The security token included in the request is invalid."
	case "SignatureDoesNotMatch":
		e.Status, e.Message = http.StatusForbidden, "Credential should be scoped to correct service."
	case "IncompleteSignature":
		e.Message = "Authorization header requires Credential, SignedHeaders and Signature."
	case "Throttling", "ThrottlingException":
		e.Message = "Rate exceeded"
	case "TooManyRequestsException":
		e.Status, e.Message = http.StatusTooManyRequests, "Too Many Requests"
	case "NotFoundException":
		e.Status, e.Message = http.StatusNotFound, "Not found."
	case "InternalFailure", "InternalServiceError", "InternalServiceErrorException":
		e.Status, e.Message = http.StatusInternalServerError, "The request processing has failed because of an unknown error."
	case "ServiceUnavailable", "ServiceUnavailableException":
		e.Status, e.Message = http.StatusServiceUnavailable, "The request has failed due to a temporary failure of the server."
	}
	return e
}

// Errorf makes the error of that code with a text of its own.
func Errorf(code, format string, args ...any) *Error {
	e := NewError(code)
	e.Message = fmt.Sprintf(format, args...)
	return e
}
