package describe

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/view"
)

const (
	// lookFor is how long the ledger may be read for one notification.
	lookFor = 3 * time.Second
	// maxStudied is of how many members, the worst first, anything is looked up: nobody reads more of them in a message.
	maxStudied = 5
	// maxShares bounds each list of a Detail.
	maxShares = 3
)

// Ledger is what a Describer reads of a ledger.
type Ledger interface {
	Cohorts(ctx context.Context, q ledger.CohortQuery) (ledger.Cohorts, error)
	Samples(ctx context.Context, q ledger.SampleQuery) ([]ledger.SampleRow, error)
}

// Options are what a Describer is made of.
type Options struct {
	View   *view.View
	Ledger Ledger
	// Trouble says why a source or a notifier fails, in a line without secrets, empty when that is not known. Nil stands for
	// never.
	Trouble func(alerts.Subject) string
	Log     *slog.Logger
}

// Settings are what links and commands need.
type Settings struct {
	// Pages is the address under which people reach Mailvane's pages, empty when they cannot.
	Pages string
	// ConfigFile is the path of the configuration file, for commands.
	ConfigFile string
}

// Describer finds what stands behind alerts. Make one with New.
type Describer struct {
	o        Options
	settings Settings
	within   time.Duration
}

var _ alerts.Describer = (*Describer)(nil)

// New makes a Describer.
func New(o Options, s Settings) *Describer { return &Describer{o, s, lookFor} }

// Describe implements alerts.Describer. A notification that something ended gets links alone; when there is no time left, one
// gets links and the commands that need nothing to be looked up.
func (d *Describer) Describe(ctx context.Context, n *alerts.Notification) {
	if n.Resolved {
		n.Links = d.settings.links(n, nil)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, d.within)
	defer cancel()
	var suspects []*suspect
	said := map[string]bool{}
	for i := range n.Members[:min(len(n.Members), maxStudied)] {
		if ctx.Err() != nil {
			break
		}
		s := newStudy(d, n, &n.Members[i])
		if err := s.look(ctx); err != nil {
			d.o.Log.Warn("an alert is told without all that stands behind it", "rule", n.Rule, "err", err)
		}
		s.detail.Notes = slices.DeleteFunc(s.detail.Notes, func(note string) bool { return said[note] })
		for _, note := range s.detail.Notes {
			said[note] = true
		}
		n.Members[i].Detail = s.found()
		if s.suspect != nil {
			suspects = append(suspects, s.suspect)
		}
	}
	n.Links = d.settings.links(n, suspects)
	n.Commands = d.settings.commands(n, suspects)
}
