package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/app"
)

func newDemo() *cobra.Command {
	var o app.DemoOptions
	var logs logFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See all of it at work, without an account",
		Long: `Demo runs the daemon against a built-in Amazon SQS, CloudWatch, SES, Postmaster
Tools and PagerDuty, fed with the mail of a made-up sender: several campaigns and
tenants, weeks of history, a bad list, and a campaign that people complain about.
It prints what to open.

It needs no account and no network, uses no cloud credentials, and leaves
nothing behind when it is stopped with Ctrl-C.`,
		Example: `  mailvane demo
  mailvane demo --listen 127.0.0.1:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logs.logger(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := checkListen(o.Listen); err != nil {
				return err
			}
			o.Environment = environment(log)
			o.Out = cmd.OutOrStdout()
			err = app.Demo(cmd.Context(), o)
			if errors.Is(err, context.Canceled) && cmd.Context().Err() != nil {
				return nil //nolint:nilerr // it was interrupted before it was ready, which is as good an end as any
			}
			return err
		},
	}
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:9464", "the address to answer on")
	logs.add(cmd, "warn")
	return cmd
}
