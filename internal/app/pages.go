package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/replay"
	"github.com/mailvane/mailvane/internal/web/pages"
)

// pages are the pages for people.
func (d *Daemon) pages(c config.HTTP) (*pages.Site, error) {
	outside, err := url.Parse(string(c.ExternalURL))
	if err != nil {
		return nil, fmt.Errorf("http.external_url: %w", err)
	}
	return pages.New(pages.Options{
		View: d.view, Sources: d.describeSources, Quarantine: quarantine{d}, Alerts: d.alertBook(), Reports: d.reports.archive,
		Prefix: strings.TrimRight(outside.EscapedPath(), "/"), ReadOnly: c.ReadOnly, Rules: d.rulesInForce, Version: d.env.Version, Now: d.env.Now, Log: d.log,
	})
}

func (d *Daemon) rulesInForce() []alerts.Rule {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config.AlertRules()
}

// quarantine is what pages are shown of it: never a body that is not redacted.
type quarantine struct{ d *Daemon }

// List implements pages.Quarantine.
func (q quarantine) List(ctx context.Context, limit int) ([]pages.Quarantined, error) {
	rows, err := q.d.ledger.Quarantined(ctx, ledger.QuarantineQuery{Limit: limit})
	list := make([]pages.Quarantined, 0, len(rows))
	for i := range rows {
		list = append(list, quarantinedOf(&rows[i]))
	}
	return list, err
}

// Show implements pages.Quarantine.
func (q quarantine) Show(ctx context.Context, id int64) (pages.Quarantined, error) {
	rows, err := q.d.ledger.Quarantined(ctx, ledger.QuarantineQuery{ID: id, Bodies: true, Limit: 1})
	switch {
	case err != nil:
		return pages.Quarantined{}, err
	case len(rows) == 0:
		return pages.Quarantined{}, pages.ErrNotQuarantined
	}
	m := quarantinedOf(&rows[0])
	if rows[0].Body != "" {
		m.Redacted = replay.Redact(rows[0].Body)
	}
	return m, nil
}

func quarantinedOf(r *ledger.QuarantineRow) pages.Quarantined {
	return pages.Quarantined{ID: r.ID, Source: r.Source, At: r.At, Reason: r.Reason, Detail: r.Detail, Bytes: int64(r.Size)}
}

// Replay implements pages.Quarantine.
func (q quarantine) Replay(ctx context.Context, s replay.Selection) (replay.Summary, error) {
	sum, err := q.d.replayQuarantine(ctx, s)
	if errors.Is(err, ledger.ErrNotFound) {
		err = pages.ErrNotQuarantined
	}
	return sum, err
}

// replayQuarantine tries messages again, for pages and for commands.
func (d *Daemon) replayQuarantine(ctx context.Context, s replay.Selection) (replay.Summary, error) {
	d.mu.Lock()
	regions := regionsOf(d.config)
	d.mu.Unlock()
	return replay.Quarantine(ctx, d.ledger, d.intake, regions, s)
}
