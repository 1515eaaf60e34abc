package faults

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// reloaded waits until the metric says how the newest reload went.
func (d *daemon) reloaded(t *testing.T, want float64) {
	t.Helper()
	eventually(t, fmt.Sprintf("mailvane_config_reload_success is %v", want), func() string {
		if got := d.metric(t, "mailvane_config_reload_success"); got != want {
			return fmt.Sprint(got)
		}
		return ""
	})
}

func (d *daemon) reload(t *testing.T) {
	t.Helper()
	if status, body := d.ask(t, http.MethodPost, "/-/reload"); status != http.StatusOK {
		t.Fatalf("POST /-/reload: %d %s", status, body)
	}
}

// names are the sources that the daemon reads.
func (d *daemon) names(t *testing.T) (names []string) {
	t.Helper()
	for _, s := range d.sources(t).Sources {
		names = append(names, s.Name)
	}
	return names
}

// TestReloadOfABrokenFile reloads a file that cannot be used, in both ways: the old one stays in force. A good one after it
// adds a queue, and one after that takes the first away.
func TestReloadOfABrokenFile(t *testing.T) {
	t.Parallel()
	short := sqs.QueueOptions{VisibilityTimeout: 2 * time.Second}
	r := newRig(t, simulator.Options{}, short, short)
	both := r.queues
	r.queues = both[:1]
	r.configure(t)
	d := r.start(t)
	dated := newMail("spring-20261120", 1)
	r.send(t, dated.sent(t))
	r.counts(t, map[string]int64{"spring/other/sent": 1})

	broken := strings.Replace(r.config(), "match: '^(.+)", "match: '^((.+)", 1)
	if err := os.WriteFile(r.file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	d.signal(t, syscall.SIGHUP)
	d.reloaded(t, 0)
	status, body := d.ask(t, http.MethodPost, "/-/reload")
	place := regexp.MustCompile(`mailvane\.yaml:3:\d+: campaigns\.rename\[0\]\.match`)
	if status != http.StatusUnprocessableEntity || !place.MatchString(body) {
		t.Errorf("POST /-/reload: %d %s, want 422 and the place %v", status, body, place)
	}
	dated = newMail("spring-20261121", 2)
	r.send(t, dated.sent(t))
	r.counts(t, map[string]int64{"spring/other/sent": 2})

	r.queues = both
	r.configure(t)
	d.signal(t, syscall.SIGHUP)
	d.reloaded(t, 1)
	if err := r.queue(both[1]).Send(sentMails(t, "b", 30)...); err != nil {
		t.Fatal(err)
	}
	r.counts(t, map[string]int64{"spring/other/sent": 2, "b/other/sent": 30})

	r.queues = both[1:]
	r.configure(t)
	d.reload(t)
	if diff := cmp.Diff([]string{"ses/" + both[1]}, d.names(t)); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	r.send(t, sentMails(t, "unread", 10)...)
	if err := r.queue(both[1]).Send(sentMails(t, "c", 10)...); err != nil {
		t.Fatal(err)
	}
	r.counts(t, map[string]int64{"spring/other/sent": 2, "b/other/sent": 30, "c/other/sent": 10})
	// A poll that the reload has cut off may have taken some with it; they come back.
	eventually(t, "the queue that was taken away holds all", func() string {
		if s := r.queue(events).Stats(); s.Visible != 10 {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	d.stop(t)
}

// TestRenameBetweenASendAndItsComplaint changes the rule by which a mail is named before people complain about it. The
// complaint joins the mail under its old name; mail sent afterwards has the new one.
func TestRenameBetweenASendAndItsComplaint(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	r.extra = "campaigns: {owners: [{match: '*', owner: growth}]}\n"
	r.configure(t)
	d := r.start(t)
	before := newMail("spring-20261120", 1)
	before.to = []string{"jane@yahoo.com"}
	r.send(t, before.sent(t), before.delivered(t))
	r.counts(t, map[string]int64{"spring-20261120/yahoo/sent": 1, "spring-20261120/yahoo/delivered": 1})

	r.extra = ""
	r.configure(t)
	d.reload(t)
	after := newMail("spring-20261120", 2)
	after.to, after.sentAt = before.to, time.Now().Add(time.Second)
	r.send(t, before.complained(t), after.sent(t))
	want := map[string]int64{
		"spring-20261120/yahoo/sent": 1, "spring-20261120/yahoo/delivered": 1, "spring-20261120/yahoo/complained": 1,
		"spring/yahoo/sent": 1,
	}
	r.counts(t, want)

	// The versions are the ledger's: a restart changes nothing.
	d.stop(t)
	d = r.start(t)
	late := newMail("spring-20261120", 3)
	late.to = before.to
	r.send(t, late.sent(t), after.complained(t))
	want["spring-20261120/yahoo/sent"], want["spring/yahoo/complained"] = 2, 1
	r.counts(t, want)
	d.stop(t)
}
