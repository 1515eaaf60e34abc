package alerts

import (
	"iter"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// Sample is what is known of one figure about one subject. Evaluate does not keep it, nor what it points to; so whoever
// yields samples may use one over and over.
type Sample struct {
	Series  Series
	Subject Subject
	// AsOf is as of when the figure is true, from which its age is told.
	AsOf time.Time
	// Figure is that of a rate; its State is the sample's.
	Figure *signal.Figure
	// Value is that of a number, when State is one that has a value.
	Value float64
	State signal.State
	// Days are those of a daily reading which have arrived, the newest first. Today is the day of now where the reading's days
	// are cut. State tells idle, stale and error of the source as a whole, and is ok otherwise.
	Days  []Day
	Today campaign.Day
	// Labels are what else is known of the subject, several values of one label included: the owner of a campaign ("owner");
	// the domains, accounts and regions that its mail was sent from, by which alerts about those mute its own; the campaign
	// that alone uses an identifier. It is called only when needed, during Evaluate. Nil means none.
	Labels func() []observation.Field
}

// Day is what a daily reading says of one day that has arrived.
type Day struct {
	Day campaign.Day
	// Reported is false when the day arrived without this figure. Value then means nothing.
	Reported bool
	Value    float64
	// Deliveries are those that the figure speaks of: to personal Gmail addresses on that day, with that identifier.
	Deliveries int64
	// Late says that the day was not read as it came: it was back-filled or replayed. It may end an alert, never raise one.
	Late bool
}

// Input is one round.
type Input struct {
	Now     time.Time
	Samples iter.Seq[*Sample]
	// Absent says what it means that a series has no sample of a subject: idle when its source is well, stale or error
	// otherwise. Nil means idle.
	Absent func(Series) signal.State
}
