package publish

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/report"
)

// Ledger is what a Publisher keeps in a ledger.
type Ledger interface {
	ledger.ReportReader
	ledger.ReportWriter
}

// Options are what a Publisher is made of. Made and Tried may be nil.
type Options struct {
	Ledger Ledger
	// Read reads what the reports of all owners are made of.
	Read func(ctx context.Context, o Order) (Facts, error)
	// Link is the address of the daemon's pages.
	Link func() string
	Now  func() time.Time
	// Random gives numbers in [0, 1).
	Random func() float64
	Log    *slog.Logger
	// Made is told of each report that was made, or could not be; Tried of each try to deliver one.
	Made  func(plan string, err error)
	Tried func(t Try)
}

// Facts are what was read for an order; *report.Facts are.
type Facts interface {
	// Report makes the report of an owner, of all campaigns when it is empty. Previous is the newest edition of it, nil when
	// there is none.
	Report(ctx context.Context, owner string, previous *report.Report) (*report.Report, error)
}

// Try is one try to deliver a report.
type Try struct {
	// Plan and Kind are those of the report and of the destination.
	Plan, Kind string
	// Reason is empty when it was delivered.
	Reason alerts.DeliveryReason
}

// Publisher makes and delivers reports. It is safe for concurrent use.
type Publisher struct {
	o Options

	making, delivering sync.Mutex // each held over one pass

	mu sync.Mutex // protects all following fields
	// plans are by name; whoever changes them makes a new map.
	plans map[string]*Plan
	// unsettled are deliveries that have ended and could not be stored yet, rests the destinations that are left alone.
	unsettled map[delivery]ledger.Delivery
	rests     map[lane]rest
	// hurry says that the next pass is to wait for no pause.
	hurry bool
	// oldest is since when reports wait, by kind of destination.
	oldest map[string]time.Time
}

// delivery is one of a report.
type delivery struct {
	number      int64
	destination string
}

// lane is a destination of a plan.
type lane struct{ plan, destination string }

// rest is until when a destination is left alone after so many failures in a row.
type rest struct {
	failures int
	until    time.Time
}

// New makes a Publisher of some plans.
func New(o Options, plans []Plan) *Publisher {
	if o.Made == nil {
		o.Made = func(string, error) {}
	}
	if o.Tried == nil {
		o.Tried = func(Try) {}
	}
	p := &Publisher{o: o, unsettled: make(map[delivery]ledger.Delivery)}
	p.Apply(plans)
	p.hurry = false
	return p
}

// Apply has what follows made and delivered by other plans. What goes to a destination that is gone is given up.
func (p *Publisher) Apply(plans []Plan) {
	byName := make(map[string]*Plan, len(plans))
	for i := range plans {
		byName[plans[i].Name] = &plans[i]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans = byName
	// Whoever changes the configuration may just have mended what failed.
	p.rests, p.hurry = make(map[lane]rest), true
}

func (p *Publisher) current() map[string]*Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.plans
}

func (p *Publisher) plan(name string) *Plan { return p.current()[name] }

// sorted are the plans in the order of their names.
func (p *Publisher) sorted() []*Plan {
	plans := p.current()
	all := make([]*Plan, 0, len(plans))
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		all = append(all, plans[name])
	}
	return all
}

// Waiting says of each kind of destination since when its oldest undelivered report has waited, as of the last pass.
func (p *Publisher) Waiting() map[string]time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.oldest)
}
