package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/replay"
)

func newReplay() *cobra.Command {
	var o app.ReplayOptions
	var logs logFlags
	cmd := &cobra.Command{
		Use:   "replay FILE…",
		Short: "Count saved events",
		Long: `Replay counts events that were saved earlier: files with one JSON event a line,
or with JSON events one after the other, plain or gzip. It may be used while the
daemon runs, and again on the same file: what is known already is not counted
twice.

Replayed events count in campaigns and rates, not in exported counters. Events of
hours that the daemon has covered itself are refused, because the ledger may have
forgotten that it knows them; --assume-new takes them all the same.`,
		Example: `  mailvane replay --config mailvane.yaml events-2026-11-*.ndjson.gz
  mailvane replay --region eu-west-1 saved.json`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) == 0 {
				return &usageError{errors.New("name the files to replay")}
			}
			log, err := logs.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			o.Environment, o.Files = environment(log), files
			p := newProgress(cmd.ErrOrStderr(), time.Now)
			if p != nil {
				o.Progress = p.show
			}
			sum, err := app.Replay(cmd.Context(), o)
			p.clear()
			if err := reported(cmd, o.ConfigFile, err); err != nil {
				if sum.Values > 0 {
					err = errors.Join(err, printSummary(cmd.OutOrStdout(), sum))
				}
				return err
			}
			if err := printSummary(cmd.OutOrStdout(), sum); err != nil {
				return err
			}
			return understood(sum)
		},
	}
	configFlag(cmd, &o.ConfigFile)
	cmd.Flags().StringVar(&o.Region, "region", "", "the AWS region of events that tell none (default: that of the first queue)")
	cmd.Flags().BoolVar(&o.AssumeNew, "assume-new", false, "take events of hours that the daemon has covered")
	logs.add(cmd, "warn")
	return cmd
}

// understood fails when a replay counted nothing because it could read nothing: most likely those are not the files.
func understood(s replay.Summary) error {
	if s.Values > 0 && s.Unreadable == s.Values {
		return errors.New("nothing in the files was understood; they should hold SES events as JSON")
	}
	return nil
}

// printSummary says what became of saved events.
func printSummary(w io.Writer, s replay.Summary) error {
	for _, p := range s.Problems {
		fmt.Fprintln(w, p)
	}
	if more := s.Unreadable - len(s.Problems); more > 0 {
		fmt.Fprintf(w, "… and %d more that were not understood\n", more)
	}
	_, err := fmt.Fprintf(w, `%s read, %d not understood; of the recipients in them
  %d counted
  %d known already
  %d held for a tagged copy
  %d refused
`, count(s.Values, "event"), s.Unreadable, s.Counted, s.Duplicate, s.Held, s.Refused)
	if s.Refused > 0 && err == nil {
		_, err = fmt.Fprintln(w, "refused are events of hours that the daemon has covered; --assume-new takes them")
	}
	return err
}

// progress shows on a terminal how far a file has been read.
type progress struct {
	w    io.Writer
	now  func() time.Time
	last time.Time
	file string
}

// newProgress returns nil when w is no terminal.
func newProgress(w io.Writer, now func() time.Time) *progress {
	file, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return &progress{w: w, now: now}
}

// show prints the progress, at most ten times a second and at the end of each file.
func (p *progress) show(file string, read, size int64) {
	now := p.now()
	if file == p.file && read < size && now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.file, p.last = file, now
	percent := int64(100)
	if size > 0 {
		percent = 100 * read / size
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s %d %%", file, percent)
}

// clear removes the line of the progress.
func (p *progress) clear() {
	if p != nil && p.file != "" {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
