package intake

import (
	"strings"
	"time"
	"unicode"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// simulatorDomain is that of SES's mailbox simulator (https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html).
const simulatorDomain = "simulator.amazonses.com"

const (
	// maxDomain is the longest name of RFC 1035, section 2.3.4, as text.
	maxDomain = 253
	// maxMessageID is several times as long as the ids that SES gives.
	maxMessageID = 256
)

// work is the memory of one Put, reused by later ones.
type work struct {
	hash    *hasher
	entries []ledger.Entry
	// took is, for each entry, how long its delivery took, negative when it is none.
	took       []time.Duration
	learned    []ledger.LearnedDomain
	statuses   []observation.Status
	quarantine []ledger.Quarantined
	now        time.Time
	set        *settings
}

// entriesOf appends what an event says of each of its recipients.
func (in *Intake) entriesOf(w *work, e *observation.Event) {
	base := ledger.Entry{
		Message: e.Message,
		Type:    e.Type,
		SentAt:  e.SentAt,
		At:      later(e.At, e.SentAt), // nothing becomes of mail before it is sent, whatever its clock says
		Cell: ledger.Cell{
			Origin: observation.Origin{
				Account: e.Account, Region: e.Region,
				ConfigurationSet: in.bounded.configurationSet(e.ConfigurationSet, w.now),
			},
			Campaign: in.campaignOf(w, e),
		},
	}
	if e.Identity {
		base.Hold = w.now.Add(holdFor)
	}
	if e.Type == observation.EventSend || e.Type == observation.EventDelivery {
		base.Stamp = in.bounded.stamp(campaign.StampOf(e), w.now)
	}
	switch {
	case e.Type == observation.EventOpen || e.Type == observation.EventClick:
		in.actionEntry(w, e, base)
	case e.Type == observation.EventComplaint && len(e.Recipients) > 1 && complaintOutcome(e) != observation.Suppressed:
		in.reportEntry(w, e, base)
	default:
		for i := range e.Recipients {
			in.recipientEntry(w, e, &e.Recipients[i], base)
		}
	}
}

// campaignOf names an event's campaign, or (other) when there are too many names.
func (in *Intake) campaignOf(w *work, e *observation.Event) observation.Campaign {
	rules := w.set.history.At(e.SentAt)
	named := rules.Identify(e)
	kept, ok := in.bounded.campaign(named, w.now)
	if !ok {
		in.floods.note(rules.SourceOf(e), named, w.now)
	}
	return kept
}

// recipientEntry is the ordinary case: what became of one recipient.
func (in *Intake) recipientEntry(w *work, e *observation.Event, r *observation.Recipient, entry ledger.Entry) {
	address := bareAddress(r.Address)
	domain := domainOf(address)
	entry.Cell.Provider = in.provider(w, domain, e.SentAt)
	var verdict mailbox.Verdict
	if hasReason(e.Type) {
		verdict = w.set.classifier.Reason(mailbox.Reply{
			Provider:      entry.Cell.Provider,
			Diagnostic:    r.Diagnostic,
			Status:        r.Status,
			BounceType:    e.BounceType,
			BounceSubType: e.BounceSubType,
			DelayType:     e.DelayType,
			RejectReason:  e.RejectReason,
		})
		entry.Cell.Reason = verdict.Reason
	}
	outcome, ok := outcomeOf(e, r, verdict)
	if !ok {
		return
	}
	entry.Cell.Outcome = outcome
	entry.ID = w.hash.recipient(e.MessageID, address, outcome)
	if outcome == observation.Complained {
		entry.Possible = 1
	}
	if r.Diagnostic != "" && entry.Cell.Reason != "" {
		entry.Sample = &ledger.Sample{Text: mailbox.Redact(r.Diagnostic, address), MessageID: shortID(e.MessageID)}
	}
	took := time.Duration(-1)
	if e.Type == observation.EventDelivery {
		in.learnFrom(w, domain, entry.Cell.Provider, e.SMTPResponse)
		took = e.ProcessingTime
	}
	w.add(entry, took)
}

// reportEntry is a complaint that lists everyone at the complainer's domain: one complaint, with that many possible.
func (in *Intake) reportEntry(w *work, e *observation.Event, entry ledger.Entry) {
	entry.Cell.Provider = in.provider(w, domainOf(bareAddress(e.Recipients[0].Address)), e.SentAt)
	entry.Cell.Outcome = complaintOutcome(e)
	if entry.Cell.Outcome == observation.Complained {
		entry.Possible = len(e.Recipients)
	}
	entry.ID = w.hash.report(e.MessageID, e.FeedbackID, entry.Cell.Outcome)
	w.add(entry, -1)
}

// actionEntry is an open or a click. SES does not say which recipient of a mail acted, so the provider is known only when
// they all share it.
func (in *Intake) actionEntry(w *work, e *observation.Event, entry ledger.Entry) {
	entry.Cell.Outcome, _ = outcomeOf(e, nil, mailbox.Verdict{})
	for i := range e.Recipients {
		p := in.provider(w, domainOf(bareAddress(e.Recipients[i].Address)), e.SentAt)
		if i > 0 && p != entry.Cell.Provider {
			p = observation.OtherProvider
		}
		entry.Cell.Provider = p
		if p == observation.OtherProvider {
			break
		}
	}
	entry.ID = w.hash.action(e.MessageID, e.At, e.Link, entry.Cell.Outcome)
	w.add(entry, -1)
}

// provider depends on the recipient's domain and the mail's send time alone, so that all events of a mail agree.
func (in *Intake) provider(w *work, domain string, sentAt time.Time) string {
	if domain == simulatorDomain {
		return signal.Simulator
	}
	p := w.set.classifier.Provider(domain)
	if p == observation.OtherProvider {
		if learned, ok := in.learned.provider(domain, sentAt); ok {
			return learned
		}
	}
	return p
}

// learnFrom notes a domain's platform when the reply gives it away.
func (in *Intake) learnFrom(w *work, domain, provider, reply string) {
	if provider == signal.Simulator || w.set.classifier.Provider(domain) != observation.OtherProvider {
		return
	}
	platform, ok := w.set.classifier.PlatformOf(domain, reply)
	if !ok || len(domain) > maxDomain || !in.learned.wants(domain, platform, w.now) {
		return
	}
	w.learned = append(w.learned, ledger.LearnedDomain{
		Domain: strings.Clone(domain), Provider: platform, Since: w.now.Truncate(time.Minute).Add(learnDelay),
	})
}

// shortID is a message id as it is kept beside a sample: at most maxMessageID bytes of one line.
func shortID(id string) string {
	id = id[:min(len(id), maxMessageID)]
	if end := strings.IndexFunc(id, unicode.IsControl); end >= 0 {
		id = id[:end]
	}
	return strings.ToValidUTF8(id, "")
}

// hasReason tells the events whose recipients come with a reply or a type that says why.
func hasReason(t observation.EventType) bool {
	switch t {
	case observation.EventBounce, observation.EventDeliveryDelay, observation.EventReject:
		return true
	default:
		return false
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// bareAddress takes the address out of a form such as `Name <local@example.com>`.
func bareAddress(address string) string {
	if open := strings.LastIndexByte(address, '<'); open >= 0 {
		address = address[open+1:]
		if end := strings.IndexByte(address, '>'); end >= 0 {
			address = address[:end]
		}
	}
	return strings.TrimSpace(address)
}

// domainOf returns the lower-case domain of a bare address.
func domainOf(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return ""
	}
	domain := strings.TrimRight(address[at+1:], ".")
	for i := range len(domain) {
		if 'A' <= domain[i] && domain[i] <= 'Z' {
			return strings.ToLower(domain)
		}
	}
	return domain
}
