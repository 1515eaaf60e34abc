package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newRoot makes the command line. It sets started once a command runs: an error before that is one of usage.
func newRoot(started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "mailvane",
		Short: "Which campaign hurts your deliverability, where and why",
		Long: `Mailvane reads the events of Amazon SES and tells which campaign is hurting your
deliverability, at which mailbox provider and for what reason.

Start with "mailvane demo": it needs no account and no network.`,
		Example: `  mailvane demo
  mailvane check --config mailvane.yaml
  mailvane run --config mailvane.yaml`,
		Version:           versionLine(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRun:  func(*cobra.Command, []string) { *started = true },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(newRun(), newDemo(), newCheck(), newAuth(), newReplay(), newQuarantine(), newReport(), newRules(), newSilence(), newDashboards(), newVersion())
	return root
}

// configFlag adds the flag for the configuration file.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "config", "mailvane.yaml", "the configuration file")
}

// webConfigFlag adds the flag for the file that sets up TLS and passwords. Its name is the one that every Prometheus exporter
// uses.
func webConfigFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "web.config.file", "", "the file that sets up TLS and passwords, as for Prometheus exporters")
}

// group runs when a command is called without one of its sub-commands.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	return &usageError{fmt.Errorf("unknown command %q for %q; see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())}
}
