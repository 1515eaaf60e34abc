package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/report"
)

func newReport() *cobra.Command {
	var o app.ReportOptions
	var format, out string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the report of a week",
		Long: `Report says what happened in a week, campaign by campaign, and what to do: for
people who look at no board. It reads the ledger, and may be used while the daemon
runs. Without --week, --from or --to it is about the last whole week.

Days are whole days of the zone of the configured reports, else of the ledger, and
the first and the last are both included.`,
		Example: `  mailvane report --week 2026-W46 --out report.html
  mailvane report --from 2026-11-09 --to 2026-11-12 --owner growth --format md
  mailvane report --campaign "promo-*" --format csv > promo.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkReport(&o, format); err != nil {
				return err
			}
			o.Environment = environment(slog.New(slog.DiscardHandler))
			debug.SetGCPercent(50) // it may run beside a daemon, to which memory matters more than a second does here
			clearLine := showDays(cmd.ErrOrStderr(), &o)
			r, err := app.Report(cmd.Context(), o)
			clearLine()
			switch {
			case errors.Is(err, report.ErrPeriod), errors.Is(err, app.ErrNoOwner):
				return &usageError{err}
			case err != nil:
				return reported(cmd, o.ConfigFile, err)
			}
			if r.Campaign != "" && r.Totals.Campaigns == 0 && r.Before == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "mailvane: no campaign that sent mail then, or in the weeks before, has a name like %q\n", r.Campaign)
			}
			return writeReport(cmd.OutOrStdout(), out, r, report.Format(format))
		},
	}
	configFlag(cmd, &o.ConfigFile)
	cmd.Flags().StringVar(&o.Week, "week", "", "a week, Monday to Sunday, such as 2026-W46")
	cmd.Flags().StringVar(&o.From, "from", "", "the first day of another period, such as 2026-11-09")
	cmd.Flags().StringVar(&o.To, "to", "", "its last day, included")
	cmd.Flags().StringVar(&o.Zone, "zone", "", "where days begin, such as Europe/Berlin (default: that of the configured reports)")
	cmd.Flags().StringVar(&o.Campaign, "campaign", "", "only campaigns of this name; * stands for any text")
	cmd.Flags().StringVar(&o.Owner, "owner", "", "only campaigns of this owner")
	cmd.Flags().StringVar(&format, "format", string(report.FormatHTML), "html, md, csv or json")
	cmd.Flags().StringVar(&out, "out", "", "the file to write (default: standard output)")
	return cmd
}

func checkReport(o *app.ReportOptions, format string) error {
	switch {
	case !slices.Contains(report.Formats(), report.Format(format)):
		return &usageError{fmt.Errorf("--format %q is none of html, md, csv and json", format)}
	case o.Week != "" && (o.From != "" || o.To != ""):
		return &usageError{errors.New("give either --week or --from and --to")}
	case (o.From == "") != (o.To == ""):
		return &usageError{errors.New("give both --from and --to")}
	}
	return nil
}

// writeReport writes the report to a file, or to standard output when none is named. A file is whole or as it was before.
func writeReport(stdout io.Writer, path string, r *report.Report, format report.Format) error {
	if path == "" {
		return report.Write(stdout, r, format)
	}
	err := replaceFile(path, func(w io.Writer) error { return report.Write(w, r, format) })
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // it names a file that nobody has heard of
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Chmod(0o644), f.Close()) // it is for others to read
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// showDays shows on a terminal how much was read.
func showDays(w io.Writer, o *app.ReportOptions) (clearLine func()) {
	p := newProgress(w, time.Now)
	if p == nil {
		return func() {}
	}
	o.Progress = func(done, total int) { p.show("reading the ledger", int64(done), int64(total)) }
	return p.clear
}
