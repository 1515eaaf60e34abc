package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/replay"
)

func newQuarantine() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "Look after messages that could not be understood",
		Long: `Messages that could not be understood are kept in quarantine, so that they neither
block a queue nor get lost. These commands may be used while the daemon runs.`,
		Example: `  mailvane quarantine list
  mailvane quarantine show 42
  mailvane quarantine replay --all
  mailvane quarantine drop --reason not_json`,
		RunE: group,
	}
	cmd.AddCommand(newQuarantineList(), newQuarantineShow(), newQuarantineReplay(), newQuarantineDrop())
	return cmd
}

func newQuarantineList() *cobra.Command {
	var o app.CommandOptions
	var q ledger.QuarantineQuery
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List quarantined messages, newest first",
		Example: `  mailvane quarantine list --reason unknown_type
  mailvane quarantine list --limit 1000 --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Limit < 1 {
				return &usageError{errors.New("--limit must be at least 1")}
			}
			if err := checkFormat(format); err != nil {
				return err
			}
			o.Environment = environment(slog.New(slog.DiscardHandler))
			rows, err := app.QuarantineList(cmd.Context(), o, q)
			if err != nil {
				return reported(cmd, o.ConfigFile, err)
			}
			switch filtered := q.Source != "" || q.Reason != "" || q.Before != 0; {
			case format == "json":
				return printRowsJSON(cmd.OutOrStdout(), rows)
			case len(rows) == 0 && filtered:
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "no message in quarantine fits --source, --reason and --before")
				return err
			}
			return printRows(cmd.OutOrStdout(), rows)
		},
	}
	configFlag(cmd, &o.ConfigFile)
	cmd.Flags().StringVar(&q.Source, "source", "", "only those from this source")
	cmd.Flags().StringVar(&q.Reason, "reason", "", "only those with this reason")
	cmd.Flags().IntVar(&q.Limit, "limit", 100, "how many at most")
	cmd.Flags().Int64Var(&q.Before, "before", 0, "only those with a smaller id, to go on with a long list")
	cmd.Flags().StringVar(&format, "format", "text", "text or json, one object a line")
	return cmd
}

func printRows(out io.Writer, rows []ledger.QuarantineRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(out, "nothing is in quarantine")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tAT\tSOURCE\tREASON\tBYTES\tDETAIL")
	for _, r := range rows {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%s\n", r.ID, r.At.UTC().Format(time.RFC3339), r.Source, r.Reason, r.Size, r.Detail)
	}
	return w.Flush()
}

// rowJSON is a quarantined message in JSON, without its body.
type rowJSON struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Source string    `json:"source"`
	Reason string    `json:"reason"`
	Bytes  int       `json:"bytes"`
	Detail string    `json:"detail"`
}

func printRowsJSON(out io.Writer, rows []ledger.QuarantineRow) error {
	e := json.NewEncoder(out)
	for _, r := range rows {
		if err := e.Encode(rowJSON{r.ID, r.At.UTC(), r.Source, r.Reason, r.Size, r.Detail}); err != nil {
			return err
		}
	}
	return nil
}

func newQuarantineShow() *cobra.Command {
	var o app.CommandOptions
	var raw bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show a quarantined message",
		Long: `Show prints a message with everything personal replaced. With --raw it prints the
message exactly as it came, which may hold addresses of recipients.`,
		Example: `  mailvane quarantine show 42
  mailvane quarantine show 42 --raw > message.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{errors.New("give the id of one message; see mailvane quarantine list")}
			}
			id, err := parseID(args[0])
			if err != nil {
				return err
			}
			o.Environment = environment(slog.New(slog.DiscardHandler))
			rows, err := app.QuarantineList(cmd.Context(), o, ledger.QuarantineQuery{ID: id, Bodies: true, Limit: 1})
			switch {
			case err != nil:
				return reported(cmd, o.ConfigFile, err)
			case len(rows) == 0:
				return fmt.Errorf("message %d is not in quarantine", id)
			}
			return printMessage(cmd.OutOrStdout(), rows[0], raw)
		},
	}
	configFlag(cmd, &o.ConfigFile)
	cmd.Flags().BoolVar(&raw, "raw", false, "print the message exactly as it came")
	return cmd
}

func printMessage(out io.Writer, r ledger.QuarantineRow, raw bool) error {
	switch {
	case r.Body == "":
		return fmt.Errorf("the body of message %d was not kept (quarantine.bodies)", r.ID)
	case raw:
		_, err := io.WriteString(out, r.Body)
		return err
	}
	if err := printRows(out, []ledger.QuarantineRow{r}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", replay.Redact(r.Body))
	return err
}

func newQuarantineReplay() *cobra.Command {
	var o app.CommandOptions
	var s selectionFlags
	cmd := &cobra.Command{
		Use:   "replay [ID…]",
		Short: "Try quarantined messages again",
		Long: `Replay tries messages again, for example after an update that understands them.
What is understood now is counted and leaves quarantine.`,
		Example: `  mailvane quarantine replay 42 43
  mailvane quarantine replay --all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			selection, err := s.selection(args)
			if err != nil {
				return err
			}
			o.Environment = environment(slog.New(slog.DiscardHandler))
			sum, err := app.QuarantineReplay(cmd.Context(), o, selection)
			if err != nil {
				return reported(cmd, o.ConfigFile, err)
			}
			return printSummary(cmd.OutOrStdout(), sum)
		},
	}
	configFlag(cmd, &o.ConfigFile)
	s.add(cmd)
	return cmd
}

func newQuarantineDrop() *cobra.Command {
	var o app.CommandOptions
	var s selectionFlags
	cmd := &cobra.Command{
		Use:   "drop [ID…]",
		Short: "Forget quarantined messages",
		Example: `  mailvane quarantine drop 42
  mailvane quarantine drop --reason not_json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			selection, err := s.selection(args)
			if err != nil {
				return err
			}
			o.Environment = environment(slog.New(slog.DiscardHandler))
			n, err := app.QuarantineDrop(cmd.Context(), o, selection)
			if err != nil {
				return reported(cmd, o.ConfigFile, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s dropped\n", count(n, "message"))
			return err
		},
	}
	configFlag(cmd, &o.ConfigFile)
	s.add(cmd)
	return cmd
}

// selectionFlags say which quarantined messages are meant. Meaning all must be said.
type selectionFlags struct {
	source, reason string
	all            bool
}

func (s *selectionFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.source, "source", "", "all those from this source")
	cmd.Flags().StringVar(&s.reason, "reason", "", "all those with this reason")
	cmd.Flags().BoolVar(&s.all, "all", false, "all of them")
}

func (s *selectionFlags) selection(args []string) (replay.Selection, error) {
	selection := replay.Selection{Source: s.source, Reason: s.reason}
	for _, arg := range args {
		id, err := parseID(arg)
		if err != nil {
			return replay.Selection{}, err
		}
		selection.IDs = append(selection.IDs, id)
	}
	several := s.all || s.source != "" || s.reason != ""
	switch {
	case len(args) == 0 && !several:
		return replay.Selection{}, &usageError{errors.New("say which messages: ids, --source, --reason or --all")}
	case len(args) > 0 && several:
		return replay.Selection{}, &usageError{errors.New("give either ids or --source, --reason and --all")}
	}
	return selection, nil
}

func parseID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, &usageError{fmt.Errorf("%q is not an id; see mailvane quarantine list", arg)}
	}
	return id, nil
}
