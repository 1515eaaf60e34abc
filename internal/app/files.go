package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/replay"
	"github.com/mailvane/mailvane/internal/web"
)

// CommandOptions are those of the commands that work on a ledger beside the daemon.
type CommandOptions struct {
	Environment
	// ConfigFile is the configuration whose ledger is meant.
	ConfigFile string
}

func (o CommandOptions) config() (*config.Config, error) {
	c, problems := config.LoadFile(o.ConfigFile)
	if config.Failed(problems) {
		return nil, &ProblemsError{problems}
	}
	return c, nil
}

// ReplayOptions say what to replay.
type ReplayOptions struct {
	CommandOptions
	Files []string
	// AssumeNew takes events of hours that were already covered live.
	AssumeNew bool
	// Region is assumed for events that tell none; by default the region of the first queue.
	Region string
	// Progress, when not nil, is told how many bytes of the file have been read, and its size.
	Progress func(file string, read, size int64)
}

// Replay feeds saved events to the daemon that runs on the ledger, or, when none does, to the ledger itself. The summary
// covers what was counted before an error, too.
func Replay(ctx context.Context, o ReplayOptions) (replay.Summary, error) {
	c, err := o.config()
	if err != nil {
		return replay.Summary{}, err
	}
	if o.Region == "" && len(c.Collectors.SES) > 0 {
		o.Region = string(c.Collectors.SES[0].Region)
	}
	if err := existing(o.Files); err != nil {
		return replay.Summary{}, err
	}
	var sum replay.Summary
	err = withWriter(ctx, o.Environment, c, func(w writer) error {
		for _, file := range o.Files {
			got, err := replayFile(ctx, w, o, file)
			sum = sum.Plus(got)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return sum, err
}

// existing fails with all files that are not there or are folders, so that a wrong name among many is known before the first is
// counted.
func existing(files []string) (err error) {
	for _, file := range files {
		info, missing := os.Stat(file)
		switch {
		case missing != nil:
			err = errors.Join(err, missing)
		case info.IsDir():
			err = errors.Join(err, fmt.Errorf("%s is a folder; name the files in it", file))
		}
	}
	return err
}

func replayFile(ctx context.Context, w writer, o ReplayOptions, file string) (replay.Summary, error) {
	f, err := os.Open(file)
	if err != nil {
		return replay.Summary{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return replay.Summary{}, err
	}
	r := &countingReader{r: f, told: func(n int64) {
		if o.Progress != nil {
			o.Progress(file, n, info.Size())
		}
	}}
	return w.replay(ctx, r, replay.Options{Name: file, Region: o.Region, AssumeNew: o.AssumeNew})
}

// countingReader tells how much has been read.
type countingReader struct {
	r    io.Reader
	n    int64
	told func(int64)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.told(c.n)
	return n, err
}

// QuarantineReplay counts quarantined messages that may now be understood.
func QuarantineReplay(ctx context.Context, o CommandOptions, s replay.Selection) (replay.Summary, error) {
	c, err := o.config()
	if err != nil {
		return replay.Summary{}, err
	}
	var sum replay.Summary
	err = withExisting(ctx, o.Environment, c, nothingThere, func(w writer) error {
		sum, err = w.quarantineReplay(ctx, s)
		return err
	})
	return sum, err
}

// QuarantineDrop forgets quarantined messages and returns how many there were.
func QuarantineDrop(ctx context.Context, o CommandOptions, s replay.Selection) (int, error) {
	c, err := o.config()
	if err != nil {
		return 0, err
	}
	dropped := 0
	err = withExisting(ctx, o.Environment, c, nothingThere, func(w writer) error {
		dropped, err = w.quarantineDrop(ctx, s)
		return err
	})
	return dropped, err
}

// QuarantineList reads quarantined messages, newest first; it works beside a running daemon.
func QuarantineList(ctx context.Context, o CommandOptions, q ledger.QuarantineQuery) ([]ledger.QuarantineRow, error) {
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	r, err := sqlite.OpenReader(ctx, string(c.Ledger.Path))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Quarantined(ctx, q)
}

// writer is whoever may write to the ledger: the daemon that runs on it, or this process.
type writer interface {
	replay(ctx context.Context, body io.Reader, o replay.Options) (replay.Summary, error)
	quarantineReplay(ctx context.Context, s replay.Selection) (replay.Summary, error)
	quarantineDrop(ctx context.Context, s replay.Selection) (int, error)
	silenceAdd(ctx context.Context, s alerts.Silence) (web.Silence, error)
	silenceEnd(ctx context.Context, id string) (web.Silence, error)
}

// withWriter calls do with the daemon that runs on the ledger or, when there is none, with the ledger itself.
func withWriter(ctx context.Context, env Environment, c *config.Config, do func(writer) error) error {
	client, err := dialControl(ctx, string(c.Ledger.Path))
	if err == nil {
		return do(client)
	}
	if !errors.Is(err, errNotRunning) {
		return err
	}
	w, err := openWriter(ctx, env, c)
	if err != nil {
		return err
	}
	return errors.Join(do(w), w.ledger.Close())
}

const nothingThere = "nothing is in quarantine"

// withExisting is withWriter for what makes no sense on a ledger that is not there, and says what follows: none is made.
func withExisting(ctx context.Context, env Environment, c *config.Config, so string, do func(writer) error) error {
	if _, err := os.Stat(string(c.Ledger.Path)); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no ledger at %s yet, so %s", c.Ledger.Path, so)
	}
	return withWriter(ctx, env, c, do)
}

// ownWriter writes to a ledger on which no daemon runs.
type ownWriter struct {
	ledger *sqlite.Ledger
	intake *intake.Intake
	// regions are those of the queues, by name.
	regions map[string]string
	now     func() time.Time
	folded  time.Time
}

func regionsOf(c *config.Config) map[string]string {
	regions := make(map[string]string)
	for _, q := range c.Collectors.SES {
		regions[string(q.Name)] = string(q.Region)
	}
	return regions
}

func openWriter(ctx context.Context, env Environment, c *config.Config) (_ *ownWriter, err error) {
	l, err := sqlite.Open(ctx, ledgerOptions(env, c))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	set, err := settingsOf(c)
	if err != nil {
		return nil, err
	}
	in, err := intake.New(ctx, intake.Options{
		Ledger: l, Bounds: intake.Bounds{Campaigns: c.Campaigns.MaxTracked}, Now: env.Now, Settings: set.intake,
	})
	if err != nil {
		return nil, err
	}
	return &ownWriter{ledger: l, intake: in, regions: regionsOf(c), now: env.Now, folded: env.Now()}, nil
}

func (w *ownWriter) replay(ctx context.Context, body io.Reader, o replay.Options) (replay.Summary, error) {
	o.Sink = w
	return replay.Stream(ctx, body, o)
}

// Replay implements replay.Sink; no daemon folds, so this does.
func (w *ownWriter) Replay(ctx context.Context, b collectors.Batch) (intake.Summary, error) {
	sum, err := w.intake.Replay(ctx, b)
	if now := w.now(); err == nil && now.Sub(w.folded) >= foldEvery {
		w.folded = now
		err = w.ledger.Fold(ctx)
	}
	return sum, err
}

func (w *ownWriter) quarantineReplay(ctx context.Context, s replay.Selection) (replay.Summary, error) {
	return replay.Quarantine(ctx, w.ledger, w, w.regions, s)
}

func (w *ownWriter) quarantineDrop(ctx context.Context, s replay.Selection) (int, error) {
	return replay.Drop(ctx, w.ledger, s)
}
