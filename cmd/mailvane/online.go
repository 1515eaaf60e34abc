package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/config"
)

// checkOnline prints what was found out online, with notify also by test events, and returns errReported when something
// configured cannot be read or told.
func checkOnline(cmd *cobra.Command, c *config.Config, notify bool) error {
	log, err := (&logFlags{level: "error", format: "text"}).logger(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	found, err := app.CheckOnline(cmd.Context(), environment(log), c)
	if err != nil {
		return err
	}
	if notify {
		tried, err := app.TryNotifiers(cmd.Context(), environment(log), c)
		if err != nil {
			return err
		}
		found = append(found, tried...)
	}
	if err := printFindings(cmd.OutOrStdout(), found); err != nil {
		return err
	}
	if app.Count(found, app.FindingProblem) > 0 {
		return errReported
	}
	return nil
}

// printFindings prints findings and, after them, how many want attention.
func printFindings(w io.Writer, found []app.Findings) error {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "\n%s\n", printable(f.About))
		for _, finding := range f.List {
			fmt.Fprintf(&b, "  %-8s %s\n", finding.Level, printable(finding.Text))
			for _, step := range finding.Fix {
				fmt.Fprintf(&b, "           -> %s\n", printable(step))
			}
		}
	}
	fmt.Fprintf(&b, "\nonline: %s, %s\n", count(app.Count(found, app.FindingProblem), "problem"), count(app.Count(found, app.FindingWarning), "warning"))
	_, err := io.WriteString(w, b.String())
	return err
}

// printable leaves out what a terminal would act on: findings hold names from outside.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
}
