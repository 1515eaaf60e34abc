package app

import (
	"context"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/web/pages"
)

// pages are the pages for people.
func (d *Daemon) pages(readOnly bool) (*pages.Site, error) {
	return pages.New(pages.Options{
		View: d.view, Sources: d.describeSources, Quarantine: d.listQuarantine, Alerts: d.alertBook(),
		Reports: d.reports.archive, ReadOnly: readOnly, Rules: d.rulesInForce, Version: d.env.Version, Now: d.env.Now, Log: d.log,
	})
}

func (d *Daemon) rulesInForce() []alerts.Rule {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config.AlertRules()
}

// listQuarantine lists what was not understood, without the bodies: they hold what no page may show.
func (d *Daemon) listQuarantine(ctx context.Context, limit int) ([]pages.Quarantined, error) {
	rows, err := d.ledger.Quarantined(ctx, ledger.QuarantineQuery{Limit: limit})
	if err != nil {
		return nil, err
	}
	list := make([]pages.Quarantined, 0, len(rows))
	for i := range rows {
		q := &rows[i]
		list = append(list, pages.Quarantined{ID: q.ID, Source: q.Source, At: q.At, Reason: q.Reason, Detail: q.Detail, Bytes: int64(q.Size)})
	}
	return list, nil
}
