package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/telemetry"
)

func newRun() *cobra.Command {
	var o app.RunOptions
	var logs logFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon",
		Long: `Run reads the queues of the configuration file until it is told to stop, and
answers on http.listen: pages at /, metrics at /metrics, the API at /api/v1/.

An interrupt (Ctrl-C) or SIGTERM stops it cleanly, a second one at once. SIGHUP
makes it read its configuration file again.

AWS credentials come from the usual places: environment, profile, or the role of
the machine.`,
		Example: `  mailvane run --config mailvane.yaml
  AWS_PROFILE=mail mailvane run --config mailvane.yaml --log.level debug`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logs.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := checkListen(o.Listen); err != nil {
				return err
			}
			telemetry.LogErrors(log)
			o.Environment = environment(log)
			return reported(cmd, o.ConfigFile, app.Run(cmd.Context(), o))
		},
	}
	configFlag(cmd, &o.ConfigFile)
	webConfigFlag(cmd, &o.WebConfig)
	cmd.Flags().StringVar(&o.Listen, "listen", "", "the address to answer on, instead of http.listen")
	logs.add(cmd, "info")
	return cmd
}

// environment is what the commands find around them.
func environment(log *slog.Logger) app.Environment {
	return app.Environment{Log: log, Now: time.Now, Env: os.Getenv, AWS: app.AWSFromEnvironment, Version: versionText()}
}

// checkListen says what is wrong with --listen, which may be empty.
func checkListen(listen string) error {
	if listen == "" {
		return nil
	}
	if _, err := config.ParseAddress(listen); err != nil {
		return &usageError{fmt.Errorf("--listen: %w", err)}
	}
	return nil
}

// reported prints the problems of a configuration that err holds in the form that check prints them in.
func reported(cmd *cobra.Command, path string, err error) error {
	if _, ok := errors.AsType[*app.WebConfigError](err); ok {
		return &usageError{err}
	}
	var problems *app.ProblemsError
	if !errors.As(err, &problems) {
		return err
	}
	if err := printProblems(cmd.ErrOrStderr(), path, problems.Problems); err != nil {
		return err
	}
	return &usageError{errReported}
}

// logFlags say what is logged, and how.
type logFlags struct{ level, format string }

func (l *logFlags) add(cmd *cobra.Command, level string) {
	cmd.Flags().StringVar(&l.level, "log.level", level, "what is logged: debug, info, warn or error")
	cmd.Flags().StringVar(&l.format, "log.format", "text", "how the log is written: text or json")
}

func (l *logFlags) logger(w io.Writer) (*slog.Logger, error) {
	o := new(slog.HandlerOptions)
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil {
		return nil, &usageError{fmt.Errorf("--log.level %q is none of debug, info, warn and error", l.level)}
	}
	o.Level = level
	switch l.format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	default:
		return nil, &usageError{fmt.Errorf("--log.format %q is neither text nor json", l.format)}
	}
}
