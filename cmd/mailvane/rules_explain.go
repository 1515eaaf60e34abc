package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/wording"
	"github.com/mailvane/mailvane/internal/app"
)

func newRulesExplain() *cobra.Command {
	var o app.CommandOptions
	var q app.RuleQuestion
	var format string
	cmd := &cobra.Command{
		Use:   "explain RULE",
		Short: "Say why a rule is in its state",
		Long: `Explain holds the figures of now against a rule and says for each subject how it
stands: numerator and denominator, the interval, the line, the state and since
when, and what would change it. Those that fire come first, then those that are
nearest to their line.

--subject selects: a name with *, which one field of the subject must fit
("spring-*"), a subject as it is printed, or labels that all must match
("campaign=spring-*,provider!=other").

It asks the running daemon. Without one it goes by the ledger alone, as of what
was counted last.`,
		Example: `  mailvane rules explain CampaignComplaintRate
  mailvane rules explain CampaignComplaintRate --subject spring-sale
  mailvane rules explain GmailSpamRate --format json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{errors.New("name one rule; mailvane rules explain --help says how")}
			}
			if err := checkFormat(format); err != nil {
				return err
			}
			o.Environment, q.Rule = environment(slog.New(slog.DiscardHandler)), args[0]
			answer, err := app.RulesExplain(cmd.Context(), o, q)
			if err != nil {
				return reported(cmd, o.ConfigFile, rulesError(err))
			}
			if format == "json" {
				return printJSON(cmd.OutOrStdout(), answer)
			}
			return printExplained(cmd.OutOrStdout(), &answer, q.Subject != "")
		},
	}
	configFlag(cmd, &o.ConfigFile)
	cmd.Flags().StringVar(&q.Subject, "subject", "", "only these subjects, with all that is known of them")
	cmd.Flags().IntVar(&q.Limit, "limit", 20, "how many subjects at most; 0 for all")
	formatFlag(cmd, &format)
	return cmd
}

// rulesError makes an error of usage of one that is told as such.
func rulesError(err error) error {
	if usage, ok := errors.AsType[*app.UsageError](err); ok {
		return &usageError{usage.Err}
	}
	return err
}

func formatFlag(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVar(format, "format", "text", "text or json")
}

func checkFormat(format string) error {
	if format != "text" && format != "json" {
		return &usageError{fmt.Errorf("--format %q is neither text nor json", format)}
	}
	return nil
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printExplained prints all that is known of each subject, or one line for each.
func printExplained(out io.Writer, a *app.RuleAnswer, whole bool) error {
	over := ""
	if a.Window != "" {
		over = " over " + a.Window
	}
	from := ""
	if !a.Daemon {
		from = ", by the ledger alone: no daemon runs"
	}
	fmt.Fprintf(out, "%s: %s by %s%s, as of %s%s\n\n", a.Rule, a.Signal, a.By, over, a.AsOf.UTC().Format(time.RFC3339), from)
	switch {
	case a.Total == 0 && whole:
		fmt.Fprintln(out, "nothing fits the subject")
	case a.Total == 0:
		fmt.Fprintln(out, "there is nothing that it could be about")
	case whole:
		printSubjects(out, a.Subjects)
	default:
		if err := printSubjectTable(out, a); err != nil {
			return err
		}
	}
	if more := a.Total - len(a.Subjects); more > 0 {
		fmt.Fprintf(out, "\n… and %d more; --limit shows more, --subject those that you name\n", more)
	}
	return nil
}

func printSubjects(out io.Writer, subjects []app.RuleSubject) {
	for i := range subjects {
		x := &subjects[i]
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s: %s\n", x.Subject, phaseWords(&x.Explanation))
		for _, line := range wording.Explain(&x.Explanation) {
			fmt.Fprintf(out, "  %s\n", &line)
		}
		for _, line := range dataWords(&x.Explanation) {
			fmt.Fprintf(out, "  %s\n", line)
		}
		if x.MutedBy != "" {
			fmt.Fprintf(out, "  nobody is told: %s stands for it\n", x.MutedBy)
		}
		if x.Silence != "" {
			fmt.Fprintf(out, "  nobody is told: silence %s covers it\n", x.Silence)
		}
	}
}

// phaseWords say where an alert stands and since when.
func phaseWords(x *alerts.Explanation) string {
	text := x.Phase
	if x.Severity != alerts.None {
		text += " " + x.Severity.String()
	}
	if !x.Since.IsZero() {
		text += " since " + x.Since.UTC().Format(time.RFC3339)
	}
	return text
}

// dataWords say what the figures rest on.
func dataWords(x *alerts.Explanation) []string {
	if len(x.Lines) == 0 {
		return nil
	}
	e := &x.Lines[0].Evidence
	text := "data: " + strings.ReplaceAll(e.State, "_", " ")
	if !e.AsOf.IsZero() {
		text += ", as of " + e.AsOf.UTC().Format(time.RFC3339)
	}
	if e.MeasuredShare > 0 {
		text += fmt.Sprintf(", speaks of %s of the deliveries", alerts.Ratio.Format(e.MeasuredShare))
	}
	return []string{text}
}

func printSubjectTable(out io.Writer, a *app.RuleAnswer) error {
	unit := a.Signal.Definition().Unit
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SUBJECT\tSTATE\tVALUE\tOF\tDATA\tWARNING\tCRITICAL")
	for i := range a.Subjects {
		x := &a.Subjects[i].Explanation
		cells := [2]string{"-", "-"}
		value, of, data := "-", "-", "-"
		for k := range x.Lines {
			l := &x.Lines[k]
			cells[l.Severity-1] = cellWords(x, l)
			data = strings.ReplaceAll(l.Evidence.State, "_", " ")
			if l.Evidence.Known {
				value = unit.Format(l.Evidence.Value)
				of = ofWords(&l.Evidence)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Subject, stateWords(&a.Subjects[i]), value, of, data, cells[0], cells[1])
	}
	return w.Flush()
}

func stateWords(x *app.RuleSubject) string {
	text := x.Phase
	if x.Severity != alerts.None {
		text = x.Severity.String()
	}
	switch {
	case x.Silence != "":
		text += " (silenced)"
	case x.MutedBy != "":
		text += " (muted)"
	}
	return text
}

// ofWords say what a figure is made of.
func ofWords(e *alerts.Evidence) string {
	switch {
	case e.Interval:
		return fmt.Sprintf("%d of %d", e.Numerator, e.Denominator)
	case e.Day != 0:
		return fmt.Sprintf("%s, %s days", e.Day, e.Days)
	default:
		return "-"
	}
}

// cellWords say in a word or two how a figure stands against a line.
func cellWords(x *alerts.Explanation, l *alerts.LineState) string {
	if !x.Selected {
		return "left out"
	}
	text := l.Verdict
	if l.Needed != nil {
		sign := "+"
		if l.Evidence.Below {
			sign = "-"
		}
		text += fmt.Sprintf(" (%s%d)", sign, *l.Needed)
	}
	if l.FiresIn != nil && *l.FiresIn > 0 {
		text += ", fires in " + wording.Span(*l.FiresIn)
	}
	if l.EndsIn != nil {
		text += ", ends in " + wording.Span(*l.EndsIn)
	}
	return text
}
