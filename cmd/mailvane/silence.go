package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/watch"
	"github.com/mailvane/mailvane/internal/web"
)

func newSilence() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "silence",
		Short: "Keep alerts from being sent for a while",
		Long: `A silence keeps alerts that match from being sent while it lasts; they are watched
and listed all the same, and what was sent before is still ended. It takes effect
with the next evaluation of the rules. These commands may be used while the daemon
runs.`,
		Example: `  mailvane silence add --match "campaign=promo-*" --for 2h --comment "the list is being cleaned"
  mailvane silence list
  mailvane silence end k3q7zm2xw5pa`,
		RunE: group,
	}
	cmd.AddCommand(newSilenceAdd(), newSilenceList(), newSilenceEnd())
	return cmd
}

func newSilenceAdd() *cobra.Command {
	var o app.CommandOptions
	var f silenceFlags
	var format string
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Silence alerts",
		Long: `Add silences the alerts that fit all matchers, and prints the silence's id and how
many alerts that fire now it covers.

A matcher is label=value or label!=value; * stands for any text, ? for one
character. Labels are tenant, campaign, provider, domain, identifier, account,
region, rule_set, receipt_rule, source, notifier, detail, owner, rule, severity,
signal, by, cause, and those of rules.`,
		Example: `  mailvane silence add --match "campaign=promo-*" --for 2h --comment "the list is being cleaned"
  mailvane silence add --match rule=QueueLag --match source=ses/events --until 2026-11-21T06:00:00Z --comment "queue moves"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			o.Environment = environment(slog.New(slog.DiscardHandler))
			wanted, err := f.silence(o.Now())
			if err != nil {
				return &usageError{err}
			}
			added, err := app.SilenceAdd(cmd.Context(), o, wanted)
			switch {
			case err != nil:
				return reported(cmd, o.ConfigFile, err)
			case format == "json":
				return json.NewEncoder(cmd.OutOrStdout()).Encode(added)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "silence %s lasts until %s and covers %s\n", added.ID,
				added.EndsAt.Format(time.RFC3339), firing(added.Alerts))
			return err
		},
	}
	configFlag(cmd, &o.ConfigFile)
	formatFlag(cmd, &format)
	f.add(cmd)
	return cmd
}

func firing(n int) string {
	switch n {
	case 0:
		return "no alert that fires now"
	case 1:
		return "1 alert that fires now"
	default:
		return fmt.Sprintf("%d alerts that fire now", n)
	}
}

// silenceFlags say what is to be silenced, for how long and why.
type silenceFlags struct {
	match             []string
	length, until     string
	from, by, comment string
}

func (f *silenceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.match, "match", nil, "which alerts, such as campaign=promo-*; several must all match")
	cmd.Flags().StringVar(&f.length, "for", "", "for how long, such as 2h, 1h30m or 7d")
	cmd.Flags().StringVar(&f.until, "until", "", "until when, such as 2026-11-21T06:00:00Z or, on this machine's clock, \"2026-11-21 07:00\"")
	cmd.Flags().StringVar(&f.from, "from", "", "from when on, instead of now")
	cmd.Flags().StringVar(&f.by, "by", "", "who wants it (default: the user who runs the command)")
	cmd.Flags().StringVar(&f.comment, "comment", "", "why; it is shown to whoever wonders later")
}

// silence is what the flags ask for.
func (f *silenceFlags) silence(now time.Time) (s alerts.Silence, err error) {
	if len(f.match) == 0 {
		return s, errors.New("say which alerts, such as --match 'campaign=promo-*'")
	}
	for _, text := range f.match {
		m, err := alerts.ParseMatcher(text)
		if err != nil {
			return s, fmt.Errorf("--match: %w", err)
		}
		s.Matchers = append(s.Matchers, m)
	}
	s.StartsAt = now
	if f.from != "" {
		if s.StartsAt, err = parseTime(f.from); err != nil {
			return s, fmt.Errorf("--from: %w", err)
		}
	}
	switch {
	case (f.length == "") == (f.until == ""):
		return s, errors.New("say for how long, with either --for 2h or --until TIME")
	case f.until != "":
		if s.EndsAt, err = parseTime(f.until); err != nil {
			return s, fmt.Errorf("--until: %w", err)
		}
	default:
		span, err := watch.ParseSpan(f.length)
		if err != nil {
			return s, fmt.Errorf("--for: %w", err)
		}
		s.EndsAt = s.StartsAt.Add(span)
	}
	if s.Comment = strings.TrimSpace(f.comment); s.Comment == "" {
		return s, errors.New("say why, with --comment")
	}
	if s.CreatedBy = strings.TrimSpace(f.by); s.CreatedBy == "" {
		u, err := user.Current()
		if err != nil {
			return s, errors.New("say who wants it, with --by")
		}
		s.CreatedBy = u.Username
	}
	if err := s.Check(); err != nil {
		return s, errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return s, nil
}

// parseTime reads a time as machines write it, or as a clock on the wall shows it here.
func parseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04", text, time.Local); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q is not a time; write 2026-11-21T06:00:00Z or, on this machine's clock, \"2026-11-21 07:00\"", text)
}

func newSilenceList() *cobra.Command {
	var o app.CommandOptions
	var all bool
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List silences, the first to end first",
		Example: `  mailvane silence list
  mailvane silence list --all --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			o.Environment = environment(slog.New(slog.DiscardHandler))
			list, err := app.SilenceList(cmd.Context(), o, all)
			switch {
			case err != nil:
				return reported(cmd, o.ConfigFile, err)
			case format == "json":
				return printSilencesJSON(cmd.OutOrStdout(), list)
			}
			return printSilences(cmd.OutOrStdout(), list)
		},
	}
	configFlag(cmd, &o.ConfigFile)
	formatFlag(cmd, &format)
	cmd.Flags().BoolVar(&all, "all", false, "also those that ended in the last 90 days")
	return cmd
}

func printSilences(out io.Writer, list []web.Silence) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "nothing is silenced")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tFROM\tUNTIL\tALERTS\tBY\tWHICH\tWHY")
	for _, s := range list {
		which := make([]string, len(s.Matchers))
		for i, m := range s.Matchers {
			which[i] = m.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", s.ID, s.State, s.StartsAt.Format(time.RFC3339), s.EndsAt.Format(time.RFC3339),
			s.Alerts, oneLine(s.CreatedBy), oneLine(strings.Join(which, " ")), oneLine(s.Comment))
	}
	return w.Flush()
}

// oneLine makes what somebody wrote fit for a cell of a table.
func oneLine(text string) string { return printable(strings.Join(strings.Fields(text), " ")) }

// printSilencesJSON writes one object a line.
func printSilencesJSON(out io.Writer, list []web.Silence) error {
	e := json.NewEncoder(out)
	for _, s := range list {
		if err := e.Encode(s); err != nil {
			return err
		}
	}
	return nil
}

func newSilenceEnd() *cobra.Command {
	var o app.CommandOptions
	cmd := &cobra.Command{
		Use:     "end ID",
		Short:   "End a silence now",
		Example: `  mailvane silence end k3q7zm2xw5pa`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{errors.New("give the id of one silence; see mailvane silence list")}
			}
			o.Environment = environment(slog.New(slog.DiscardHandler))
			ended, err := app.SilenceEnd(cmd.Context(), o, args[0])
			if err != nil {
				return reported(cmd, o.ConfigFile, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "silence %s ended\n", ended.ID)
			return err
		},
	}
	configFlag(cmd, &o.ConfigFile)
	return cmd
}
