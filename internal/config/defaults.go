package config

import (
	"time"

	"github.com/mailvane/mailvane/internal/mailbox"
)

// prefilled is a part of the configuration whose fields do not all start empty. Whatever decodes one fills it first, so that
// the file only changes what it names.
type prefilled interface{ prefill() }

// Default is the configuration of a file that names nothing. It has no collectors, so it is not yet good to run.
func Default() *Config {
	c := new(Config)
	c.prefill()
	return c
}

func (c *Config) prefill() {
	c.HTTP.Listen = "127.0.0.1:9464"
	c.Ledger = Ledger{
		Path:    "mailvane.db",
		Zone:    "UTC",
		Budgets: Budgets{RoutineIDs: 16_000_000, ExceptionalIDs: 4_000_000},
	}
	c.Campaigns = Campaigns{
		Identify: []Rule{
			{Tag: "ses:feedback-id-a"},
			{Tag: "campaign"},
			{Header: "Feedback-ID", Field: "a"},
			{ConfigurationSet: "true"},
		},
		MaxExported: 500,
		MaxTracked:  20_000,
	}
	c.Complaints.ReportingProviders = mailbox.DefaultReportingProviders()
	c.Alerts = Alerts{Every: Duration(30 * time.Second), Defaults: true}
	c.Quarantine = Quarantine{Bodies: true, MaxBytes: 1 << 30, Keep: Duration(30 * day)}
	c.Telemetry.Prometheus = true
	c.Memory.InFlight = 64 << 20
}

func (s *SES) prefill() { s.MaxPasses = 128 }

func (p *Postmaster) prefill() {
	p.API = "v2"
	p.Every = Duration(time.Hour)
	p.DayZone = "UTC"
	p.RequestsPerSecond = 1
	p.Window, p.Backfill = Duration(14*day), Duration(120*day)
}

func (r *ReceiptRules) prefill() { r.Every = Duration(5 * time.Minute) }

func (a *Account) prefill() {
	a.Every = Duration(5 * time.Minute)
	a.RequestsPerSecond = 1
}

func (r *AlertRule) prefill() { r.Enabled = true }

func (s *SMTP) prefill() { s.Security = "starttls" }

func (h *Heartbeat) prefill() { h.Every = Duration(time.Minute) }

func (r *ReplyRule) prefill() { r.Kind = "by_class" }
