package app

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/backtest"
	"github.com/mailvane/mailvane/internal/mailbox"
)

// RulesBacktestOptions say what to go through.
type RulesBacktestOptions struct {
	CommandOptions
	// From and To are the ends; zero ones are those that backtest.Options has.
	From, To time.Time
	// Rule restricts it to one rule; empty means all.
	Rule string
	// Progress, when not nil, is told how far it is, and the end.
	Progress func(at, end time.Time)
}

// RulesBacktest says what the rules of a configuration would have done over the history of its ledger. It works beside a
// running daemon.
func RulesBacktest(ctx context.Context, o RulesBacktestOptions) (*backtest.Result, error) {
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	rules := c.AlertRules()
	if o.Rule != "" {
		rule, err := ruleNamed(rules, o.Rule)
		if err != nil {
			return nil, err
		}
		rules = []alerts.Rule{*rule}
	}
	set, err := settingsOf(c)
	if err != nil {
		return nil, err
	}
	reader, err := openLedger(ctx, c)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	b := backtest.Options{
		Reader: reader, Settings: set.view, Group: mailbox.Group, Rules: rules, From: o.From, To: o.To, Progress: o.Progress,
	}
	b.Routes, b.CatchAll = c.AlertRoutes()
	for i := range c.Alerts.Notifiers {
		b.Notifiers = append(b.Notifiers, c.Alerts.Notifiers[i].Name)
	}
	return backtest.Run(ctx, b)
}
