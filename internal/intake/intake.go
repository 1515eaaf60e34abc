package intake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	// holdFor is how long an untagged identity notification waits for its tagged copy.
	holdFor = 15 * time.Minute
	// maxAhead and maxAge bound the times that an event may carry: beyond them lies a broken clock or a hostile sender.
	maxAhead = 10 * time.Minute
	maxAge   = 60 * 24 * time.Hour
)

// Ledger is what an Intake needs of a ledger.
type Ledger interface {
	Commit(ctx context.Context, p ledger.Put) (ledger.Result, error)
	Release(ctx context.Context) ([]ledger.Entry, error)
	HashKey() [16]byte
	Versions(ctx context.Context, kind string) ([]ledger.Version, error)
	AddVersion(ctx context.Context, kind string, v ledger.Version) error
	LearnedDomains(ctx context.Context) ([]ledger.LearnedDomain, error)
	Campaigns(ctx context.Context) ([]ledger.CampaignUse, error)
}

// Options are what an Intake is made of.
type Options struct {
	Ledger Ledger
	// Bounds caps the names that mail can bring; zero fields mean DefaultBounds.
	Bounds Bounds
	// Observer is told of what was counted live; nil for none.
	Observer Observer
	// Readings is told of what grew in readings; nil for none.
	Readings ReadingObserver
	// Now is the clock; nil for time.Now.
	Now      func() time.Time
	Settings Settings
}

// Intake turns batches into entries and commits them. It implements collectors.Sink.
type Intake struct {
	ledger   Ledger
	observer Observer
	readings ReadingObserver
	now      func() time.Time
	bounded  *bounded
	floods   *floods
	learned  *learned
	settings atomic.Pointer[settings]
	// applying serialises Apply, so that versions are added one after the other.
	applying sync.Mutex
	work     sync.Pool
}

var _ collectors.Sink = (*Intake)(nil)

// New makes an Intake that goes on where the ledger stands.
func New(ctx context.Context, o Options) (*Intake, error) {
	in := &Intake{
		ledger: o.Ledger, observer: o.Observer, readings: o.Readings, now: o.Now, bounded: newBounded(o.Bounds.orDefault()),
		floods: newFloods(),
	}
	if in.observer == nil {
		in.observer = noObserver{}
	}
	if in.readings == nil {
		in.readings = noObserver{}
	}
	if in.now == nil {
		in.now = time.Now
	}
	domains, err := o.Ledger.LearnedDomains(ctx)
	if err != nil {
		return nil, fmt.Errorf("read learned domains: %w", err)
	}
	in.learned = newLearned(domains)
	campaigns, err := o.Ledger.Campaigns(ctx)
	if err != nil {
		return nil, fmt.Errorf("read campaigns: %w", err)
	}
	for _, c := range campaigns {
		in.bounded.campaigns.remember(c.Campaign, c.LastUsed)
		if c.Campaign.Tenant != "" {
			in.bounded.tenants.remember(c.Campaign.Tenant, c.LastUsed)
		}
	}
	if err := in.Apply(ctx, o.Settings); err != nil {
		return nil, err
	}
	key := o.Ledger.HashKey()
	in.work.New = func() any { return &work{hash: newHasher(key)} }
	return in, nil
}

// Put counts a batch. See collectors.Sink; its errors are *collectors.KeptError and those of the ledger.
func (in *Intake) Put(ctx context.Context, b collectors.Batch) error {
	_, err := in.put(ctx, &b)
	return err
}

// Summary says what a Replay did with the events of a batch.
type Summary struct {
	// Recipients says how many entries had each fate.
	Recipients map[ledger.Fate]int
	// Unreadable lists what could not be counted, with the reason; Message indexes the batch's Messages.
	Unreadable []collectors.Unreadable
}

// Replay counts a batch of saved events. What cannot be read is told instead of quarantined: the file is still there.
func (in *Intake) Replay(ctx context.Context, b collectors.Batch) (Summary, error) {
	if b.Replay == nil {
		b.Replay = &collectors.Replay{}
	}
	return in.put(ctx, &b)
}

