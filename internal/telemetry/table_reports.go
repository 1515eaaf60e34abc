package telemetry

// The names of the instruments about reports.
const (
	ReportsMade    = "mailvane.reports.made"
	Reports        = "mailvane.reports"
	ReportsWaiting = "mailvane.reports.waiting.duration"
)

// reportInstruments are about reports and where they go.
func reportInstruments() []Instrument {
	return []Instrument{
		{Name: ReportsMade, Kind: Counter, Unit: "{report}",
			Description: "Reports that were made, or could not be: success, failure. A failed one is tried again.",
			Attributes:  []string{"report", "result"}},
		{Name: Reports, Kind: Counter, Unit: "{report}",
			Description: "Tries to deliver a report, by kind of destination (dir, s3, email, slack, webhook) and how they ended: success, refused, auth, quota, unavailable. Those that failed are tried again for a week, unless they were refused.",
			Attributes:  []string{"report", "destination", "result"}},
		{Name: ReportsWaiting, Kind: Gauge, Unit: "s",
			Description: "For how long the oldest report that is not delivered has waited, by kind of destination. 0 when none waits.",
			Attributes:  []string{"destination"}},
	}
}
