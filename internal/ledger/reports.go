package ledger

import (
	"context"
	"time"
)

// Bounds of what is kept of reports.
const (
	// MaxReport bounds the body of a report, in bytes.
	MaxReport = 16 << 20
	// ReportMonths is how many months reports are kept. MaxReports is how many there are at most, MaxReportsSize how many bytes
	// of bodies: the oldest go first, at the next Maintain.
	ReportMonths   = 25
	MaxReports     = 20_000
	MaxReportsSize = 1 << 30
)

// ReportWriter keeps reports about closed periods, and how the delivery of each stands.
type ReportWriter interface {
	// AddReport stores a report and the deliveries of it in one transaction, or nothing of them, and returns what it stored: with
	// its number and edition. The error is ErrConflict when there is a report of the same name, owner and due time, which is how
	// none is made twice.
	AddReport(ctx context.Context, r Report) (Report, error)
	// SettleReport stores how a delivery of a report stands. The error is ErrNotFound when it is not there or was settled
	// before.
	SettleReport(ctx context.Context, number int64, destination string, d Delivery) error
	// PutReportSchedule stores how far a schedule has been followed; it replaces what was stored under its name.
	PutReportSchedule(ctx context.Context, s ReportSchedule) error
}

// ReportReader reads what a ReportWriter stored. It is seen as soon as it is committed.
type ReportReader interface {
	// ReportSchedules lists the schedules in the order of their names.
	ReportSchedules(ctx context.Context) ([]ReportSchedule, error)
	// Reports lists reports without their bodies, the newest first.
	Reports(ctx context.Context, q ReportQuery) ([]Report, error)
	// UndeliveredReports lists those with deliveries that are not settled, and these alone, without bodies, the oldest first.
	UndeliveredReports(ctx context.Context) ([]Report, error)
	// Report reads one with its body. The error is ErrNotFound when it is not there.
	Report(ctx context.Context, number int64) (Report, error)
}

// ReportSchedule is how far the schedule of reports of a name has been followed.
type ReportSchedule struct {
	Name string
	// Schedule is its text, by which a change of it is known. Whatever was due up to Through has been made, or was due before
	// there was such a schedule.
	Schedule string
	Through  time.Time
}

// Report is a report that was made.
type Report struct {
	// Number orders the reports; the ledger gives it.
	Number int64
	// Name is that of the schedule; Owner is whose campaigns it speaks of, empty for all.
	Name, Owner string
	// Due is when it should have been made, MadeAt when it was.
	Due, MadeAt time.Time
	// Start and End bound the period, End excluded; Period names it.
	Start, End time.Time
	Period     string
	// Edition counts the reports of one name, owner and period from 1; the ledger gives it.
	Edition int
	// Size is that of the body in bytes; the ledger gives it. Body is the report in the form of whoever made it.
	Size       int
	Body       []byte
	Deliveries []ReportDelivery
}

// ReportDelivery is how the delivery of a report to one destination stands. It is waiting until it is delivered or dead.
type ReportDelivery struct {
	// Destination is unique among those of a report; Kind says what it is.
	Destination, Kind string
	// SettledAt is zero until it is settled; the ledger sets it.
	SettledAt time.Time
	Delivery
}

// ReportQuery selects reports; empty fields select all. Limit 0 means 100.
type ReportQuery struct {
	Name string
	// Owner selects reports about one owner's campaigns, or with an empty text those about all.
	Owner *string
	// Period selects those of one period.
	Period string
	// Before, when not 0, continues a listing: only numbers below it.
	Before int64
	Limit  int
}
