package faults

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// TestRepeatedAndOutOfOrder sends every event of many mails three times, in any order: complaints before what they complain
// about.
func TestRepeatedAndOutOfOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, simulator.Options{}, sqs.QueueOptions{VisibilityTimeout: 2 * time.Second, Duplicates: 0.1, Shuffle: 500})
	const mails = 200
	var bodies []string
	for i := range mails {
		m := newMail("a", i)
		bodies = append(bodies, m.sent(t), m.delivered(t), m.bounced(t), m.complained(t))
	}
	bodies = slices.Repeat(bodies, 3)
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	r.send(t, bodies...)
	d := r.start(t)
	r.drained(t, events)
	r.counts(t, map[string]int64{
		"a/other/sent": mails, "a/other/delivered": mails, "a/other/hard_bounced": mails, "a/other/complained": mails,
	})
	if s := r.queue(events).Stats(); int(s.Received) < len(bodies)+len(bodies)/20 {
		t.Errorf("%+v: too few duplicates to tell anything", s)
	}
	d.stop(t)
}

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// runAt runs the whole daemon within this process, by another clock than the machine's, until stop is called.
func (r *rig) runAt(t *testing.T, now func() time.Time) (d *daemon, stop func()) {
	t.Helper()
	d = &daemon{log: new(logged), ended: make(chan struct{})}
	told := make(chan string, 1)
	lines, log := io.Pipe()
	go d.follow(lines, told)
	o := app.RunOptions{ConfigFile: r.file, Listen: "127.0.0.1:0", Environment: app.Environment{
		Log: slog.New(slog.NewJSONHandler(log, nil)), Now: now, Version: "test",
		// Limits would be those of the test's own process.
		Env: func(name string) string { return map[string]string{"GOMEMLIMIT": "off", "GOGC": "100"}[name] },
		AWS: func(_ context.Context, region string) (aws.Config, error) {
			return aws.Config{
				Region: region, BaseEndpoint: aws.String(r.sim.URL()),
				Credentials: credentials.NewStaticCredentialsProvider(simulator.AccessKey, simulator.SecretKey, ""),
			}, nil
		},
	}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, o) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("the daemon ended with %v:\n%s", err, d.log)
			}
		})
	}
	t.Cleanup(stop)
	d.opened(t, told)
	return d, stop
}

// TestRedeliveredAfterHoursAndAfterALongOutage brings messages back that were counted long ago because their deletes failed:
// after hours, to a daemon that has run on, and after an outage of nearly as long as SQS can hold a message. The first part
// runs by a clock of thirteen days ago, which the test moves; then the built program goes on with that ledger today.
func TestRedeliveredAfterHoursAndAfterALongOutage(t *testing.T) {
	t.Parallel()
	today := time.Now()
	then := &clock{at: today.Add(-13 * 24 * time.Hour)}
	r := newRig(t, simulator.Options{Now: then.now}, sqs.QueueOptions{VisibilityTimeout: time.Hour, Retention: 14 * 24 * time.Hour})
	heal := r.sim.SQS().Inject(sqs.Fault{Kind: sqs.FaultEntries, Op: deleteBatch, EntryShare: 0.7})

	const mails = 150
	want := map[string]int64{
		"old/other/sent": mails, "old/other/delivered": mails, "old/other/hard_bounced": mails, "later/other/sent": 1,
	}
	var bodies []string
	for i := range mails {
		m := newMail("old", i)
		m.sentAt = then.now().Add(-time.Hour)
		bodies = append(bodies, m.sent(t), m.delivered(t), m.bounced(t))
	}
	d, stop := r.runAt(t, then.now)
	r.send(t, bodies...)
	eventually(t, "all is received and dealt with once", func() string {
		if n := d.metric(t, "mailvane_queue_messages_total", "queue", events, "result", "event"); n != 3*mails {
			return fmt.Sprint(n)
		}
		return ""
	})

	then.set(then.now().Add(6 * time.Hour))
	late := newMail("later", 1)
	late.sentAt = then.now().Add(-time.Hour)
	r.send(t, late.sent(t)) // it also wakes the queue, whose clock has leapt
	eventually(t, "what was not deleted is received again", func() string {
		if s := r.queue(events).Stats(); s.Visible > 0 || s.Received < 3*mails+mails {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	r.counts(t, want)
	stop()
	if left := r.queue(events).Stats(); left.InFlight < mails/4 {
		t.Errorf("%+v: too few messages are left to tell anything", left)
	}
	heal()
	then.set(today)
	d = r.start(t)
	r.drained(t, events)
	d.unconfirmed(t, "none", none)
	// What has come back counts nothing, though its mail is in cohorts that have been compacted meanwhile.
	r.send(t, sentMails(t, "today", 20)...)
	want["today/other/sent"] = 20
	r.counts(t, want)
	d.stop(t)
	r.counts(t, want)
}
