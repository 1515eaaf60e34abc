package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/sampler"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/watch"
)

// RuleQuestion asks how the figures of a rule stand.
type RuleQuestion struct {
	Rule string `json:"rule"`
	// Subject is a name with *, which one field of a subject must fit, a subject in words, or labels such as
	// "campaign=promo-*,provider!=other", which all must match. Empty means all.
	Subject string `json:"subject"`
	// Limit is how many are told; 0 means all.
	Limit int `json:"limit"`
}

// RuleAnswer is how they stand: those that fire first, then those nearest to their line.
type RuleAnswer struct {
	Rule   string        `json:"rule"`
	Signal alerts.Signal `json:"signal"`
	By     alerts.By     `json:"by"`
	Window string        `json:"window,omitempty"`
	// AsOf is the time as of which the answer is; Daemon says that a running daemon gave it.
	AsOf   time.Time `json:"as_of"`
	Daemon bool      `json:"daemon"`
	// Total is how many subjects fit, of which only the first may be listed.
	Total    int           `json:"total"`
	Subjects []RuleSubject `json:"subjects"`
}

// RuleSubject is how one subject stands.
type RuleSubject struct {
	alerts.Explanation
	// MutedBy is the alert that stands for this one, Silence the id of the silence that covers it.
	MutedBy string `json:"muted_by,omitempty"`
	Silence string `json:"silence,omitempty"`
}

// UsageError is an error that is mended on the command line.
type UsageError struct{ Err error }

// Error says what is wrong.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// RulesExplain says why a rule is in its state: as the daemon sees it that runs on the ledger or, when none does, by the ledger
// alone, as of its last fold.
func RulesExplain(ctx context.Context, o CommandOptions, q RuleQuestion) (RuleAnswer, error) {
	c, err := o.config()
	if err != nil {
		return RuleAnswer{}, err
	}
	rules := c.AlertRules()
	rule, err := ruleNamed(rules, q.Rule)
	if err != nil {
		return RuleAnswer{}, err
	}
	if _, err := subjectMatcher(q.Subject); err != nil {
		return RuleAnswer{}, &UsageError{err}
	}
	client, err := dialControl(ctx, string(c.Ledger.Path))
	if err == nil {
		var answer RuleAnswer
		return answer, client.postJSON(ctx, "/rules/explain", q, &answer)
	}
	if !errors.Is(err, errNotRunning) {
		return RuleAnswer{}, err
	}
	if !sampler.OfLedger(rule.Signal) {
		return RuleAnswer{}, fmt.Errorf("%s watches %s, which a daemon tells of itself, and none runs on %s", q.Rule, rule.Signal, c.Ledger.Path)
	}
	return explainByLedger(ctx, c, rules, q)
}

// ruleNamed finds a rule.
func ruleNamed(rules []alerts.Rule, name string) (*alerts.Rule, error) {
	for i := range rules {
		if rules[i].Name == name {
			return &rules[i], nil
		}
	}
	names := make([]string, len(rules))
	for i := range rules {
		if strings.EqualFold(rules[i].Name, name) {
			return nil, &UsageError{fmt.Errorf("there is no rule %q; did you mean %s?", name, rules[i].Name)}
		}
		names[i] = rules[i].Name
	}
	slices.Sort(names)
	return nil, &UsageError{fmt.Errorf("there is no rule %q; there are %s", name, strings.Join(names, ", "))}
}

// explainByLedger answers without a daemon.
func explainByLedger(ctx context.Context, c *config.Config, all []alerts.Rule, q RuleQuestion) (RuleAnswer, error) {
	reader, err := openLedger(ctx, c)
	if err != nil {
		return RuleAnswer{}, err
	}
	defer reader.Close()
	rules, err := alerts.Compile(all)
	if err != nil {
		return RuleAnswer{}, err
	}
	set, err := settingsOf(c)
	if err != nil {
		return RuleAnswer{}, err
	}
	v := view.New(reader, view.Options{Group: mailbox.Group, Settings: set.view})
	for _, refresh := range []func(context.Context) error{v.Refresh, v.RefreshGmail, v.RefreshAccounts, v.RefreshInbound} {
		if err := refresh(ctx); err != nil {
			return RuleAnswer{}, err
		}
	}
	if v.AsOf().IsZero() {
		return RuleAnswer{}, fmt.Errorf("nothing has been counted in %s yet", c.Ledger.Path)
	}
	stored, err := watch.NewRecords(reader, v.AsOf).Alerts(ctx)
	if err != nil {
		return RuleAnswer{}, err
	}
	e := explainer{
		rules: rules, state: alerts.NewState(stored), now: v.AsOf(), sampler: sampler.New(sampler.Options{View: v, Now: v.AsOf}),
	}
	return e.answer(ctx, q)
}

// openLedger opens the ledger of a configuration for reading.
func openLedger(ctx context.Context, c *config.Config) (*sqlite.Reader, error) {
	path := string(c.Ledger.Path)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no ledger at %s yet", path)
	}
	return sqlite.OpenReader(ctx, path)
}

// serveExplain answers a RuleQuestion on the control socket.
func (d *Daemon) serveExplain(w http.ResponseWriter, r *http.Request) {
	var q RuleQuestion
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&q); err != nil {
		answer(w, nil, fmt.Errorf("read the question: %w", err))
		return
	}
	a, err := d.explain(r.Context(), q)
	answer(w, a, err)
}

// explain answers by what the daemon knows now.
func (d *Daemon) explain(ctx context.Context, q RuleQuestion) (RuleAnswer, error) {
	if err := d.watchable(); err != nil {
		return RuleAnswer{}, err
	}
	e, err := d.explainer()
	if err != nil {
		return RuleAnswer{}, err
	}
	a, err := e.answer(ctx, q)
	a.Daemon = true
	return a, err
}

// explainer knows what the daemon does.
func (d *Daemon) explainer() (*explainer, error) {
	rules, err := alerts.Compile(d.rulesInForce())
	if err != nil {
		return nil, err
	}
	e := &explainer{rules: rules, state: &alerts.State{}, now: d.env.Now(), sampler: d.alerts.sampler.Fork()}
	if e.standing = d.alerts.watcher.Standing(); e.standing != nil {
		held := make([]alerts.Alert, len(e.standing.Alerts))
		for i, a := range e.standing.Alerts {
			held[i] = *a
		}
		e.state = alerts.NewState(held)
	}
	return e, nil
}

// explainAlert says how one subject stands against a rule, nil when there is no such rule any more, or nothing to judge by yet.
func (d *Daemon) explainAlert(ctx context.Context, rule string, s alerts.Subject) (*alerts.Explanation, error) {
	if !d.caughtUp.Load() {
		return nil, nil //nolint:nilnil // that nothing can be said is an answer
	}
	e, err := d.explainer()
	if err != nil {
		return nil, err
	}
	series, ok := e.rules.SeriesOf(rule)
	if !ok {
		return nil, nil //nolint:nilnil // as above
	}
	a, err := e.about(ctx, rule, series, func(other *alerts.Subject) bool { return *other == s })
	if err != nil || len(a.Subjects) == 0 {
		return nil, err
	}
	return &a.Subjects[0].Explanation, nil
}
