package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/dashboards"
)

func newDashboards() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dashboards",
		Short:   "Boards for Grafana and rules for Prometheus",
		Long:    `The boards for Grafana and the rules for Prometheus that fit this version's metrics.`,
		Example: `  mailvane dashboards export --dir mailvane-dashboards`,
		RunE:    group,
	}
	cmd.AddCommand(newDashboardsExport())
	return cmd
}

func newDashboardsExport() *cobra.Command {
	var dir string
	var force bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the boards and rules into a folder",
		Long: `Export writes six boards for Grafana and two files of rules for Prometheus into a
folder. Files that are there already and differ are left alone unless --force is
given; then nothing is written.`,
		Example: `  mailvane dashboards export --dir mailvane-dashboards
  mailvane dashboards export --dir mailvane-dashboards --force`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return &usageError{fmt.Errorf("--dir must name a folder; see %s --help", cmd.CommandPath())}
			}
			files, err := dashboards.Export(dir, force)
			var differs *dashboards.DiffersError
			switch {
			case errors.As(err, &differs):
				return fmt.Errorf("%w; nothing was written; --force overwrites", err)
			case err != nil:
				return fmt.Errorf("export the boards and rules to %s: %w", dir, err)
			}
			return printExport(cmd.OutOrStdout(), dir, files)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the folder to write into; it is made if need be")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite files that differ")
	return cmd
}

func printExport(out io.Writer, dir string, files []dashboards.File) error {
	for _, f := range files {
		state := "unchanged"
		if f.Written {
			state = "wrote"
		}
		fmt.Fprintf(out, "%-10s %s\n", state, f.Path)
	}
	_, err := fmt.Fprintf(out, `
Grafana:    import each file of %s (Dashboards, New, Import),
            or let a provider of type "file" read that folder.
Prometheus: add %s to rule_files, and reload.
            Add mailvane-alerts.rules.yaml only if Prometheus is to alert instead of Mailvane;
            with both, people are told twice.
`, filepath.Join(dir, dashboards.Grafana), filepath.Join(dir, dashboards.Prometheus, "mailvane.rules.yaml"))
	return err
}
