package faults

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// inFlight waits until the daemon works on messages.
func (r *rig) inFlight(t *testing.T) {
	t.Helper()
	eventually(t, "messages are in flight", func() string {
		if s := r.queue(events).Stats(); s.InFlight == 0 {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
}

// TestStoppedInTheMiddleOfABatch stops the daemon again and again while its deletes are under way.
func TestStoppedInTheMiddleOfABatch(t *testing.T) {
	t.Parallel()
	r, lines := lively(t, time.Now())
	n := 0
	for line := range lines {
		r.send(t, string(line))
		if n++; n == 3000 {
			break
		}
	}
	heal := r.sim.SQS().Inject(sqs.Fault{Kind: sqs.FaultDelay, Op: deleteBatch, Delay: 500 * time.Millisecond})
	for range 4 {
		d := r.start(t)
		r.inFlight(t)
		d.stop(t)
	}
	heal()
	d := r.start(t)
	r.drained(t, events)
	r.countsTruth(t)
	d.unconfirmed(t, "none", none)
	d.stop(t)
}

// TestStoppedWhileTheQueueHangs stops the daemon while a delete, and then a receive, is never answered.
func TestStoppedWhileTheQueueHangs(t *testing.T) {
	t.Parallel()
	for _, op := range []string{deleteBatch, "ReceiveMessage"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			r := oneQueue(t)
			r.send(t, sentMails(t, "a", 25)...)
			heal := r.sim.SQS().Inject(sqs.Fault{Kind: sqs.FaultHang, Op: op})
			d := r.start(t)
			if op == deleteBatch {
				r.inFlight(t)
			}
			d.stop(t)
			heal()
			d = r.start(t)
			r.drained(t, events)
			r.counts(t, map[string]int64{"a/other/sent": 25})
			d.stop(t)
		})
	}
}

// TestStoppedWhileItStarts stops the daemon as soon as it listens, which is before it has opened its ledger.
func TestStoppedWhileItStarts(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	for range 10 {
		d, address := r.launch(t)
		select {
		case <-address:
		case <-time.After(patience):
			t.Fatal("the daemon does not say where it listens")
		}
		d.stop(t)
	}
}

// TestStoppedWhileNobodyTakesMetrics stops a daemon that pushes its metrics to where nobody listens: that is logged, and no
// failure.
func TestStoppedWhileNobodyTakesMetrics(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	r.env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TIMEOUT=500"}
	r.send(t, sentMails(t, "a", 25)...)
	d := r.start(t)
	r.drained(t, events)
	d.stop(t)
	if log := d.log.String(); !strings.Contains(log, `"msg":"last metrics not exported"`) {
		t.Errorf("it does not say that nobody took the last metrics:\n%s", log)
	}
}

// TestSecondSignalEndsAtOnce is for people who have no patience.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	r.send(t, sentMails(t, "a", 25)...)
	heal := r.sim.SQS().Inject(sqs.Fault{Kind: sqs.FaultHang, Op: deleteBatch})
	d := r.start(t)
	r.inFlight(t)
	d.signal(t, syscall.SIGTERM)
	eventually(t, "the daemon is stopping", func() string {
		if strings.Contains(d.log.String(), `"msg":"stopping"`) {
			return ""
		}
		return d.log.String()
	})
	eventually(t, "the daemon ends", func() string {
		if !d.running() {
			return ""
		}
		_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended just now
		return "it outlives its second signal"
	})
	// Had it waited for its queue, it would have ended by itself.
	if status, ok := d.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("the daemon ended with %v, want by the signal", d.cmd.ProcessState)
	}
	heal()
	d = r.start(t)
	r.drained(t, events)
	r.counts(t, map[string]int64{"a/other/sent": 25})
	d.stop(t)
}

// TestTwoDaemonsOnOneLedger starts a second daemon, which must leave at once and change nothing.
func TestTwoDaemonsOnOneLedger(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	d := r.start(t)
	if said := r.refused(t); !strings.Contains(said, r.ledger) || !strings.Contains(said, "in use by another process") {
		t.Errorf("the second said %q, want that %s is in use by another process", said, r.ledger)
	}
	r.send(t, sentMails(t, "a", 10)...)
	r.counts(t, map[string]int64{"a/other/sent": 10})
	// The second must not have taken the first one's socket away.
	if status, out := r.run(t, "quarantine", "drop", "--all"); status != 0 || out != "0 messages dropped\n" {
		t.Errorf("quarantine drop: status %d: %s", status, out)
	}
	d.stop(t)
}
