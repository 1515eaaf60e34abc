package sesapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// operations are those of version 2 with a path of their own, by method and path.
func operations() map[string]string {
	return map[string]string{
		"GET /v2/email/account":                  "GetAccount",
		"POST /v2/email/tenants/list":            "ListTenants",
		"POST /v2/email/tenants/get":             "GetTenant",
		"POST /v2/email/vdm/recommendations":     "ListRecommendations",
		"POST /v2/email/reputation/entities":     "ListReputationEntities",
		"POST /v2/email/list-configuration-sets": "ListConfigurationSets",
	}
}

// input is every request that is understood.
type input struct {
	NextToken, TenantName string
	PageSize              *int
	Filter                map[string]string
	// set is the configuration set of the path.
	set string
}

// operationOf finds the operation of a request, and the configuration set that its path names.
func operationOf(r *http.Request) (op, set string) {
	path := r.URL.EscapedPath()
	if op = operations()[r.Method+" "+path]; op != "" {
		return op, ""
	}
	rest, ok := strings.CutPrefix(path, PathPrefix+"configuration-sets/")
	name, after, _ := strings.Cut(rest, "/")
	set, err := url.PathUnescape(name)
	switch {
	case !ok || err != nil || r.Method != http.MethodGet || name == "":
		return "", ""
	case after == "":
		return "GetConfigurationSet", set
	case after == "event-destinations":
		return "GetConfigurationSetEventDestinations", set
	default:
		return "", ""
	}
}

// object is an answer.
type object map[string]any

const jsonType = "application/json"

// serveREST answers a request to version 2.
func (s *Server) serveREST(w http.ResponseWriter, r *http.Request) {
	caller, e := s.Identify(r, "ses")
	if e != nil {
		failREST(w, e)
		return
	}
	var in input
	op, set := operationOf(r)
	if err := json.NewDecoder(r.Body).Decode(&in); op == "" || err != nil && !errors.Is(err, io.EOF) {
		failREST(w, gate.Errorf("BadRequestException", "The request is none that SES knows."))
		return
	}
	in.set = set
	done, cut, e := s.Admit(w, r, op, "ses:"+op, caller)
	if done && e == nil {
		return
	}
	var out object
	if e == nil {
		out, e = s.rest(op, Place{caller.Account, caller.Region}, &in)
	}
	if e != nil {
		failREST(w, e)
		return
	}
	body, err := json.Marshal(out)
	if err != nil {
		panic(err) // an object holds nothing that JSON cannot say
	}
	if cut {
		wire.Truncate(w, jsonType, body)
		return
	}
	reply(w, jsonType, http.StatusOK, body)
}

// rest executes an operation of version 2.
func (s *Server) rest(op string, at Place, in *input) (object, *gate.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tooSoon(at, op) {
		return nil, gate.NewError("TooManyRequestsException")
	}
	switch op {
	case "GetAccount":
		return s.account(at), nil
	case "ListTenants":
		return s.listTenants(at, in)
	case "GetTenant":
		return s.tenant(at, in.TenantName)
	case "ListRecommendations":
		return s.listRecommendations(at, in)
	case "ListReputationEntities":
		return s.listEntities(at, in)
	case "ListConfigurationSets":
		return s.listSets(at, in)
	case "GetConfigurationSet":
		return s.set(at, in.set)
	default:
		return s.destinations(at, in.set)
	}
}

// reply writes an answer.
func reply(w http.ResponseWriter, contentType string, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-RequestId", requestID)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

const requestID = "00000000-0000-4000-8000-000000000000"

// failREST answers an error as version 2 does: its type is in a header.
func failREST(w http.ResponseWriter, e *gate.Error) {
	code, status := e.Code, e.Status
	switch code {
	case "Throttling":
		code, status = "TooManyRequestsException", http.StatusTooManyRequests
	case "InternalFailure":
		code = "InternalServiceErrorException"
	case "SignatureDoesNotMatch":
		code = "InvalidSignatureException"
	case "AccessDenied", "ExpiredToken", "MissingAuthenticationToken", "IncompleteSignature", "ServiceUnavailable":
		code += "Exception"
	}
	w.Header().Set("X-Amzn-ErrorType", code)
	wire.RetryAfter(w, e.RetryAfter)
	body, _ := json.Marshal(object{"message": e.Message})
	reply(w, jsonType, status, body)
}

// defaultPage and maxPage bound a page of a list.
const defaultPage, maxPage = 100, 1000

// page cuts a page out of a list.
func page[T any](all []T, in *input) (some []T, next any, e *gate.Error) {
	size, first := defaultPage, 0
	if in.PageSize != nil {
		size = *in.PageSize
	}
	if size < 1 || size > maxPage {
		return nil, nil, gate.Errorf("BadRequestException", "PageSize must be between 1 and %d.", maxPage)
	}
	if in.NextToken != "" {
		n, err := strconv.Atoi(in.NextToken)
		if err != nil || n < 0 || n > len(all) {
			return nil, nil, gate.Errorf("BadRequestException", "The NextToken is invalid.")
		}
		first = n
	}
	end := min(first+size, len(all))
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return all[first:end], next, nil
}
