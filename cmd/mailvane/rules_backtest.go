package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/backtest"
)

func newRulesBacktest() *cobra.Command {
	var o app.RulesBacktestOptions
	var from, to, format string
	var episodes int
	cmd := &cobra.Command{
		Use:   "backtest",
		Short: "Say what the rules would have done",
		Long: `Backtest goes through the history of the ledger and says when the rules of the
configuration would have fired, about what, and how often notifiers would have
been told. It changes nothing, and may be used while the daemon runs.

It goes by 5 minutes in the last two days and by the hour before, back to 93
days. Some things are not known any more, and it says which: above all, what
became of a mail counts from when the mail was sent, because that is how the
ledger keeps it.`,
		Example: `  mailvane rules backtest --from 30d
  mailvane rules backtest --from 2026-11-01 --to 2026-11-08T12:00:00Z --rule CampaignComplaintRate
  mailvane rules backtest --config new.yaml --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := checkFormat(format); err != nil {
				return err
			}
			o.Environment = environment(slog.New(slog.DiscardHandler))
			if o.From, err = parseMoment("--from", from, o.Now()); err != nil {
				return err
			}
			if o.To, err = parseMoment("--to", to, o.Now()); err != nil {
				return err
			}
			clearLine := showProgress(cmd.ErrOrStderr(), &o)
			result, err := app.RulesBacktest(cmd.Context(), o)
			clearLine()
			switch {
			case errors.Is(err, backtest.ErrRange):
				return &usageError{err}
			case err != nil:
				return reported(cmd, o.ConfigFile, rulesError(err))
			case format == "json":
				return printJSON(cmd.OutOrStdout(), result)
			}
			return printBacktest(cmd.OutOrStdout(), result, episodes)
		},
	}
	configFlag(cmd, &o.ConfigFile)
	cmd.Flags().StringVar(&from, "from", "7d", "where to begin: a time, a day in UTC, or how long ago")
	cmd.Flags().StringVar(&to, "to", "", "where to end (default: what was counted last)")
	cmd.Flags().StringVar(&o.Rule, "rule", "", "this rule only")
	cmd.Flags().IntVar(&episodes, "episodes", 100, "how many episodes are listed as text; 0 for all")
	formatFlag(cmd, &format)
	return cmd
}

// parseMoment reads a time, a day, or how long ago; empty is the zero time.
func parseMoment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, &usageError{fmt.Errorf("%s %q is no time; write 2026-11-01, 2026-11-01T12:00:00Z, 30d or 12h", flag, text)}
}

// showProgress has a terminal show how far a backtest is. The line is removed by what it returns.
func showProgress(w io.Writer, o *app.RulesBacktestOptions) (clearLine func()) {
	file, ok := w.(*os.File)
	if !ok {
		return func() {}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func() {}
	}
	var last time.Time
	o.Progress = func(at, end time.Time) {
		if now := o.Now(); now.Sub(last) >= 100*time.Millisecond {
			last = now
			fmt.Fprintf(w, "\r\x1b[K%s of %s", at.Format(time.DateTime), end.Format(time.DateTime))
		}
	}
	return func() { fmt.Fprint(w, "\r\x1b[K") }
}

// printBacktest says what would have happened: rule by rule, then episode by episode.
func printBacktest(out io.Writer, r *backtest.Result, limit int) error {
	fmt.Fprintf(out, "From %s to %s, %s of %s, by what the ledger knew at %s.\n\n", r.From.Format(time.RFC3339), r.To.Format(time.RFC3339),
		count(r.Rounds, "round"), count(len(r.Rules), "rule"), r.AsOf.Format(time.RFC3339))
	if err := printRuleResults(out, r); err != nil {
		return err
	}
	if err := printEpisodes(out, r, limit); err != nil {
		return err
	}
	if len(r.NotTested) > 0 {
		fmt.Fprintln(out, "\nNot tried, because the ledger does not hold what they watch:")
		for _, line := range notTestedLines(r.NotTested) {
			fmt.Fprintf(out, "  %s\n", line)
		}
	}
	fmt.Fprintln(out, "\nWhat to keep in mind:")
	for _, l := range r.Limits {
		fmt.Fprintf(out, "  - %s\n", l)
	}
	return nil
}

// notTestedLines list rules with their signals, as many on a line as fit a terminal.
func notTestedLines(rules []backtest.NotTested) (lines []string) {
	const width = 100
	for _, n := range rules {
		text := fmt.Sprintf("%s (%s)", n.Rule, n.Signal)
		if last := len(lines) - 1; last >= 0 && len(lines[last])+len(text) < width {
			lines[last] += ", " + text
		} else {
			lines = append(lines, text)
		}
	}
	return lines
}

func printRuleResults(out io.Writer, r *backtest.Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tEPISODES\tCRITICAL\tMUTED\tTOLD\tFIRING FOR")
	quiet := 0
	for i := range r.Rules {
		rule := &r.Rules[i]
		if rule.Episodes == 0 {
			quiet++
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", rule.Rule, rule.Episodes, rule.Critical, rule.Muted, rule.Told, alerts.Seconds.Format(rule.Firing))
	}
	if quiet < len(r.Rules) {
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	if quiet > 0 {
		fmt.Fprintf(out, "%s would not have fired.\n", count(quiet, "rule"))
	}
	for _, n := range r.Notifiers {
		who := n.Notifier
		if who == "anybody" {
			who = "Notifiers, of which none is configured,"
		}
		fmt.Fprintf(out, "%s would have been told %s", who, times(n.Opened))
		if n.Worsened > 0 {
			fmt.Fprintf(out, ", and %s that it became critical", times(n.Worsened))
		}
		fmt.Fprintln(out, ".")
	}
	return nil
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func printEpisodes(out io.Writer, r *backtest.Result, limit int) error {
	shown := r.Episodes
	if limit > 0 && len(shown) > limit {
		shown = shown[:limit]
	}
	if len(shown) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FROM\tUNTIL\tSEVERITY\tRULE\tSUBJECT\tPEAK\tENDED")
	for _, e := range shown {
		from, until, ended := e.From.UTC().Format("2006-01-02 15:04"), "still", string(e.Reason)
		if e.Before {
			from = "≤ " + from
		}
		if !e.Until.IsZero() {
			until = e.Until.UTC().Format("2006-01-02 15:04")
		} else {
			ended = "-"
		}
		severity := e.Severity.String()
		if e.Muted {
			severity += " (muted)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", from, until, severity, e.Rule, e.Subject, peakWords(r, e), ended)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if more := len(r.Episodes) - len(shown) + r.MoreEpisodes; more > 0 {
		fmt.Fprintf(out, "… and %d more; --episodes shows more\n", more)
	}
	return nil
}

// peakWords are the worst figure of an episode.
func peakWords(r *backtest.Result, e *backtest.Episode) string {
	if !e.Peak.Known {
		return "-"
	}
	unit := alerts.Count
	for i := range r.Rules {
		if r.Rules[i].Rule == e.Rule {
			unit = r.Rules[i].Signal.Definition().Unit
		}
	}
	text := unit.Format(e.Peak.Value)
	if of := ofWords(&e.Peak); of != "-" {
		text += " (" + of + ")"
	}
	return text
}
