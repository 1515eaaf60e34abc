package traffic

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

// published is an event as encoding/json reads it: everything that counting needs.
type published struct {
	EventType, NotificationType string
	Mail                        struct {
		Timestamp, MessageID, SendingAccountID, SourceArn string
		Destination                                       []string
		Headers                                           []struct{ Name, Value string }
		CommonHeaders                                     struct {
			From, To []string
			Subject  string
		}
		Tags map[string][]string
	}
	Bounce struct {
		BounceType, BounceSubType string
		BouncedRecipients         []recipientJSON
		Timestamp                 string
	}
	Complaint struct {
		ComplainedRecipients                    []recipientJSON
		ComplaintFeedbackType, ComplaintSubType string
		FeedbackID                              string
	}
	Delivery      struct{ Recipients []string }
	DeliveryDelay struct{ DelayedRecipients []recipientJSON }
	Open, Click   struct{ Timestamp, Link, IsBotEvent string }
	Subscription  struct {
		NewTopicPreferences struct{ UnsubscribeAll bool }
	}
}

type recipientJSON struct{ EmailAddress, Status, DiagnosticCode string }

var domainOf = regexp.MustCompile(`@([a-z0-9.-]*[a-z])`)

// recount counts rendered events from nothing but their text, by the rules of the product.
type recount struct {
	t      *testing.T
	seen   map[string]bool
	counts map[Cell]Tally
}

var dated = regexp.MustCompile(`^(.+)-\d{8}$`)

// outcomeOf is the table of outcomes.
func outcomeOf(e *published) observation.Outcome {
	bot := func(judged string, bot, human observation.Outcome) observation.Outcome {
		if judged == "Likely" {
			return bot
		}
		return human
	}
	switch e.EventType {
	case "Send":
		return observation.Sent
	case "Delivery":
		return observation.Delivered
	case "DeliveryDelay":
		return observation.Delayed
	case "Reject":
		return observation.Rejected
	case "Rendering Failure":
		return observation.RenderingFailed
	case "Subscription":
		return observation.Unsubscribed
	case "Open":
		return bot(e.Open.IsBotEvent, observation.OpenedByBot, observation.Opened)
	case "Click":
		return bot(e.Click.IsBotEvent, observation.ClickedByBot, observation.Clicked)
	case "Complaint":
		if e.Complaint.ComplaintFeedbackType == "not-spam" {
			return observation.NotSpam
		}
		return observation.Complained
	}
	switch b := &e.Bounce; {
	case strings.HasPrefix(b.BounceSubType, "On"):
		return observation.Suppressed
	case b.BounceType == "Permanent":
		return observation.HardBounced
	case b.BounceType == "Undetermined":
		return observation.UndeterminedBounced
	case b.BounceSubType == "General" && b.BouncedRecipients[0].DiagnosticCode == "":
		return observation.AutoreplySuspected
	default:
		return observation.SoftBounced
	}
}

