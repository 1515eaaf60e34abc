package ledgertest

import (
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// queue is the source of most Puts.
const queue = "queue-1"

var origin = observation.Origin{Account: "111122223333", Region: "eu-west-1", ConfigurationSet: "main"}

// eventTypes says which SES event tells each outcome.
var eventTypes = map[observation.Outcome]observation.EventType{
	observation.Sent:                observation.EventSend,
	observation.Delivered:           observation.EventDelivery,
	observation.HardBounced:         observation.EventBounce,
	observation.SoftBounced:         observation.EventBounce,
	observation.AutoreplySuspected:  observation.EventBounce,
	observation.UndeterminedBounced: observation.EventBounce,
	observation.Suppressed:          observation.EventBounce,
	observation.Complained:          observation.EventComplaint,
	observation.NotSpam:             observation.EventComplaint,
	observation.Rejected:            observation.EventReject,
	observation.RenderingFailed:     observation.EventRenderingFailure,
	observation.Unsubscribed:        observation.EventSubscription,
	observation.Delayed:             observation.EventDeliveryDelay,
	observation.Opened:              observation.EventOpen,
	observation.Clicked:             observation.EventClick,
	observation.OpenedByBot:         observation.EventOpen,
	observation.ClickedByBot:        observation.EventClick,
}

// change alters an entry from what entry makes.
type change func(*ledger.Entry)

// entry is about mail sent now, to a recipient at Gmail.
func (r *rig) entry(id uint64, o observation.Outcome, changes ...change) ledger.Entry {
	e := ledger.Entry{
		ID: id, Type: eventTypes[o], SentAt: r.now(), At: r.now(),
		Cell: ledger.Cell{
			Origin: origin, Campaign: observation.Campaign{Name: "spring"}, Provider: observation.Gmail, Outcome: o,
		},
		Stamp: observation.Stamp{FromDomain: "news.example.com", A: "spring", FeedbackFrom: "AmazonSES"},
	}
	if o == observation.Complained {
		e.Possible = 1
	}
	for _, c := range changes {
		c(&e)
	}
	return e
}

func (r *rig) sent(id uint64, changes ...change) ledger.Entry {
	return r.entry(id, observation.Sent, changes...)
}

// run is n Sent entries with ids from first on, each of a message of its own.
func (r *rig) run(first uint64, n int, changes ...change) []ledger.Entry {
	return r.runOf(observation.Sent, first, n, changes...)
}

func (r *rig) runOf(o observation.Outcome, first uint64, n int, changes ...change) []ledger.Entry {
	entries := make([]ledger.Entry, n)
	for i := range entries {
		entries[i] = r.entry(first+uint64(i), o, changes...)
		entries[i].Message = i
	}
	return entries
}

// sentAt moves the cohort's time and the event's own.
func sentAt(t time.Time) change { return func(e *ledger.Entry) { e.SentAt, e.At = t, t } }

func ownTime(t time.Time) change { return func(e *ledger.Entry) { e.At = t } }

func campaign(name string) change {
	return func(e *ledger.Entry) { e.Cell.Campaign = observation.Campaign{Name: name} }
}

func provider(id string) change { return func(e *ledger.Entry) { e.Cell.Provider = id } }

func reason(id string) change { return func(e *ledger.Entry) { e.Cell.Reason = id } }

func from(o observation.Origin) change { return func(e *ledger.Entry) { e.Cell.Origin = o } }

func holdUntil(t time.Time) change { return func(e *ledger.Entry) { e.Hold = t } }

func possible(n int) change { return func(e *ledger.Entry) { e.Possible = n } }

func sample(text, messageID string) change {
	return func(e *ledger.Entry) { e.Sample = &ledger.Sample{Text: text, MessageID: messageID} }
}

// put is a Put of the usual source.
func put(entries ...ledger.Entry) ledger.Put { return ledger.Put{Source: queue, Entries: entries} }

// cellOf is a campaign's cell of an outcome, as entry makes it.
func cellOf(name string, o observation.Outcome) ledger.Cell {
	return ledger.Cell{
		Origin: origin, Campaign: observation.Campaign{Name: name}, Provider: observation.Gmail, Outcome: o,
	}
}

func messageID(i int) string { return fmt.Sprintf("message-%d", i) }
