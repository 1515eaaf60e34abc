package view

import "github.com/mailvane/mailvane/internal/ledger"

// PeriodReader is what a period is read from.
type PeriodReader interface {
	Reader
	ledger.AlertReader
}
