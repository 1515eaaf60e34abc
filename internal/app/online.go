package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/config"
)

// Level is how much a finding matters.
type Level string

// The levels, the worst last.
const (
	// FindingOK: it is as it should be.
	FindingOK Level = "ok"
	// FindingNote: something to know, or that cannot be found out.
	FindingNote Level = "note"
	// FindingWarning: figures will be missing, late or less telling than they could be.
	FindingWarning Level = "warning"
	// FindingProblem: something that is configured cannot be read.
	FindingProblem Level = "problem"
)

// Finding is one thing that was found out.
type Finding struct {
	Level Level
	Text  string
	// Fix says what to do, a line for each step; empty when nothing.
	Fix []string
}

// Findings are what was found out about one thing.
type Findings struct {
	About string
	List  []Finding
}

const (
	// questionTimeout bounds each question; all of them are asked side by side.
	questionTimeout = 30 * time.Second
	// questionGrace is how long a question whose time is over may take to say what it has found out.
	questionGrace = time.Second
	// maxFindings bounds what is said of one kind about one thing.
	maxFindings = 50
)

// question is something to find out from the world outside. One that cannot find it out says so in its findings, and returns
// soon after the end of ctx.
type question struct {
	about string
	ask   func(ctx context.Context) []Finding
}

// questions are all questions of a configuration; each kind of source adds its own.
func questions(env Environment, c *config.Config) []question {
	return slices.Concat(
		queueQuestions(env, c),
		accountQuestions(env, c),
		receiptRuleQuestions(env, c),
		sesAccountQuestions(env, c),
		ledgerQuestions(c),
	)
}

// CheckOnline finds out whether what is configured can be read, what is missing, and what to do about it. It changes nothing,
// takes no message and writes to no ledger. An error is the end of ctx; everything else is a finding.
func CheckOnline(ctx context.Context, env Environment, c *config.Config) ([]Findings, error) {
	return askAll(ctx, questions(env, c), questionTimeout)
}

// errLate is the cause of the end of a question.
type errLate struct{ after time.Duration }

// Error says how long the question was given.
func (e errLate) Error() string { return "it took longer than " + e.after.String() }

// askAll asks all questions at once. One that does not end in time is left alone.
func askAll(ctx context.Context, all []question, timeout time.Duration) ([]Findings, error) {
	found := make([]Findings, len(all))
	var wait sync.WaitGroup
	for i, q := range all {
		found[i].About = q.about
		wait.Go(func() {
			ctx, cancel := context.WithTimeoutCause(ctx, timeout, errLate{timeout})
			defer cancel()
			found[i].List = q.answer(ctx)
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("check online: %w", context.Cause(ctx))
	}
	return found, nil
}

// answer asks, and waits no longer than the question has time.
func (q *question) answer(ctx context.Context) []Finding {
	answer := make(chan []Finding, 1)
	go func() { answer <- q.ask(ctx) }()
	select {
	case list := <-answer:
		return list
	case <-ctx.Done():
	}
	select {
	case list := <-answer:
		return list
	case <-time.After(questionGrace):
		return []Finding{problem(context.Cause(ctx))}
	}
}

func ok(format string, args ...any) Finding {
	return Finding{Level: FindingOK, Text: fmt.Sprintf(format, args...)}
}

func note(text string, fix ...string) Finding { return Finding{FindingNote, text, fix} }

func warning(text string, fix ...string) Finding { return Finding{FindingWarning, text, fix} }

// problem is what an error means. The text of one of a source goes without the source, which stands above it.
func problem(err error, fix ...string) Finding {
	f := Finding{Level: FindingProblem, Text: err.Error()}
	if e, ok := errors.AsType[*collectors.Error](err); ok {
		f.Text = e.Err.Error()
		if e.Hint != "" {
			f.Fix = append(f.Fix, e.Hint)
		}
	}
	f.Fix = append(f.Fix, fix...)
	return f
}

// Count is how many findings are of a level.
func Count(all []Findings, level Level) (n int) {
	for _, f := range all {
		for _, finding := range f.List {
			if finding.Level == level {
				n++
			}
		}
	}
	return n
}
