package event

import "github.com/mailvane/mailvane/internal/observation"

// The bounds of one event.
const (
	// maxRecipients is twice what SES allows in one message.
	maxRecipients = 100
	// maxFields bounds the tags, and likewise the headers, that are kept.
	maxFields = 200
	// maxTopics bounds the topics of a subscription that are looked at; a contact list of SES has 20.
	maxTopics = 100
)

// document is an event as SES writes it, as far as it is read: unchecked, every string as it came. The scanner and the
// strict decoder both fill it. Exactly one of EventType and NotificationType is set in what SES sends.
type document struct {
	EventType        string        `json:"eventType"`
	NotificationType string        `json:"notificationType"`
	Mail             mail          `json:"mail"`
	Bounce           bounce        `json:"bounce"`
	Complaint        complaint     `json:"complaint"`
	Delivery         delivery      `json:"delivery"`
	Reject           reject        `json:"reject"`
	Open             interaction   `json:"open"`
	Click            interaction   `json:"click"`
	DeliveryDelay    deliveryDelay `json:"deliveryDelay"`
	Subscription     subscription  `json:"subscription"`
}

type mail struct {
	Timestamp        string        `json:"timestamp"`
	MessageID        string        `json:"messageId"`
	Source           string        `json:"source"`
	SourceARN        string        `json:"sourceArn"`
	SendingAccountID string        `json:"sendingAccountId"`
	Destination      []string      `json:"destination"`
	Headers          headers       `json:"headers"`
	CommonHeaders    commonHeaders `json:"commonHeaders"`
	Tags             tags          `json:"tags"`
}

// headers are the mail's headers, an array of objects with name and value.
type headers []observation.Field

// tags are the message tags, an object of arrays, as one Field per value in the order of the text.
type tags []observation.Field

type commonHeaders struct {
	From []string `json:"from"`
}

type bounce struct {
	BounceType        string      `json:"bounceType"`
	BounceSubType     string      `json:"bounceSubType"`
	BouncedRecipients []recipient `json:"bouncedRecipients"`
	Timestamp         string      `json:"timestamp"`
	FeedbackID        string      `json:"feedbackId"`
}

type complaint struct {
	ComplainedRecipients  []recipient `json:"complainedRecipients"`
	Timestamp             string      `json:"timestamp"`
	FeedbackID            string      `json:"feedbackId"`
	ComplaintSubType      string      `json:"complaintSubType"`
	ComplaintFeedbackType string      `json:"complaintFeedbackType"`
}

type delivery struct {
	Timestamp            string   `json:"timestamp"`
	ProcessingTimeMillis *int64   `json:"processingTimeMillis"`
	Recipients           []string `json:"recipients"`
	SMTPResponse         string   `json:"smtpResponse"`
}

type reject struct {
	Reason string `json:"reason"`
}

// interaction is an Open or a Click; only a Click has a Link.
type interaction struct {
	Timestamp  string `json:"timestamp"`
	Link       string `json:"link"`
	IsBotEvent string `json:"isBotEvent"`
}

type deliveryDelay struct {
	DelayType         string      `json:"delayType"`
	DelayedRecipients []recipient `json:"delayedRecipients"`
	Timestamp         string      `json:"timestamp"`
}

type subscription struct {
	Timestamp string      `json:"timestamp"`
	New       preferences `json:"newTopicPreferences"`
	Old       preferences `json:"oldTopicPreferences"`
}

type preferences struct {
	UnsubscribeAll bool    `json:"unsubscribeAll"`
	Topics         []topic `json:"topicSubscriptionStatus"`
	Defaults       []topic `json:"topicDefaultSubscriptionStatus"`
}

// topic says whether the recipient is on one topic of the contact list: OptIn or OptOut.
type topic struct {
	Name   string `json:"topicName"`
	Status string `json:"subscriptionStatus"`
}

// recipient has the fields of observation.Recipient under the names that SES gives them.
type recipient struct {
	Address    string `json:"emailAddress"`
	Status     string `json:"status"`
	Diagnostic string `json:"diagnosticCode"`
}
