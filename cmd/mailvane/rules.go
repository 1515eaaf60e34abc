package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/alerts/wording"
	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/ruletest"
)

func newRules() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Test and understand the rules of alerts",
		Long: `Rules say when an alert fires. These commands test them against series that you
make up, say why an alert is in its state, and what the rules would have done
over the mail that the ledger knows.`,
		Example: `  mailvane rules test rules.test.yaml
  mailvane rules explain CampaignComplaintRate --subject spring-sale
  mailvane rules backtest --from 30d`,
		RunE: group,
	}
	cmd.AddCommand(newRulesTest(), newRulesExplain(), newRulesBacktest())
	return cmd
}

func newRulesTest() *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE…",
		Short: "Run unit tests of rules",
		Long: `Test runs the tests in files: series that you make up, and the alerts and
notifications that must follow from them, as promtool test rules does. It asks
nobody and changes nothing. docs/rules.md describes the files.

It ends with status 0 when all tests passed, with 1 when one failed, and with 2
when a file cannot be used.`,
		Example: `  mailvane rules test rules.test.yaml
  mailvane rules test tests/*.yaml`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) == 0 {
				return &usageError{errors.New("name the files of tests to run")}
			}
			return testRules(cmd, files)
		},
	}
}

// testRules runs every file, so that all that is wrong is told at once.
func testRules(cmd *cobra.Command, files []string) error {
	var unusable error
	failed := false
	for _, file := range files {
		failures, tests, err := app.RulesTest(file)
		if err != nil {
			unusable = reported(cmd, file, err)
			continue
		}
		failed = failed || len(failures) > 0
		if err := printRuleTest(cmd.OutOrStdout(), file, failures, tests); err != nil {
			return err
		}
	}
	switch {
	case unusable != nil:
		return unusable
	case failed:
		return errReported
	}
	return nil
}

func printRuleTest(out io.Writer, file string, failures []ruletest.Failure, tests int) error {
	if len(failures) == 0 {
		_, err := fmt.Fprintf(out, "%s: SUCCESS (%s)\n", file, count(tests, "test"))
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: FAILED\n", file)
	for i := range failures {
		f := &failures[i]
		fmt.Fprintf(&b, "  %s: ", f.Place)
		if f.Test != "" {
			fmt.Fprintf(&b, "%s, ", f.Test)
		}
		fmt.Fprintf(&b, "%s\n", f.About)
		writeLines(&b, "expected", f.Want)
		writeLines(&b, "got", f.Got)
		for k := range f.Why {
			fmt.Fprintf(&b, "    why %s:\n", f.Why[k].Subject)
			for _, line := range wording.Explain(&f.Why[k]) {
				fmt.Fprintf(&b, "      %s\n", &line)
			}
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// writeLines writes a list with its name before the first line.
func writeLines(b *strings.Builder, name string, lines []string) {
	if len(lines) == 0 {
		lines = []string{"nothing"}
	}
	for i, line := range lines {
		if i > 0 {
			name = ""
		} else {
			name += ":"
		}
		fmt.Fprintf(b, "    %-9s  %s\n", name, line)
	}
}
