package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/observation"
)

// TestAskAll: all questions are asked at once, each has its time, and one that never ends holds up no other.
func TestAskAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		all := []question{
			{"slow", func(context.Context) []Finding { time.Sleep(20 * time.Second); return []Finding{ok("slow")} }},
			{"hanging", func(context.Context) []Finding { <-release; return nil }},
			{"cut short", func(ctx context.Context) []Finding {
				<-ctx.Done()
				return []Finding{problem(context.Cause(ctx), "wait")}
			}},
			{"quick", func(context.Context) []Finding { return []Finding{warning("quick", "do this")} }},
		}
		began := time.Now()
		got, err := askAll(t.Context(), all, 30*time.Second)
		close(release)
		if took := time.Since(began); took != 31*time.Second {
			t.Errorf("it took %s", took)
		}
		late := "it took longer than 30s"
		want := []Findings{
			{"slow", []Finding{ok("slow")}},
			{"hanging", []Finding{{Level: FindingProblem, Text: late}}},
			{"cut short", []Finding{{FindingProblem, late, []string{"wait"}}}},
			{"quick", []Finding{{FindingWarning, "quick", []string{"do this"}}}},
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("(-want +got):\n%s%v", diff, err)
		}
		if Count(got, FindingProblem) != 2 || Count(got, FindingWarning) != 1 {
			t.Error("findings are miscounted")
		}
	})
}

func TestAskAllIsTold(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("told to stop")
	_, err := askAll(ctx, []question{{"it", func(ctx context.Context) []Finding { cancel(stop); <-ctx.Done(); return nil }}}, time.Minute)
	if !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

// TestProblem: what stands above a finding is not said again, and hints come first.
func TestProblem(t *testing.T) {
	e := &collectors.Error{Source: "queue", Op: "read", Reason: collectors.ReasonAuth, Hint: "renew it", Err: errors.New("refused")}
	want := Finding{FindingProblem, "refused", []string{"renew it", "or this"}}
	if diff := cmp.Diff(want, problem(e, "or this")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLedgerThatIsNotThere: before the first start there is none, and nobody need be told more; but that start needs a folder.
func TestLedgerThatIsNotThere(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "mailvane")
	ask := func() []Finding {
		c := &config.Config{Ledger: config.Ledger{Path: config.Path(filepath.Join(folder, "ledger.db"))}}
		all := ledgerQuestions(c)
		if len(all) != 1 {
			t.Fatalf("%d questions are asked, want one", len(all))
		}
		return all[0].ask(t.Context())
	}
	want := []Finding{{FindingProblem, "its folder " + folder + " does not exist, so mailvane run would not start",
		[]string{"make the folder, for the user that Mailvane runs as, or change ledger.path"}}}
	if diff := cmp.Diff(want, ask()); diff != "" {
		t.Errorf("without a folder (-want +got):\n%s", diff)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	want = []Finding{note("there is no ledger yet; once mailvane run has counted some mail, this says what is missing")}
	if diff := cmp.Diff(want, ask()); diff != "" {
		t.Errorf("with a folder (-want +got):\n%s", diff)
	}
}

func TestQueueARN(t *testing.T) {
	for url, want := range map[string]string{
		"https://sqs.us-east-1.amazonaws.com/123456789012/mail": "arn:aws:sqs:us-east-1:123456789012:mail",
		"https://sqs.cn-north-1.amazonaws.com.cn/1/mail":        "arn:aws-cn:sqs:cn-north-1:ACCOUNT:mail",
		"http://127.0.0.1:4100/mail":                            "arn:aws-us-gov:sqs:us-gov-west-1:ACCOUNT:mail",
	} {
		region := config.QueueURL(url).Region()
		if region == "" {
			region = "us-gov-west-1"
		}
		if got := queueARN(&config.SES{QueueURL: config.QueueURL(url), Region: region}); got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
}

// TestFixIsSafe: the commands that people paste hold nothing of events but what is quoted.
func TestFixIsSafe(t *testing.T) {
	o := origin{Origin: observation.Origin{Account: `1"}`, Region: "$(reboot)", ConfigurationSet: "a'; reboot"}}
	want := []string{
		`aws sesv2 get-configuration-set-event-destinations --region REGION --configuration-set-name 'a'\''; reboot'`,
		"and, with the topic that it shows in place of ses-events:",
		`aws sesv2 create-configuration-set-event-destination --region REGION --configuration-set-name 'a'\''; reboot' ` +
			`--event-destination-name mailvane-more --event-destination '{"Enabled": true, "MatchingEventTypes": ["SEND"], ` +
			`"SnsDestination": {"TopicArn": "arn:aws:sns:REGION:ACCOUNT:ses-events"}}'`,
	}
	if diff := cmp.Diff(want, o.fix([]observation.EventType{observation.EventSend})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	o.ConfigurationSet = observation.Other
	if got := o.fix(nil); got != nil {
		t.Errorf("what was folded is mended by %v", got)
	}
}

func TestTexts(t *testing.T) {
	same := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	same(shell("ses-events"), "ses-events")
	same(shell("$(rm -rf); it's"), `'$(rm -rf); it'\''s'`)
	same(shell(""), "''")
	same(span(24*time.Hour), "1 day")
	same(span(26*time.Hour), "26 hours")
	same(span(90*time.Second), "90 seconds")
	same(percent(0), "0 %")
	same(percent(0.001), "under 1 %")
	same(percent(0.999), "over 99 %")
	same(percent(1), "100 %")
}

// TestDaysBetween counts by the calendar, over a change of the clocks too.
func TestDaysBetween(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, time.March, 7, 0, 0, 0, 0, zone)
	if got := daysBetween(from, time.Date(2026, time.March, 9, 0, 0, 0, 0, zone), zone); got != 2 {
		t.Errorf("got %d", got)
	}
	if got := daysBetween(from, time.Date(2026, time.March, 7, 23, 59, 0, 0, zone), zone); got != 0 {
		t.Errorf("got %d", got)
	}
}
