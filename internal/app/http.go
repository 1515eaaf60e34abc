package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/mailvane/mailvane/internal/web"
)

// serveHTTP answers on the listener until the stop. The file webConfig sets TLS and authentication.
func (d *Daemon) serveHTTP(webConfig string, served chan<- error) error {
	if err := toolkit.Validate(webConfig); err != nil {
		return fmt.Errorf("web configuration file %s: %w", webConfig, err)
	}
	s := &http.Server{
		Handler: web.New(web.Options{
			View: d.view, Sources: d.sources, Ready: d.ready, Reload: d.Reload, Metrics: d.tel.Handler(), Log: d.log,
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
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
			served <- fmt.Errorf("serve HTTP: %w", err)
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
