package view

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
)

// staleAfter is how long every source of SES events must have been failing for figures to be stale.
const staleAfter = 10 * time.Minute

const (
	// erasEvery is how often published event types and reporting providers are read. Both take effect at the next whole
	// hour as a rule, so an hour that begins right after a reading has hardly begun when it is noticed.
	erasEvery = time.Minute
	// erasRest is how much longer the next reading waits for each hour of mail that had to be recounted, so that many
	// origins that begin to publish, one after the other, cannot keep a view busy.
	erasRest = 10 * time.Second
)

// Reader is what a View reads of a ledger.
type Reader interface {
	Status(ctx context.Context) (ledger.Status, error)
	Zone() *time.Location
	Cohorts(ctx context.Context, q ledger.CohortQuery) (ledger.Cohorts, error)
	Changes(ctx context.Context, after ledger.Fold) (ledger.Changes, error)
	Published(ctx context.Context) ([]ledger.Published, error)
	Versions(ctx context.Context, kind string) ([]ledger.Version, error)
	Samples(ctx context.Context, q ledger.SampleQuery) ([]ledger.SampleRow, error)
	OwnTime(ctx context.Context, from, to time.Time) ([]ledger.OwnTimeRow, error)
	Uses(ctx context.Context, from, to time.Time) ([]ledger.UseRow, error)
	Readings(ctx context.Context, q ledger.ReadingQuery) ([]ledger.ReadingRow, error)
}

// Options are what a View needs beside the ledger.
type Options struct {
	// Group returns the group of a reason.
	Group func(reason string) string
	// FailingSince returns since when every source of SES events has been failing, the zero time when one of them works.
	// Refresh asks it. Nil stands for sources that never fail.
	FailingSince func() time.Time
	// Lag returns how far behind the sources of SES events are: the age of the oldest message that was received last.
	// RefreshAccounts asks it. Nil stands for sources that are never behind.
	Lag      func() time.Duration
	Settings Settings
}

// Settings are what a reload may change.
type Settings struct {
	// Owners name who answers for a campaign; the first that matches decides. They apply to all mail, whenever it was
	// sent.
	Owners []Owner
	// Streams matches campaigns that have no sends; nil matches none.
	Streams *campaign.Matcher
	// DayZone is where Gmail's days begin, UTC when nil.
	DayZone *time.Location
	// ReceiptPurposes say what receipt rules are for and which campaigns use them; the first that fits decides.
	ReceiptPurposes []ReceiptPurposes
}

// Owner is who answers for the campaigns that Match matches.
type Owner struct {
	Match *campaign.Matcher
	Owner string
}

func (s *Settings) owner(campaign string) string {
	for _, o := range s.Owners {
		if o.Match.Match(campaign) {
			return o.Owner
		}
	}
	return ""
}

func (s *Settings) zone() *time.Location { return cmp.Or(s.DayZone, time.UTC) }

// View holds figures of a ledger. Make one with New.
type View struct {
	reader       Reader
	group        func(string) string
	failingSince func() time.Time
	lag          func() time.Duration

	// refreshing is held through a Refresh, and guards erasDue, when the eras are read next.
	refreshing sync.Mutex
	erasDue    time.Time

	// joining is held through a RefreshGmail, and guards joiner. gmail is nil before the first.
	joining sync.Mutex
	joiner  joiner
	gmail   atomic.Pointer[gmail]

	// accounting is held through a RefreshAccounts, and guards accountant. accounts is nil before the first.
	accounting sync.Mutex
	accountant accountant
	accounts   atomic.Pointer[Accounts]

	// receiving is held through a RefreshInbound, and guards inboundReader. inbound is nil before the first.
	receiving     sync.Mutex
	inboundReader inboundReader
	inbound       atomic.Pointer[inbound]

	histories histories

	// mu guards everything below. Only Refresh and SetSettings write, and neither reads the ledger while it holds mu.
	mu       sync.RWMutex
	settings Settings
	sums     *sums
	asOf     time.Time
	// stale says that the sources were failing at the last Refresh.
	stale bool
	// late are the hours of mail older than a day of which something was counted since the last RefreshGmail; allLate says
	// that it may have been any.
	late    map[int64]bool
	allLate bool
}

// New makes a View that knows nothing until its first Refresh.
func New(reader Reader, o Options) *View {
	v := &View{reader: reader, group: o.Group, failingSince: o.FailingSince, lag: o.Lag, settings: o.Settings}
	if v.failingSince == nil {
		v.failingSince = func() time.Time { return time.Time{} }
	}
	if v.lag == nil {
		v.lag = func() time.Duration { return 0 }
	}
	v.sums, v.late = newSums(&eras{}), map[int64]bool{}
	return v
}

// SetSettings replaces the settings; they apply at once.
func (v *View) SetSettings(s Settings) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settings = s
	for _, c := range v.sums.campaigns {
		c.describe(&v.settings)
	}
}

// errReset says that the ledger no longer knows what changed since our last fold.
var errReset = errors.New("the ledger's changes are no longer known one by one")

// Refresh brings the view up to the ledger's last fold. The first one, and one that comes after a long pause, reads a
// week of cohorts. After an error the view keeps what it knew, and the next Refresh carries on.
func (v *View) Refresh(ctx context.Context) error {
	v.refreshing.Lock()
	defer v.refreshing.Unlock()
	status, err := v.reader.Status(ctx)
	if err != nil {
		return fmt.Errorf("refresh the view: %w", err)
	}
	asOf := status.AsOf
	if asOf.Before(v.asOf) {
		asOf = v.asOf
	}
	if asOf.IsZero() {
		return nil
	}
	err = errReset
	if !v.asOf.IsZero() {
		err = v.follow(ctx, asOf)
	}
	if errors.Is(err, errReset) {
		err = v.rebuild(ctx, asOf)
	}
	if err != nil {
		return fmt.Errorf("refresh the view: %w", err)
	}
	v.histories.forget(asOf.Add(-historyKept))
	failing := v.failingSince()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asOf, v.stale = asOf, !failing.IsZero() && asOf.Sub(failing) > staleAfter
	return nil
}
