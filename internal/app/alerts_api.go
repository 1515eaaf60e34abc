package app

import "github.com/mailvane/mailvane/internal/web"

// alertBook is what pages, the API and commands are told of alerts and silences.
func (d *Daemon) alertBook() *web.AlertBook {
	return web.NewAlertBook(web.AlertOptions{
		Watcher: d.alerts.watcher, Alarm: d.alerts.alarm, Records: d.alerts.records, Silences: d.alerts.silences, Explain: d.explainAlert,
		Now: d.env.Now,
	})
}
