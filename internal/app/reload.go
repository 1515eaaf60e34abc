package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/config"
)

// reloadState is how the newest reload ended.
type reloadState struct {
	refused bool
	// at is when the configuration in force took effect.
	at time.Time
}

// ProblemsError is a configuration that cannot be used.
type ProblemsError struct{ Problems []config.Problem }

// Error lists every problem, a line each.
func (e *ProblemsError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// needsRestartError is a change that a running daemon cannot take.
type needsRestartError struct{ keys []string }

func (e *needsRestartError) Error() string {
	return strings.Join(e.keys, ", ") + " cannot change while the daemon runs: restart it, or put the old value back"
}

// Reload reads the configuration again and puts it in force. When it returns an error the old one stays in force. What has
// begun is finished whatever becomes of ctx: half a reload would leave queues unread.
func (d *Daemon) Reload(ctx context.Context) error {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	err := d.replaceConfig(context.WithoutCancel(ctx))
	d.mu.Lock()
	if d.reload.refused = err != nil; err == nil {
		d.reload.at = d.env.Now()
	}
	d.mu.Unlock()
	if err != nil {
		d.log.Error("configuration not reloaded", "err", err)
		return err
	}
	d.log.Info("configuration reloaded")
	return nil
}

// replaceConfig is called with reloading held.
func (d *Daemon) replaceConfig(ctx context.Context) error {
	c, problems := d.setup.load()
	if config.Failed(problems) {
		return &ProblemsError{problems}
	}
	if keys := fixedKeys(d.config, c); len(keys) > 0 {
		return &needsRestartError{keys}
	}
	set, err := settingsOf(c)
	if err != nil {
		return err
	}
	alerting, err := d.env.policyOf(ctx, c)
	if err != nil {
		return err
	}
	plans, err := d.env.plansOf(ctx, c)
	if err != nil {
		return err
	}
	// Whatever can fail comes first; the sources come last because they are put back if one of them cannot be read.
	old := d.config
	for _, step := range []func() error{
		func() error { return d.rescheduleAlerts(ctx, c) },
		func() error { return errors.Join(d.dropRefused(ctx), d.setSources(ctx, c)) },
		func() error { return d.intake.Apply(ctx, set.intake) },
	} {
		if err := step(); err != nil {
			if back := errors.Join(d.setSources(ctx, old), d.rescheduleAlerts(ctx, old)); back != nil {
				err = errors.Join(err, fmt.Errorf("go back to the old configuration: %w", back))
			}
			return err
		}
	}
	d.alerts.apply(alerting)
	d.view.SetSettings(set.view)
	d.joinSoon()
	d.mu.Lock()
	d.config = c
	d.mu.Unlock()
	d.reports.publisher.Apply(plans)
	return nil
}

// fixedKeys names the keys that differ and take effect at a start only.
func fixedKeys(a, b *config.Config) []string {
	var keys []string
	for _, k := range []struct {
		key     string
		changed bool
	}{
		{"http", a.HTTP != b.HTTP},
		{"ledger", a.Ledger != b.Ledger},
		{"campaigns.max_exported", a.Campaigns.MaxExported != b.Campaigns.MaxExported},
		{"campaigns.max_tracked", a.Campaigns.MaxTracked != b.Campaigns.MaxTracked},
		{"quarantine.max_bytes", a.Quarantine.MaxBytes != b.Quarantine.MaxBytes},
		{"quarantine.keep", a.Quarantine.Keep != b.Quarantine.Keep},
		{"telemetry", !sameTelemetry(a.Telemetry, b.Telemetry)},
		{"memory", a.Memory != b.Memory},
	} {
		if k.changed {
			keys = append(keys, k.key)
		}
	}
	return keys
}

func sameTelemetry(a, b config.Telemetry) bool {
	pushA, pushB := a.OTLP == nil || *a.OTLP, b.OTLP == nil || *b.OTLP
	return a.Prometheus == b.Prometheus && a.CampaignByProvider == b.CampaignByProvider && pushA == pushB
}
