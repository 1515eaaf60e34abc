package postmaster

import "net/http"

// apiError is an error as Google's APIs answer it, google.rpc.Status.
type apiError struct {
	// http is the status of the answer, code the one of google.rpc.Code, for items of a batch.
	http, code int
	status     string
	// reason, when not empty, is the one of the details.
	reason, message string
}

// newError makes the error of that name: a reason of google.rpc.ErrorInfo, else a name of google.rpc.Code.
func newError(name string) *apiError {
	switch name {
	case "INVALID_ARGUMENT":
		return &apiError{http.StatusBadRequest, 3, name, "", "Request contains an invalid argument."}
	case "CREDENTIALS_MISSING":
		return &apiError{http.StatusUnauthorized, 16, "UNAUTHENTICATED", name, "Request is missing required authentication credential."}
	case "ACCESS_TOKEN_EXPIRED":
		return &apiError{http.StatusUnauthorized, 16, "UNAUTHENTICATED", name, "Request had invalid authentication credentials."}
	case "PERMISSION_DENIED":
		return &apiError{http.StatusForbidden, 7, name, "", "The caller does not have permission"}
	case "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
		return &apiError{http.StatusForbidden, 7, "PERMISSION_DENIED", name, "Request had insufficient authentication scopes."}
	case "SERVICE_DISABLED":
		return &apiError{http.StatusForbidden, 7, "PERMISSION_DENIED", name,
			"Gmail Postmaster Tools API has not been used in project 000000000000 before or it is disabled."}
	case "NOT_FOUND":
		return &apiError{http.StatusNotFound, 5, name, "", "Requested entity was not found."}
	case "RATE_LIMIT_EXCEEDED":
		return &apiError{http.StatusTooManyRequests, 8, "RESOURCE_EXHAUSTED", name, "Quota exceeded for quota metric (synthetic)."}
	case "UNAVAILABLE":
		return &apiError{http.StatusServiceUnavailable, 14, name, "", "The service is currently unavailable."}
	default:
		return &apiError{http.StatusInternalServerError, 13, "INTERNAL", "", "Internal error encountered."}
	}
}

func invalid(message string) *apiError {
	e := newError("INVALID_ARGUMENT")
	e.message = message
	return e
}

// errorInfo is google.rpc.ErrorInfo.
type errorInfo struct {
	Type     string            `json:"@type"`
	Reason   string            `json:"reason"`
	Domain   string            `json:"domain"`
	Metadata map[string]string `json:"metadata"`
}

func (e *apiError) details() []errorInfo {
	if e.reason == "" {
		return nil
	}
	return []errorInfo{{"type.googleapis.com/google.rpc.ErrorInfo", e.reason, "googleapis.com",
		map[string]string{"service": "gmailpostmastertools.googleapis.com"}}}
}

// body is the answer of a request that failed.
func (e *apiError) body() any {
	type status struct {
		Code    int         `json:"code"`
		Message string      `json:"message"`
		Status  string      `json:"status"`
		Details []errorInfo `json:"details,omitempty"`
	}
	return struct {
		Error status `json:"error"`
	}{status{e.http, e.message, e.status, e.details()}}
}

// rpcStatus is an error of one item of a batch.
type rpcStatus struct {
	Code    int         `json:"code"`
	Message string      `json:"message"`
	Details []errorInfo `json:"details,omitempty"`
}

func (e *apiError) item() *rpcStatus { return &rpcStatus{e.code, e.message, e.details()} }

// tokenError is an error of the token endpoint (RFC 6749, section 5.2).
type tokenError struct {
	http        int
	Code        string `json:"error"`
	Description string `json:"error_description"`
}
