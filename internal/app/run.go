package app

import (
	"context"
	"errors"
	"math"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/mailvane/mailvane/internal/config"
)

// RunOptions say which configuration to run.
type RunOptions struct {
	Environment
	// ConfigFile is the configuration; WebConfig, when not empty, the file of the Prometheus exporter toolkit with TLS and
	// authentication.
	ConfigFile, WebConfig string
	// Listen, when not empty, goes before http.listen.
	Listen string
}

// Run runs the daemon until ctx ends. An unusable configuration is a *ProblemsError, or a *WebConfigError.
func Run(ctx context.Context, o RunOptions) error {
	load := func() (*config.Config, []config.Problem) {
		c, problems := config.LoadFile(o.ConfigFile, config.WithWebConfig(o.WebConfig))
		if c != nil && o.Listen != "" {
			c.HTTP.Listen = config.Address(o.Listen)
		}
		return c, problems
	}
	c, problems := load()
	if config.Failed(problems) {
		return &ProblemsError{problems}
	}
	for _, p := range problems {
		o.Log.Warn("configuration", "problem", p.String())
	}
	// From here on a hangup never ends the process; one that comes before the daemon stands is answered then.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	runtime.MemProfileRate = memProfileRate
	limitMemory(o.Environment, c)
	d, err := newDaemon(ctx, o.Environment, c, setup{load, o.ConfigFile, o.WebConfig})
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // it was told to stop before it was ready, which is as clean a stop as any
	}
	if err != nil {
		return err
	}
	defer d.reloadOn(ctx, hangups)()
	return d.run(ctx)
}

// reloadOn reloads the configuration on each hangup until the returned function is called.
func (d *Daemon) reloadOn(ctx context.Context, hangups <-chan os.Signal) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-hangups:
				_ = d.Reload(ctx) // Reload has logged it, and the metric says so
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// memProfileRate samples one allocation in 8 MiB for the heap profile of the control socket: at Go's default of 512 KiB the
// sampling alone takes 2 % of the work.
const memProfileRate = 8 << 20

// gcPercent lets the heap grow to three times what lives before it is collected. Most memory is what one receive brings and
// is gone at once, so collecting it less often saves work; more than this saves none that could be measured, and takes 100 MB.
const gcPercent = 200

// limitMemory sets Go's soft limit, so that garbage is collected harder instead of the process being killed.
func limitMemory(env Environment, c *config.Config) {
	if env.Env("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if env.Env("GOMEMLIMIT") != "" {
		return
	}
	limit := int64(c.Memory.Limit)
	if limit == 0 {
		limit = defaultMemory(c)
	}
	debug.SetMemoryLimit(limit)
}

// defaultMemory is what the budgets need when they are full: 11.4 bytes an id, three times the messages in flight (as
// received, decoded, and in the ledger's hands), and a base for everything else (docs/performance.md).
func defaultMemory(c *config.Config) int64 {
	const base, bytesPerID = 256 << 20, 11.4
	ids := float64(c.Ledger.Budgets.RoutineIDs+c.Ledger.Budgets.ExceptionalIDs) * bytesPerID
	return base + int64(math.Ceil(ids)) + 3*int64(c.Memory.InFlight)
}
