package report

import (
	"time"

	"github.com/mailvane/mailvane/internal/view"
)

// Source is what a report reads of a ledger. Every ledger is one.
type Source = view.PeriodReader

// Options say which report is made.
type Options struct {
	Period Period
	// Owner restricts the report to the campaigns of one owner, Campaign to those whose name fits a glob; empty ones select
	// all.
	Owner, Campaign string
	// Now is when the report is made.
	Now time.Time
	// Previous is an earlier edition of the same report, nil when there is none. Changes says what changed since.
	Previous *Report
	// Settings and Group are those of the view that the daemon shows figures with.
	Settings view.Settings
	Group    func(reason string) string
	// Link is the address of the daemon's pages, empty when there is none.
	Link string
	// Progress is told now and then how much of the reading is done; it may be nil.
	Progress func(done, total int)
}

// Report is a report. Its JSON names campaigns, recipients, signals and what Gmail says as the API does.
type Report struct {
	// Format is the version of this form, 1.
	Format int    `json:"format"`
	Period Period `json:"period"`
	// Owner and Campaign are what the report is restricted to.
	Owner    string `json:"owner,omitempty"`
	Campaign string `json:"campaign,omitempty"`
	// MadeAt is when the report was made, AsOf up to when the ledger knew what became of the mail.
	MadeAt time.Time `json:"made_at"`
	AsOf   time.Time `json:"as_of"`
	Link   string    `json:"link,omitempty"`
	// Sentences are the period in three sentences.
	Sentences []string `json:"sentences"`
}
