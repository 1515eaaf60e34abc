package sesapi

import (
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

const xmlType = "text/xml"

// The namespaces of the two services that speak the Query protocol.
const (
	namespaceSES = "http://ses.amazonaws.com/doc/2010-12-01/"
	namespaceSTS = "https://sts.amazonaws.com/doc/2011-06-15/"
)

// element is a piece of XML: a value, or what is in it.
type element struct {
	name, value string
	children    []element
}

// leaf is an element that holds text.
func leaf(name, value string) element { return element{name: name, value: value} }

// members is a list as the Query protocol writes it.
func members(name string, all []element) element {
	e := element{name: name}
	for _, one := range all {
		one.name = "member"
		e.children = append(e.children, one)
	}
	return e
}

func (e element) append(dst *strings.Builder) {
	dst.WriteString("<" + e.name + ">")
	_ = xml.EscapeText(dst, []byte(e.value)) // a strings.Builder does not fail
	for _, child := range e.children {
		child.append(dst)
	}
	dst.WriteString("</" + e.name + ">")
}

// document is a whole answer.
func document(name, namespace string, children ...element) []byte {
	var text strings.Builder
	text.WriteString("<" + name + ` xmlns="` + namespace + `">`)
	for _, child := range children {
		child.append(&text)
	}
	text.WriteString("</" + name + ">")
	return []byte(text.String())
}

// serveQuery answers a request to the older API of SES, or to STS.
func (s *Server) serveQuery(w http.ResponseWriter, r *http.Request) {
	caller, e := s.Identify(r, "ses", "sts")
	namespace := namespaceSES
	if caller.Service == "sts" {
		namespace = namespaceSTS
	}
	if e != nil {
		failQuery(w, namespace, e)
		return
	}
	if err := r.ParseForm(); err != nil {
		failQuery(w, namespace, gate.NewError("MalformedQueryString"))
		return
	}
	op := r.PostForm.Get("Action")
	done, cut, e := s.Admit(w, r, op, caller.Service+":"+op, caller)
	if done && e == nil {
		return
	}
	var result element
	if e == nil {
		result, e = s.query(op, caller, r)
	}
	if e != nil {
		failQuery(w, namespace, e)
		return
	}
	result.name = op + "Result"
	metadata := element{name: "ResponseMetadata", children: []element{leaf("RequestId", requestID)}}
	body := document(op+"Response", namespace, result, metadata)
	if cut {
		wire.Truncate(w, xmlType, body)
		return
	}
	reply(w, xmlType, http.StatusOK, body)
}

// query executes an operation.
func (s *Server) query(op string, caller gate.Caller, r *http.Request) (element, *gate.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := Place{caller.Account, caller.Region}
	if caller.Service == "ses" && s.tooSoon(at, op) {
		return element{}, gate.NewError("Throttling")
	}
	switch caller.Service + ":" + op {
	case "ses:DescribeActiveReceiptRuleSet":
		return s.activeRuleSet(at), nil
	case "ses:ListReceiptRuleSets":
		return s.ruleSets(at), nil
	case "sts:GetCallerIdentity":
		return element{children: []element{leaf("Arn", caller.ARN), leaf("UserId", "AIDASIMULATED"), leaf("Account", caller.Account)}}, nil
	case "sts:AssumeRole":
		return s.assume(caller, r)
	default:
		return element{}, gate.Errorf("InvalidAction", "Could not find operation %s", op)
	}
}

// failQuery answers an error.
func failQuery(w http.ResponseWriter, namespace string, e *gate.Error) {
	kind := "Receiver"
	if e.Sender() {
		kind = "Sender"
	}
	wire.RetryAfter(w, e.RetryAfter)
	reply(w, xmlType, e.Status, document("ErrorResponse", namespace,
		element{name: "Error", children: []element{leaf("Type", kind), leaf("Code", e.Code), leaf("Message", e.Message)}},
		leaf("RequestId", requestID)))
}
