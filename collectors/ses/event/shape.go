package event

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

// maxDepth is how deep objects and arrays may nest.
const maxDepth = 32

// validated is what SES publishes, as plain text, when somebody makes an event destination of a topic.
const validated = "Successfully validated SNS topic for Amazon SES event publishing."

// subscribed is the notificationType of what SES publishes when somebody sets an identity's topic.
const subscribed = "AmazonSnsSubscriptionSucceeded"

// shape is the outermost object of a text, as far as needed to tell what the text is. Members are decoded only when the
// shape is known: in another shape the same name may stand for something else.
type shape struct {
	Type     jsontext.Value `json:"Type"`
	Message  jsontext.Value `json:"Message"`
	TopicARN jsontext.Value `json:"TopicArn"`

	DetailType jsontext.Value `json:"detail-type"`
	Detail     jsontext.Value `json:"detail"`
	ID         jsontext.Value `json:"id"`
	Account    jsontext.Value `json:"account"`
	Region     jsontext.Value `json:"region"`
	Time       jsontext.Value `json:"time"`
	Resources  jsontext.Value `json:"resources"`

	EventType        jsontext.Value `json:"eventType"`
	NotificationType jsontext.Value `json:"notificationType"`
}

// decodeStrict decides what a body is and appends it to b.
func (d *Decoder) decodeStrict(index int, body string, b *collectors.Batch) Kind {
	r := strictReader{owner: d, index: index, batch: b}
	kind, f := r.text([]byte(body))
	if f.bad() {
		b.Unreadable = append(b.Unreadable, collectors.Unreadable{Message: index, Reason: f.reason, Detail: f.detail})
		return KindUnreadable
	}
	return kind
}

// strictReader goes through the layers of one body.
type strictReader struct {
	owner  *Decoder
	index  int
	batch  *collectors.Batch
	around envelope
	// inside says that an SNS envelope has been opened; there is no second one in it.
	inside bool
}

// text reads a body, or the message of an SNS envelope.
func (r *strictReader) text(text []byte) (Kind, fault) {
	if string(bytes.TrimSpace(text)) == validated {
		return KindSetup, fault{}
	}
	if f := check(text); f.bad() {
		return 0, f
	}
	var s shape
	if f := decode(text, "", &s); f.bad() {
		return 0, f
	}
	if !r.inside && s.Message.Kind() == '"' {
		switch stringIn(s.Type) {
		case "Notification":
			r.inside = true
			r.around.topicARN = stringIn(s.TopicARN)
			return r.text([]byte(stringIn(s.Message)))
		case "SubscriptionConfirmation", "UnsubscribeConfirmation":
			return KindSetup, fault{}
		}
	}
	switch {
	case s.DetailType.Kind() == '"' && s.Detail.Kind() == '{':
		return r.bridge(&s)
	case stringIn(s.NotificationType) == subscribed && stringIn(s.EventType) == "":
		return KindSetup, fault{}
	default:
		return r.event(text, "")
	}
}

// bridge reads the detail of an EventBridge envelope: an event, else a status.
func (r *strictReader) bridge(s *shape) (Kind, fault) {
	r.around.account, r.around.region = stringIn(s.Account), stringIn(s.Region)
	var inner shape
	if f := decode(s.Detail, "detail.", &inner); f.bad() {
		return 0, f
	}
	detailType := stringIn(s.DetailType)
	if inner.EventType.Kind() != '"' && isStatus(detailType) {
		return r.status(s, detailType)
	}
	return r.event(s.Detail, "detail.")
}

// isStatus knows the detail-types about an account or tenant. SES's pages disagree whether a recommendation that is done
// with is Resolved or Closed, so both are read.
func isStatus(detailType string) bool {
	switch detailType {
	case "Sending Status Enabled", "Sending Status Disabled", "Advisor Recommendation Status Open",
		"Advisor Recommendation Status Resolved", "Advisor Recommendation Status Closed":
		return true
	default:
		return false
	}
}

// The bounds of a status event, which is kept as it is; those of SES are far shorter. An ARN has at most 2,048 characters.
const (
	maxStatusDetail   = 16 << 10
	maxStatusID       = 256
	maxStatusResource = 2048
)

func (r *strictReader) status(s *shape, detailType string) (Kind, fault) {
	var resources []string
	if len(s.Resources) > 0 {
		if f := decode(s.Resources, "resources", &resources); f.bad() {
			return 0, f
		}
	}
	status := observation.Status{
		Message: r.index, DetailType: detailType, ID: stringIn(s.ID),
		Account: asAccount(r.around.account), Region: asRegion(r.around.region), Detail: bytes.Clone(s.Detail),
	}
	if len(resources) > 0 {
		status.Resource = resources[0]
	}
	switch {
	case len(status.Detail) > maxStatusDetail:
		return 0, badField("detail", "is longer than 16 KiB")
	case len(status.ID) > maxStatusID:
		return 0, badField("id", "is longer than 256 bytes")
	case len(status.Resource) > maxStatusResource:
		return 0, badField("resources", "has an entry longer than 2,048 bytes")
	}
	var f fault
	if status.At, f = timeOf("time", stringIn(s.Time)); f.bad() {
		return 0, f
	}
	r.batch.Statuses = append(r.batch.Statuses, status)
	return KindStatus, fault{}
}

// event reads a bare event; path leads to it.
func (r *strictReader) event(text []byte, path string) (Kind, fault) {
	d := r.owner
	d.document = document{}
	if f := decode(text, path, &d.document); f.bad() {
		return 0, f
	}
	if f := d.appendEvent(r.index, r.around, r.batch); f.bad() {
		return 0, f
	}
	return KindEvent, fault{}
}

// stringIn returns the string that v is, nothing for any other value.
func stringIn(v jsontext.Value) string {
	var text string
	if v.Kind() != '"' || decode(v, "", &text).bad() {
		return ""
	}
	return text
}

// check says whether text is one JSON object that nests no deeper than maxDepth.
func check(text []byte) fault {
	notJSON := fault{collectors.ReasonNotJSON, "the text is not a JSON object"}
	dec := jsontext.NewDecoder(bytes.NewBuffer(text), lenient())
	for first := true; first || dec.StackDepth() > 0; first = false {
		token, err := dec.ReadToken()
		if err != nil || first && token.Kind() != '{' {
			return notJSON
		}
		if dec.StackDepth() > maxDepth {
			return fault{collectors.ReasonTooDeep, "objects and arrays nest deeper than 32"}
		}
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return fault{collectors.ReasonNotJSON, "there is more behind the JSON object"}
	}
	return fault{}
}
