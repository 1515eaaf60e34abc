package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestThirdPartyQueue runs the built program on a queue of a server that its authors did not write. Every sample body goes
// through it, most of them several times and by every way that SES's events take: straight, by a topic with raw delivery, and
// by one that wraps them. All must be counted once, and the queue must end up empty.
func TestThirdPartyQueue(t *testing.T) {
	program := build(t)
	p := startPeer(t)
	queue := p.createQueue(t, "ses-events")
	queueARN := "arn:aws:sqs:" + region + ":000000000000:ses-events"
	raw := p.createTopic(t, "ses-raw", queueARN, true)
	wrapped := p.createTopic(t, "ses-wrapped", queueARN, false)

	bodies := readSamples(t, time.Now().Add(-24*time.Hour))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(samples())), slices.Sorted(maps.Keys(bodies))); diff != "" {
		t.Fatalf("the table does not list what testdata holds (-table +testdata):\n%s", diff)
	}
	for name, body := range bodies {
		p.send(t, queue, body)
		if samples()[name].quarantined {
			continue // what is not understood has no id to know it again by
		}
		p.send(t, queue, body)
		if strings.HasPrefix(name, "ses/") {
			p.publish(t, raw, body)
			p.publish(t, wrapped, body)
		}
	}

	d := startDaemon(t, program, configFor(t, queue),
		"AWS_ENDPOINT_URL_SQS="+p.url, "AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey)
	eventually(t, "the queue is empty", func() string {
		if visible, inFlight := p.left(t, queue); visible != "0" || inFlight != "0" {
			return visible + " messages are visible, " + inFlight + " in flight"
		}
		return ""
	})
	want := expected()
	eventually(t, "the API shows what was sent", func() string { return cmp.Diff(want, shown(t, d)) })
	eventually(t, "the metrics show what was sent", func() string {
		return cmp.Diff(want.outcomes(), d.counters(t, "mailvane_campaign_recipients_total", "outcome"))
	})
	if log := d.stop(t); strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("the daemon logged errors:\n%s", log)
	}
}

func configFor(t *testing.T, queue string) string {
	t.Helper()
	return fmt.Sprintf(`
ledger: {path: %q}
tenants: {identify: [{tag: "ses:tenant-name"}]}
collectors: {ses: [{queue_url: %q, region: %s}]}
`, filepath.Join(t.TempDir(), "ledger.db"), queue, region)
}

// figures are what is compared.
type figures struct {
	// Recipients counts by "tenant/campaign", then outcome.
	Recipients map[string]map[string]int64
	// Possible is how many may have complained.
	Possible          int64
	Held, Quarantined int64
}

// expected sums up the table.
func expected() figures {
	want := figures{Recipients: make(map[string]map[string]int64)}
	for _, s := range samples() {
		want.Possible += s.possible
		want.Held += s.held
		if s.quarantined {
			want.Quarantined++
		}
		if s.outcome == "" {
			continue
		}
		name := s.tenant + "/" + s.campaign
		if want.Recipients[name] == nil {
			want.Recipients[name] = make(map[string]int64)
		}
		want.Recipients[name][s.outcome]++
	}
	return want
}

// outcomes sums over campaigns.
func (f figures) outcomes() map[string]int64 {
	sums := make(map[string]int64)
	for _, recipients := range f.Recipients {
		for outcome, n := range recipients {
			sums[outcome] += n
		}
	}
	return sums
}

// shown asks the API.
func shown(t *testing.T, d *daemon) figures {
	t.Helper()
	var campaigns struct {
		Campaigns []struct {
			ID, Tenant string
			Recipients map[string]int64
			Possible   int64 `json:"complained_possible"`
		}
	}
	d.get(t, "/api/v1/campaigns?window=7d", &campaigns)
	var sources struct {
		Held       int64
		Quarantine struct{ Messages int64 }
	}
	d.get(t, "/api/v1/sources", &sources)
	got := figures{Recipients: make(map[string]map[string]int64), Held: sources.Held, Quarantined: sources.Quarantine.Messages}
	for _, c := range campaigns.Campaigns {
		got.Recipients[c.Tenant+"/"+c.ID] = c.Recipients
		got.Possible += c.Possible
	}
	return got
}

// eventually waits until check has nothing to say.
func eventually(t *testing.T, what string, check func() string) {
	t.Helper()
	const patience = 5 * time.Minute // on a machine that others use, too
	var wrong string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if wrong = check(); wrong == "" {
			return
		}
	}
	t.Fatalf("%s: not after %v:\n%s", what, patience, wrong)
}