func (in *Intake) put(ctx context.Context, b *collectors.Batch) (Summary, error) {
	w := in.work.Get().(*work)
	defer in.work.Put(w)
	w.begin(in.now(), in.settings.Load())
	sum := Summary{}
	for i := range b.Events {
		e := &b.Events[i]
		if reason, ok := outOfRange(e, w.now); ok {
			sum.Unreadable = append(sum.Unreadable, reason)
			continue
		}
		in.entriesOf(w, e)
	}
	for i := range b.Statuses {
		s := &b.Statuses[i]
		if s.At.Sub(w.now) > maxAhead {
			sum.Unreadable = append(sum.Unreadable, ahead(s.Message, s.At))
			continue
		}
		w.statuses = append(w.statuses, *s)
	}
	sum.Unreadable = append(sum.Unreadable, b.Unreadable...)
	p := in.putOf(w, b)
	if b.Replay == nil {
		w.keep(b, sum.Unreadable)
		p.Quarantine = w.quarantine
	}
	// The events share memory with the caller's buffers, so the answer is awaited whatever becomes of ctx.
	result, err := in.ledger.Commit(context.WithoutCancel(ctx), p)
	if err != nil {
		return Summary{}, &collectors.Error{
			Source: b.Source, Op: "store what was read from", Reason: collectors.ReasonLedger, Err: err,
		}
	}
	in.learned.learn(w.learned)
	sum.Recipients = in.tell(w, b, p, result)
	if !p.Replay {
		in.tellReadings(b, result.Readings)
	}
	return sum, kept(w, result)
}

// putOf assembles the Put of a batch from the entries in w.
func (in *Intake) putOf(w *work, b *collectors.Batch) ledger.Put {
	p := ledger.Put{
		Source:    b.Source,
		Entries:   w.entries,
		Readings:  b.Readings,
		Positions: b.Positions,
		Statuses:  w.statuses,
		Learned:   w.learned,
		Key:       b.Key,
	}
	for _, c := range b.Confirms {
		p.Confirms = append(p.Confirms, ledger.Confirm{Key: c.Key, Kept: c.Kept})
	}
	if b.Replay != nil {
		p.Replay, p.AssumeNew = true, b.Replay.AssumeNew
	}
	return p
}

// tell reports fates to the observer, and counts them. Replays feed cohorts, never exported counters.
func (in *Intake) tell(w *work, b *collectors.Batch, p ledger.Put, result ledger.Result) map[ledger.Fate]int {
	var fates [ledger.Refused + 1]int
	for i, fate := range result.Fates {
		fates[fate]++
		if fate != ledger.Counted || p.Replay {
			continue
		}
		in.observer.Counted(&p.Entries[i].Cell)
		if w.took[i] >= 0 {
			in.observer.Delivered(p.Entries[i].Cell.Provider, w.took[i])
		}
	}
	counts := make(map[ledger.Fate]int)
	for fate := ledger.Counted; fate <= ledger.Refused; fate++ {
		if fates[fate] == 0 {
			continue
		}
		counts[fate] = fates[fate]
		if !p.Replay {
			in.observer.Entries(b.Source, fate, fates[fate])
		}
	}
	if p.Replay {
		return counts
	}
	for i := range p.Quarantine {
		in.observer.Quarantined(b.Source, p.Quarantine[i].Reason)
	}
	return counts
}

// tellReadings reports what grew.
func (in *Intake) tellReadings(b *collectors.Batch, changes []ledger.ReadingChange) {
	for _, c := range changes {
		r := &b.Readings[c.Index]
		if r.Value == nil || r.Start.Before(b.Since) {
			continue
		}
		by := *r.Value
		if c.Highest != nil {
			by -= *c.Highest
		}
		if by > 0 {
			in.readings.Grew(&r.Key, by)
		}
	}
}

