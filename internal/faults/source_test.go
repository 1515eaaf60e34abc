package faults

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// trouble is one way in which a queue fails, and what has to be said of it.
type trouble struct {
	queue string
	fault sqs.Fault
	// reason is the API's, says what its error holds.
	reason string
	says   []string
	// pause is the least time to the next try.
	pause time.Duration
}

func troubles() []trouble {
	const receive = "ReceiveMessage"
	refuse := func(name string) sqs.Fault { return sqs.Fault{Kind: sqs.FaultError, Op: receive, Error: name} }
	return []trouble{
		{queue: "denied", fault: refuse("AccessDenied"), reason: "auth", says: []string{"receive from denied", "AccessDenied", "sqs:ReceiveMessage"}},
		{queue: "expired", fault: refuse("ExpiredToken"), reason: "auth", says: []string{"ExpiredToken", "renew or correct the AWS credentials"}},
		{queue: "kms-denied", fault: refuse("KmsAccessDenied"), reason: "auth", says: []string{"KMS.AccessDeniedException", "kms:Decrypt"}},
		{queue: "kms-disabled", fault: refuse("KmsDisabled"), reason: "config", says: []string{"KMS.DisabledException", "enable it"}},
		{queue: "throttled", fault: refuse("RequestThrottled"), reason: "quota", says: []string{"RequestThrottled"}},
		{queue: "failing", fault: refuse("InternalFailure"), reason: "unavailable", says: []string{"InternalFailure"}},
		{queue: "away", fault: sqs.Fault{Kind: sqs.FaultStatus, Op: receive, Status: 503, RetryAfter: 7 * time.Second}, reason: "unavailable",
			says: []string{"503"}, pause: 7 * time.Second},
		{queue: "truncated", fault: sqs.Fault{Kind: sqs.FaultTruncate, Op: receive}, reason: "unavailable", says: []string{"the answer broke off"}},
		{queue: "reset", fault: sqs.Fault{Kind: sqs.FaultReset, Op: receive}, reason: "unavailable", says: []string{"reset"}},
		// The queue is not made before the others heal.
		{queue: "missing", reason: "not_found", says: []string{"NonExistentQueue", "check the queue's URL"}},
		// It takes longest to show.
		{queue: "hanging", fault: sqs.Fault{Kind: sqs.FaultHang, Op: receive}, reason: "unavailable", says: []string{"no whole answer within"}},
	}
}

// TestQueuesInTrouble reads many queues of which each fails in a way of its own while another one is well. Each says what is
// wrong, the good one is not held up, and when they are well again everything is counted once.
func TestQueuesInTrouble(t *testing.T) {
	t.Parallel()
	short := sqs.QueueOptions{VisibilityTimeout: 2 * time.Second}
	r := newRig(t, simulator.Options{}, short)
	const each = 20
	want := map[string]int64{"well/other/sent": each}
	heal := make(map[string]func())
	for _, trouble := range troubles() {
		name := trouble.queue
		r.queues = append(r.queues, name)
		want[name+"/other/sent"] = each
		bodies := sentMails(t, name, each)
		create := func() {
			if err := r.sim.SQS().CreateQueue(name, short).Send(bodies...); err != nil {
				t.Error(err)
			}
		}
		if name == "missing" {
			heal[name] = create
			continue
		}
		create()
		trouble.fault.Queue = name
		heal[name] = r.sim.SQS().Inject(trouble.fault)
	}
	r.configure(t)
	r.send(t, sentMails(t, "well", each)...)
	d := r.start(t)
	last := len(troubles()) - 1
	for _, trouble := range troubles()[:last] {
		eventually(t, "queue "+trouble.queue+" says what is wrong", func() string { return trouble.wrong(t, d) })
	}
	r.counts(t, map[string]int64{"well/other/sent": each})
	d.well(t, events)
	d.ready(t)
	hanging := troubles()[last]
	eventually(t, "queue "+hanging.queue+" says what is wrong", func() string { return hanging.wrong(t, d) })
	d.shows(t, len(troubles()), "mailvane_source_state", "state", "error")
	d.well(t, events)
	for _, trouble := range troubles() {
		heal[trouble.queue]()
	}
	// Nobody waits for the pauses of those that a person had to see to.
	d.reload(t)

	r.counts(t, want)
	for _, trouble := range troubles() {
		r.drained(t, trouble.queue)
		d.well(t, trouble.queue)
	}
	r.counts(t, want)
	d.stop(t)
	for line := range strings.Lines(d.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not a line of JSON in the log: %s", line)
		}
	}
}

// well waits until the daemon says that it reads a queue without trouble.
func (d *daemon) well(t *testing.T, queue string) {
	t.Helper()
	eventually(t, "queue "+queue+" is well", func() string {
		if s := d.source(t, queue); s.State != "ok" || s.Error != "" {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
}

// wrong says what the API should have said of the trouble.
func (trouble *trouble) wrong(t *testing.T, d *daemon) string {
	t.Helper()
	s := d.source(t, trouble.queue)
	said := fmt.Sprintf("%s, %s: %s", s.State, s.Reason, s.Error)
	if s.State != "error" || s.Reason != trouble.reason {
		return said
	}
	for _, text := range trouble.says {
		if !strings.Contains(s.Error, text) {
			return said + ", without " + text
		}
	}
	switch {
	case s.NextPass == nil || s.LastFailure == nil:
		return said + ", without times"
	case s.NextPass.Sub(*s.LastFailure) < trouble.pause:
		return said + ", and the next pass too soon: " + s.NextPass.Sub(*s.LastFailure).String()
	}
	return ""
}
