package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

const region = "us-east-1"

// events is the name of a rig's first queue.
const events = "events"

// rig is what a daemon works with: queues, a configuration file and the place of its ledger.
type rig struct {
	sim *simulator.Simulator
	// dir holds everything, file is the configuration, ledger the ledger.
	dir, file, ledger string
	// queues are those in the configuration.
	queues []string
	// maxPasses is max_passes of each queue, 0 meaning the default; extra is added to the configuration, accounts to its
	// collectors.
	maxPasses       int
	extra, accounts string
	// credential, when not nil, is another user that the program runs as.
	credential *syscall.Credential
	// env is what stands in the surroundings beside what is always there.
	env []string
}

// newRig starts a simulator with queues of these options, the first called events, in place of what o says.
func newRig(t *testing.T, o simulator.Options, queues ...sqs.QueueOptions) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir()}
	for i, q := range queues {
		name := events
		if i > 0 {
			name = fmt.Sprintf("%s-%d", events, i+1)
		}
		r.queues = append(r.queues, name)
		o.Queues = append(o.Queues, simulator.Queue{Name: name, QueueOptions: q})
	}
	sim, err := simulator.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	r.sim, r.file, r.ledger = sim, filepath.Join(r.dir, "mailvane.yaml"), filepath.Join(r.dir, "ledger.db")
	r.configure(t)
	return r
}

// oneQueue is a rig with one ordinary queue, for events that the test makes itself.
func oneQueue(t *testing.T) *rig {
	t.Helper()
	return newRig(t, simulator.Options{}, sqs.QueueOptions{VisibilityTimeout: 2 * time.Second})
}

// queue is the queue of that name.
func (r *rig) queue(name string) *sqs.Queue { return r.sim.SQS().Queue(name) }

// send puts messages into the first queue.
func (r *rig) send(t *testing.T, bodies ...string) {
	t.Helper()
	if err := r.queue(events).Send(bodies...); err != nil {
		t.Fatal(err)
	}
}

// configure writes the configuration file; more is added to that of extra.
func (r *rig) configure(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(r.file, []byte(r.config()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) config() string {
	var queues strings.Builder
	for _, name := range r.queues {
		passes := ""
		if r.maxPasses > 0 {
			passes = fmt.Sprintf(", max_passes: %d", r.maxPasses)
		}
		fmt.Fprintf(&queues, "    - {queue_url: %q, region: %s%s}\n", r.sim.QueueURL(name), region, passes)
	}
	extra := r.extra
	if extra == "" {
		extra = `campaigns: {rename: [{match: '^(.+)-\d{8}$', to: '$1'}]}` + "\n"
	}
	return fmt.Sprintf(`ledger: {path: %q}
tenants: {identify: [{configuration_set: '^tenant-(.+)$'}]}
%scollectors:
  ses:
%s%s`, r.ledger, extra, queues.String(), r.accounts)
}

// reader opens the ledger beside whoever writes to it.
func (r *rig) reader(t *testing.T) *sqlite.Reader {
	t.Helper()
	reader, err := sqlite.OpenReader(t.Context(), r.ledger)
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

// cohorts reads everything that the ledger has counted.
func (r *rig) cohorts(t *testing.T) []ledger.CohortRow {
	t.Helper()
	reader := r.reader(t)
	defer reader.Close()
	now := time.Now()
	all, err := reader.Cohorts(t.Context(), ledger.CohortQuery{From: now.AddDate(-1, 0, 0), To: now.AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return all.Rows
}

// cells are the ledger's counts in the form of the simulator's truth.
func (r *rig) cells(t *testing.T) map[traffic.Cell]traffic.Tally {
	t.Helper()
	got := make(map[traffic.Cell]traffic.Tally)
	for _, row := range r.cohorts(t) {
		cell := cellOf(&row)
		sum := got[cell]
		got[cell] = traffic.Tally{N: sum.N + row.N, Possible: sum.Possible + row.Possible}
	}
	return got
}

func cellOf(row *ledger.CohortRow) traffic.Cell {
	c := row.Cell
	return traffic.Cell{
		Account: c.Origin.Account, Region: c.Origin.Region, ConfigurationSet: c.Origin.ConfigurationSet,
		Tenant: c.Campaign.Tenant, Campaign: c.Campaign.Name, Send: c.Campaign.Send, Provider: c.Provider,
		Outcome: c.Outcome, Reason: c.Reason, Start: row.Start.UTC(),
	}
}

// unlike shortens what differs.
func unlike[T any](want, got T) string {
	diff := cmp.Diff(want, got)
	return diff[:min(len(diff), 4000)]
}

// truth is what the simulator handed out, as the ledger keeps it: opens and clicks by the hour.
func (r *rig) truth() map[traffic.Cell]traffic.Tally {
	want := make(map[traffic.Cell]traffic.Tally)
	for cell, tally := range r.sim.Truth().Counts() {
		switch cell.Outcome {
		case observation.Opened, observation.Clicked, observation.OpenedByBot, observation.ClickedByBot:
			cell.Start = cell.Start.Truncate(time.Hour)
		}
		sum := want[cell]
		want[cell] = traffic.Tally{N: sum.N + tally.N, Possible: sum.Possible + tally.Possible}
	}
	return want
}

// countsTruth waits until the ledger holds exactly what the simulator handed out, cell by cell.
func (r *rig) countsTruth(t *testing.T) {
	t.Helper()
	eventually(t, "the counts are the truth (-truth +ledger)", func() string { return unlike(r.truth(), r.cells(t)) })
}

// showsTruth waits until the API shows the same, by campaign.
func (r *rig) showsTruth(t *testing.T, d *daemon) {
	t.Helper()
	want := make(map[string]int64)
	for cell, tally := range r.sim.Truth().Counts() {
		if cell.Provider != traffic.MailboxSimulator { // shown apart
			want[cell.Tenant+"/"+cell.Campaign+"/"+cell.Outcome.String()] += tally.N
		}
	}
	eventually(t, "the API shows the truth (-truth +API)", func() string {
		var answer struct {
			Campaigns []struct {
				ID, Tenant string
				Recipients map[string]int64
			}
		}
		d.get(t, "/api/v1/campaigns?window=7d", &answer)
		got := make(map[string]int64)
		for _, c := range answer.Campaigns {
			for outcome, n := range c.Recipients {
				if n != 0 {
					got[c.Tenant+"/"+c.ID+"/"+outcome] = n
				}
			}
		}
		return unlike(want, got)
	})
}

// tallies sums the ledger by "campaign/provider/outcome", with the tenant before the campaign if there is one.
func (r *rig) tallies(t *testing.T) map[string]int64 {
	t.Helper()
	got := make(map[string]int64)
	for _, row := range r.cohorts(t) {
		c := row.Cell
		key := c.Campaign.Name + "/" + c.Provider + "/" + c.Outcome.String()
		if c.Campaign.Tenant != "" {
			key = c.Campaign.Tenant + "/" + key
		}
		got[key] += row.N
	}
	return got
}

// counts waits until the ledger holds exactly that.
func (r *rig) counts(t *testing.T, want map[string]int64) {
	t.Helper()
	eventually(t, "the counts are right (-want +ledger)", func() string { return unlike(want, r.tallies(t)) })
}

// drained waits until the queue holds nothing, visible or in flight.
func (r *rig) drained(t *testing.T, queue string) {
	t.Helper()
	eventually(t, "queue "+queue+" is empty", func() string {
		if s := r.queue(queue).Stats(); s.Visible+s.InFlight > 0 {
			return fmt.Sprintf("it holds %+v", s)
		}
		return ""
	})
}