// Release counts the identity notifications for which no tagged copy came in time, and returns how many of them came
// live.
func (in *Intake) Release(ctx context.Context) (int, error) {
	entries, err := in.ledger.Release(ctx)
	for i := range entries {
		in.observer.Counted(&entries[i].Cell)
	}
	if err != nil {
		return len(entries), fmt.Errorf("release held notifications: %w", err)
	}
	return len(entries), nil
}

// FoldedNames says how many names have a place, and how many events lost their name to (other) since the start.
type FoldedNames struct {
	Dimension       string
	Tracked, Folded int64
}

// FoldedNames lists every dimension that is capped.
func (in *Intake) FoldedNames() []FoldedNames {
	b := in.bounded
	return []FoldedNames{
		{"campaign", int64(b.campaigns.tracked()), b.campaigns.folded.Load()},
		{"tenant", int64(b.tenants.tracked()), b.tenants.folded.Load()},
		{"from_domain", int64(b.fromDomains.tracked()), b.fromDomains.folded.Load()},
		{"configuration_set", int64(b.configurationSets.tracked()), b.configurationSets.folded.Load()},
		{"identifier", int64(b.identifiers.tracked()), b.identifiers.folded.Load()},
	}
}

// outOfRange refuses events whose times cannot be true.
func outOfRange(e *observation.Event, now time.Time) (collectors.Unreadable, bool) {
	latest := e.At
	if e.SentAt.After(latest) {
		latest = e.SentAt
	}
	switch {
	case latest.Sub(now) > maxAhead:
		return ahead(e.Message, latest), true
	case now.Sub(e.SentAt) > maxAge:
		return collectors.Unreadable{
			Message: e.Message, Reason: collectors.ReasonPast,
			Detail: "the mail was sent at " + e.SentAt.UTC().Format(time.RFC3339) + ", more than 60 days ago",
		}, true
	default:
		return collectors.Unreadable{}, false
	}
}

// ahead refuses what is dated in the future.
func ahead(message int, at time.Time) collectors.Unreadable {
	return collectors.Unreadable{
		Message: message, Reason: collectors.ReasonFuture,
		Detail: "the event is dated " + at.UTC().Format(time.RFC3339) + ", more than 10 minutes ahead of this machine's clock",
	}
}

func (w *work) begin(now time.Time, s *settings) {
	w.now, w.set = now, s
	clear(w.entries)
	w.entries = w.entries[:0]
	w.took = w.took[:0]
	w.learned = w.learned[:0]
	clear(w.statuses)
	w.statuses = w.statuses[:0]
	clear(w.quarantine) // bodies may be large
	w.quarantine = w.quarantine[:0]
}

// add appends an entry; took is how long its delivery took, negative for everything else.
func (w *work) add(e ledger.Entry, took time.Duration) {
	w.entries = append(w.entries, e)
	w.took = append(w.took, took)
}

// keep turns what was not understood into rows of quarantine.
func (w *work) keep(b *collectors.Batch, unreadable []collectors.Unreadable) {
	for _, u := range unreadable {
		q := ledger.Quarantined{Message: u.Message, At: w.now, Reason: string(u.Reason), Detail: u.Detail}
		if u.Message >= 0 && u.Message < len(b.Messages) {
			m := &b.Messages[u.Message]
			q.MessageID, q.Size = m.ID, len(m.Body)
			if w.set.keepBodies {
				q.Body = m.Body
			}
		}
		w.quarantine = append(w.quarantine, q)
	}
}

var errQuarantineFull = errors.New("quarantine is full: drop or replay some of it, or raise quarantine.max_bytes")

// kept names the messages that quarantine had no room for.
func kept(w *work, result ledger.Result) error {
	if len(result.QuarantineFull) == 0 {
		return nil
	}
	e := &collectors.KeptError{Err: errQuarantineFull}
	for _, i := range result.QuarantineFull {
		if i < 0 || i >= len(w.quarantine) {
			panic("intake: the ledger refused message " + strconv.Itoa(i) + " that it was not given")
		}
		e.Messages = append(e.Messages, w.quarantine[i].Message)
	}
	return e
}
