package app

import (
	"context"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/watch"
	"github.com/mailvane/mailvane/internal/web"
)

// SilenceAdd stores a silence, by the daemon that runs on the ledger or, when none does, in the ledger itself. It starts now
// unless it says otherwise.
func SilenceAdd(ctx context.Context, o CommandOptions, s alerts.Silence) (added web.Silence, err error) {
	c, err := o.config()
	if err != nil {
		return added, err
	}
	err = withExisting(ctx, o.Environment, c, "there is nothing to silence", func(w writer) error {
		added, err = w.silenceAdd(ctx, s)
		return err
	})
	return added, err
}

// SilenceEnd ends a silence now.
func SilenceEnd(ctx context.Context, o CommandOptions, id string) (ended web.Silence, err error) {
	c, err := o.config()
	if err != nil {
		return ended, err
	}
	err = withExisting(ctx, o.Environment, c, "nothing is silenced", func(w writer) error {
		ended, err = w.silenceEnd(ctx, id)
		return err
	})
	return ended, err
}

// SilenceList lists silences: those that have not ended, and with all those of the last 90 days, too. It works beside a running
// daemon.
func SilenceList(ctx context.Context, o CommandOptions, all bool) ([]web.Silence, error) {
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	r, err := sqlite.OpenReader(ctx, string(c.Ledger.Path))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	book := web.NewAlertBook(web.AlertOptions{Records: watch.NewRecords(r, o.Now), Now: o.Now})
	list, err := book.Silences(ctx, all, maxListed)
	return list.Silences, err
}

// maxListed bounds how many silences are listed, ended ones included.
const maxListed = 10_000

func (w *ownWriter) alertBook() *web.AlertBook {
	silences := watch.NewSilences(w.ledger, w.now, newID)
	return web.NewAlertBook(web.AlertOptions{Records: silences.Records, Silences: silences, Now: w.now})
}

func (w *ownWriter) silenceAdd(ctx context.Context, s alerts.Silence) (web.Silence, error) {
	return w.alertBook().AddSilence(ctx, s)
}

func (w *ownWriter) silenceEnd(ctx context.Context, id string) (web.Silence, error) {
	return w.alertBook().EndSilence(ctx, id)
}

func (c *controlClient) silenceAdd(ctx context.Context, s alerts.Silence) (added web.Silence, err error) {
	err = c.postJSON(ctx, "/silence/add", s, &added)
	return added, err
}

func (c *controlClient) silenceEnd(ctx context.Context, id string) (ended web.Silence, err error) {
	err = c.postJSON(ctx, "/silence/end", id, &ended)
	return ended, err
}
