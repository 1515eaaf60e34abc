package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/config"
)

func newCheck() *cobra.Command {
	var path, webConfig string
	var online, notify bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration file",
		Long: `Check reads a configuration file and prints everything that is wrong with it at
once: the place, what is wrong, and what to write instead. It changes nothing
and asks nobody.

With --online it asks: each queue whether it can be reached and how it is set up,
each Google account what it can read and how fresh that is, CloudWatch and SES
which receipt rules there are, how each account stands, what may not be read and
what reading costs, and the ledger, if there is one, what SES publishes and how
Feedback-IDs are used. It says what is missing and the command that mends it. It
takes no message and changes nothing, so what cannot be tried that way is said,
and how to find it out.

With --online --notify it also sends a test event to every notifier, and ends it
again where it would stay open: people are told, and may be paged.

It ends with status 0 when the file can be used (warnings are printed all the
same), with 2 when it cannot, and with --online with 1 when something in it
cannot be read, or a notifier does not take the test event.`,
		Example: `  mailvane check --config mailvane.yaml
  mailvane check --config mailvane.yaml --online
  mailvane check --config mailvane.yaml --online --notify`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if notify && !online {
				return &usageError{errors.New("--notify needs --online")}
			}
			c, err := check(path, webConfig, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil || !online {
				return err
			}
			return checkOnline(cmd, c, notify)
		},
	}
	configFlag(cmd, &path)
	webConfigFlag(cmd, &webConfig)
	cmd.Flags().BoolVar(&online, "online", false, "ask the sources, too")
	cmd.Flags().BoolVar(&notify, "notify", false, "with --online: send a test event to every notifier")
	return cmd
}

// check checks the files and returns the configuration.
func check(path, webConfig string, stdout, stderr io.Writer) (*config.Config, error) {
	c, problems := config.LoadFile(path, config.WithWebConfig(webConfig))
	if err := printProblems(stderr, path, problems); err != nil {
		return nil, err
	}
	if err := app.CheckWebConfig(webConfig); err != nil {
		return nil, &usageError{err}
	}
	if c == nil {
		return nil, &usageError{errReported}
	}
	if len(problems) == 0 {
		fmt.Fprintf(stdout, "%s: no problems\n", path)
	}
	return c, summarise(stdout, c)
}

// printProblems prints problems and, after them, how many there are.
func printProblems(w io.Writer, path string, problems []config.Problem) error {
	faults := 0
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintln(&b, p)
		if !p.Warning {
			faults++
		}
	}
	var counts []string
	if faults > 0 {
		counts = append(counts, count(faults, "problem"))
	}
	if warnings := len(problems) - faults; warnings > 0 {
		counts = append(counts, count(warnings, "warning"))
	}
	if len(counts) > 0 {
		fmt.Fprintf(&b, "%s: %s\n", path, strings.Join(counts, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// summarise says what a daemon with this configuration would do.
func summarise(out io.Writer, c *config.Config) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(what, format string, args ...any) {
		fmt.Fprintf(w, "  %s\t"+format+"\n", append([]any{what}, args...)...)
	}
	line("answers on", "%s", c.HTTP.Listen)
	line("ledger", "%s, days in %s", c.Ledger.Path, c.Ledger.Zone)
	for _, q := range c.Collectors.SES {
		line("queue", "%s in %s%s", q.Name, q.Region, as(q.RoleARN))
	}
	for _, a := range c.Collectors.Postmaster {
		domains := "all verified domains"
		if n := len(a.Domains); n > 0 {
			domains = count(n, "domain")
		}
		line("Gmail", "%s by %s, every %s", domains, a.API, a.Every)
	}
	for _, r := range c.Collectors.ReceiptRules {
		line("receipt rules", "%s%s, every %s, %s", r.Region, as(r.RoleARN), r.Every, count(len(r.Rules), "purpose"))
	}
	for _, a := range c.Collectors.Account {
		line("SES account", "%s%s, every %s", a.Region, as(a.RoleARN), a.Every)
	}
	line("campaigns", "%s, %s, %s", count(len(c.Campaigns.Identify), "rule"), count(len(c.Campaigns.Rename), "rename"), count(len(c.Campaigns.Streams), "stream"))
	if n := len(c.Tenants.Identify); n > 0 {
		line("tenants", "%s", count(n, "rule"))
	}
	if n := len(c.Classification.Rules); n > 0 {
		line("reply rules", "%d of %s", n, c.Classification.RulesFile)
	}
	line("alerts", "%s, %s", count(len(c.AlertRules()), "rule"), told(&c.Alerts))
	for i := range c.Reports {
		r := &c.Reports[i]
		line("report", "%s, %s, to %s", r.Name, r.Schedule, count(len(r.To), "place"))
	}
	line("metrics", "%s", metricsOut(c.Telemetry))
	return w.Flush()
}

// told says how alerts get to people.
func told(a *config.Alerts) string {
	if len(a.Notifiers) == 0 {
		return "nobody is told"
	}
	return count(len(a.Routes), "route") + ", " + count(len(a.Notifiers), "notifier")
}

// as names the role that is assumed, if there is one.
func as(role config.RoleARN) string {
	if role == "" {
		return ""
	}
	return " as " + string(role)
}

func metricsOut(t config.Telemetry) string {
	var ways []string
	if t.Prometheus {
		ways = append(ways, "at /metrics")
	}
	switch {
	case t.OTLP == nil:
		ways = append(ways, "by OTLP if the environment says where to")
	case *t.OTLP:
		ways = append(ways, "by OTLP")
	}
	if len(ways) == 0 {
		return "none"
	}
	return strings.Join(ways, ", ")
}
