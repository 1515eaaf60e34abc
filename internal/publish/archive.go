package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/report"
)

// ErrNotFound says that no report of a number is kept.
var ErrNotFound = errors.New("there is no such report")

// Archive reads the reports that are kept, in any process.
type Archive struct{ ledger ledger.ReportReader }

// NewArchive makes an Archive of a ledger.
func NewArchive(l ledger.ReportReader) *Archive { return &Archive{l} }

// Query selects reports; empty fields select all. Limit 0 means 100.
type Query struct {
	Name string
	// Owner selects reports about one owner's campaigns, or with an empty text those about all.
	Owner *string
	// Period is a period's name, such as 2026-W46.
	Period string
	// Before, when not 0, continues a listing: only numbers below it.
	Before int64
	Limit  int
}

// Kept is a report that is kept, and how its deliveries stand.
type Kept struct {
	Number  int64  `json:"number"`
	Name    string `json:"name"`
	Owner   string `json:"owner,omitempty"`
	Edition int    `json:"edition"`
	// Period names the period, which begins at Start and ends before End.
	Period string    `json:"period"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Due    time.Time `json:"due"`
	MadeAt time.Time `json:"made_at"`
	// Bytes is how much room it takes in the ledger.
	Bytes      int        `json:"bytes"`
	Deliveries []Delivery `json:"deliveries"`
}

// Delivery is how a delivery of a report stands.
type Delivery struct {
	Destination string `json:"destination"`
	Kind        string `json:"kind"`
	// State is waiting, delivered or dead: given up.
	State    string `json:"state"`
	Attempts int    `json:"attempts"`
	// NextTry is when it is tried again, SettledAt when it was delivered or given up.
	NextTry   time.Time `json:"next_try,omitzero"`
	SettledAt time.Time `json:"settled_at,omitzero"`
	// Reason and Error are those of the last try, absent when it succeeded.
	Reason string `json:"reason,omitempty"`
	Error  string `json:"error,omitempty"`
}

// List lists reports, the newest first.
func (a *Archive) List(ctx context.Context, q Query) ([]Kept, error) {
	stored, err := a.ledger.Reports(ctx, ledger.ReportQuery(q))
	if err != nil {
		return nil, fmt.Errorf("list reports: %w", err)
	}
	all := make([]Kept, len(stored))
	for i := range stored {
		all[i] = kept(&stored[i])
	}
	return all, nil
}

// Open reads a report. The error is ErrNotFound when none of that number is kept.
func (a *Archive) Open(ctx context.Context, number int64) (Kept, *report.Report, error) {
	stored, err := a.ledger.Report(ctx, number)
	if errors.Is(err, ledger.ErrNotFound) {
		return Kept{}, nil, ErrNotFound
	}
	if err != nil {
		return Kept{}, nil, fmt.Errorf("read report %d: %w", number, err)
	}
	r, err := decode(stored.Body)
	if err != nil {
		return Kept{}, nil, fmt.Errorf("report %d: %w", number, err)
	}
	return kept(&stored), r, nil
}

func kept(r *ledger.Report) Kept {
	k := Kept{
		Number: r.Number, Name: r.Name, Owner: r.Owner, Edition: r.Edition, Period: r.Period, Start: r.Start, End: r.End,
		Due: r.Due, MadeAt: r.MadeAt, Bytes: r.Size, Deliveries: make([]Delivery, len(r.Deliveries)),
	}
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		k.Deliveries[i] = Delivery{
			Destination: d.Destination, Kind: d.Kind, State: string(d.State), Attempts: d.Attempts, SettledAt: d.SettledAt,
			Reason: d.Reason, Error: d.Error,
		}
		if d.SettledAt.IsZero() {
			k.Deliveries[i].NextTry = d.NextAt
		}
	}
	return k
}
