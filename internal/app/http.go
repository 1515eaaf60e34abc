package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/mailvane/mailvane/internal/web"
)

// show makes the handler the one that answers from now on.
func (d *Daemon) show(h http.Handler) { d.site.Store(&h) }

// serveHTTP answers on the listener until the stop. The file webConfig sets TLS and authentication.
func (d *Daemon) serveHTTP(webConfig string) error {
	if err := CheckWebConfig(webConfig); err != nil {
		return err
	}
	d.show(web.Unready("the ledger is being opened"))
	s := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*d.site.Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(d.log.Handler(), slog.LevelWarn),
	}
	d.onStop("HTTP server", func(ctx context.Context) error {
		if err := s.Shutdown(ctx); err != nil {
			return errors.Join(err, s.Close())
		}
		return nil
	})
	systemd := false
	flags := &toolkit.FlagConfig{WebSystemdSocket: &systemd, WebConfigFile: &webConfig}
	go func() {
		if err := toolkit.Serve(d.listener, s, flags, d.log); !errors.Is(err, http.ErrServerClosed) {
			d.served <- fmt.Errorf("serve HTTP: %w", err)
		}
	}()
	return nil
}

// ready says why the daemon cannot do its work.
func (d *Daemon) ready() error {
	if !d.caughtUp.Load() {
		return errors.New("the ledger is being read")
	}
	return d.status.Load().CommitErr
}