// add counts one line.
func (r *recount) add(line []byte, reason func(*published) string, providerOf func(domain string) string) {
	var e published
	if err := json.Unmarshal(line, &e); err != nil {
		r.t.Fatalf("%v in %s", err, line)
	}
	if e.NotificationType != "" {
		return
	}
	tag := func(name string) string { return strings.Join(e.Mail.Tags[name], ",") }
	set := tag("ses:configuration-set")
	name := set
	if tag("campaign") != "" {
		name = tag("campaign")
	}
	if tag("ses:feedback-id-a") != "" {
		name = tag("ses:feedback-id-a")
	}
	sent, err := time.Parse("2006-01-02T15:04:05.000Z", e.Mail.Timestamp)
	if err != nil {
		r.t.Fatal(err)
	}
	cell := Cell{Account: e.Mail.SendingAccountID, ConfigurationSet: set, Campaign: name, Outcome: outcomeOf(&e), Reason: reason(&e),
		Start: sent.Truncate(5 * time.Minute)}
	cell.Tenant, _ = strings.CutPrefix(set, "tenant-")
	if cell.Tenant == set {
		cell.Tenant = ""
	}
	if m := dated.FindStringSubmatch(name); m != nil {
		cell.Campaign, cell.Send = m[1], name
	}
	recipients := e.Mail.Destination
	var listed []recipientJSON
	switch e.EventType {
	case "Bounce":
		listed = e.Bounce.BouncedRecipients
	case "DeliveryDelay":
		listed = e.DeliveryDelay.DelayedRecipients
	case "Complaint":
		listed = e.Complaint.ComplainedRecipients
	case "Delivery":
		recipients = e.Delivery.Recipients
	}
	if listed != nil {
		recipients = nil
		for _, one := range listed {
			recipients = append(recipients, one.EmailAddress)
		}
	}
	possible := int64(0)
	switch {
	case e.EventType == "Open", e.EventType == "Click":
		recipients = []string{recipients[0] + e.Open.Timestamp + e.Click.Timestamp + e.Click.Link}
	case e.EventType == "Complaint":
		if cell.Outcome == observation.Complained {
			possible = int64(len(recipients))
		}
		if len(recipients) > 1 {
			recipients = []string{e.Complaint.FeedbackID + recipients[0]}
		}
	}
	for _, recipient := range recipients {
		id := strings.Join([]string{e.Mail.MessageID, recipient, cell.Outcome.String()}, "|")
		if r.seen[id] {
			continue
		}
		r.seen[id] = true
		cell.Provider = providerOf(domainOf.FindStringSubmatch(recipient)[1])
		tally := r.counts[cell]
		r.counts[cell] = Tally{tally.N + 1, tally.Possible + possible}
	}
}

// reasonsByText maps the replies of the model to their reasons.
func reasonsByText(m *Model) func(*published) string {
	reasons := map[string]string{accountSuppression.text: "suppressed", tenantSuppression.text: "suppressed", microsoftBlock.text: microsoftBlock.reason}
	reasons[simulatorMailboxes.hard.text] = simulatorMailboxes.hard.reason
	for i := range m.providers {
		for _, r := range []reply{m.providers[i].hard, m.providers[i].soft, m.providers[i].delay} {
			reasons[r.text] = r.reason
		}
	}
	address := regexp.MustCompile(`<sim-[^>]*>`)
	return func(e *published) string {
		var text string
		switch e.EventType {
		case "Bounce":
			if text = e.Bounce.BouncedRecipients[0].DiagnosticCode; text == "" {
				if e.Bounce.BounceType == "Undetermined" {
					return "unknown"
				}
				return "autoreply"
			}
		case "DeliveryDelay":
			text = e.DeliveryDelay.DelayedRecipients[0].DiagnosticCode
		case "Reject":
			return "content_virus_or_attachment"
		default:
			return ""
		}
		reason, ok := reasons[address.ReplaceAllString(text, "<%R>")]
		if !ok {
			return "no reason for " + text
		}
		return reason
	}
}

func TestTruthEqualsRecountOfWhatWasRendered(t *testing.T) {
	m := demo(5, 1)
	domains := map[string]string{"simulator.amazonses.com": MailboxSimulator}
	for _, p := range m.providers {
		for _, d := range p.domains {
			domains[d] = p.id
		}
	}
	reason := reasonsByText(m)
	r := recount{t: t, seen: map[string]bool{}, counts: map[Cell]Tally{}}
	truth := NewTruth()
	stream, renderer := m.Stream(anchor.Add(-30*time.Hour), anchor), NewRenderer()
	var line []byte
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		line = renderer.Append(line[:0], &e, Raw)
		truth.Add(&e)
		r.add(line, reason, func(d string) string { return domains[d] })
	}
	want := map[Cell]Tally{}
	for cell, tally := range truth.Counts() {
		cell.Region = "" // opens and clicks do not tell theirs
		want[cell] = tally
	}
	if diff := cmp.Diff(want, r.counts); diff != "" {
		t.Errorf("what was rendered counts differently (-truth +recount):\n%.3000s", diff)
	}
	if len(want) < 5000 {
		t.Errorf("only %d cells were compared", len(want))
	}
}
