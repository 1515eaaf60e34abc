package intake_test

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
)

// harness is an intake on a real ledger, with a clock.
type harness struct {
	now    time.Time
	path   string
	ledger *sqlite.Ledger
	intake *intake.Intake
	seen   *recorder
}

func defaultSettings(t *testing.T) intake.Settings {
	t.Helper()
	classifier, err := mailbox.New()
	if err != nil {
		t.Fatal(err)
	}
	return intake.Settings{
		Identity: campaign.Spec{
			Identify: []campaign.Rule{
				{Tag: "ses:feedback-id-a"}, {Tag: "campaign"}, {Header: "Feedback-ID", Field: "a"}, {ConfigurationSet: "true"},
			},
			Tenants: []campaign.Rule{{ConfigurationSet: "^tenant-(.+)$"}},
		},
		Reporting:  mailbox.DefaultReportingProviders(),
		Classifier: classifier,
		KeepBodies: true,
	}
}

func newHarness(t *testing.T, change ...func(*intake.Options)) *harness {
	t.Helper()
	h := &harness{
		now:  time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC),
		path: filepath.Join(t.TempDir(), "ledger.db"),
	}
	h.open(t, change...)
	return h
}

// open opens the ledger, again if it was closed.
func (h *harness) open(t *testing.T, change ...func(*intake.Options)) {
	t.Helper()
	l, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: h.path, Now: func() time.Time { return h.now }, RoutineIDs: 10_000, ExceptionalIDs: 10_000,
		QuarantineBytes: 3 << 20, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h.seen = &recorder{}
	o := intake.Options{Ledger: l, Now: func() time.Time { return h.now }, Observer: h.seen, Settings: defaultSettings(t)}
	for _, c := range change {
		c(&o)
	}
	in, err := intake.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	h.ledger, h.intake = l, in
}

func (h *harness) status(t *testing.T) ledger.Status {
	t.Helper()
	if err := h.ledger.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := h.ledger.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cohorts reads everything that was tallied, in a fixed order.
func (h *harness) cohorts(t *testing.T) []ledger.CohortRow {
	t.Helper()
	h.status(t)
	c, err := h.ledger.Cohorts(t.Context(), ledger.CohortQuery{From: time.Unix(0, 0), To: h.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(c.Rows, func(a, b ledger.CohortRow) int {
		if d := a.Start.Compare(b.Start); d != 0 {
			return d
		}
		if d := int(a.Cell.Outcome) - int(b.Cell.Outcome); d != 0 {
			return d
		}
		return slices.Compare(
			[]string{a.Cell.Campaign.Tenant, a.Cell.Campaign.Name, a.Cell.Provider, a.Cell.Reason},
			[]string{b.Cell.Campaign.Tenant, b.Cell.Campaign.Name, b.Cell.Provider, b.Cell.Reason})
	})
	return c.Rows
}

// recorder is an observer that keeps what it was told.
type recorder struct {
	counted     []string
	took        []time.Duration
	fates       map[ledger.Fate]int
	quarantined []string
}

func (r *recorder) Counted(c *ledger.Cell) {
	r.counted = append(r.counted, c.Campaign.Name+" "+c.Provider+" "+c.Outcome.String())
}

func (r *recorder) Delivered(_ string, took time.Duration) { r.took = append(r.took, took) }

func (r *recorder) Entries(_ string, fate ledger.Fate, n int) {
	if r.fates == nil {
		r.fates = make(map[ledger.Fate]int)
	}
	r.fates[fate] += n
}

func (r *recorder) Quarantined(_, reason string) { r.quarantined = append(r.quarantined, reason) }
