package intake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

var sentAt = time.Date(2026, 11, 20, 10, 15, 30, 0, time.UTC)

// mail is an event of a mail with a campaign tag, to be changed by a test.
func mail(t observation.EventType, campaign string, recipients ...string) observation.Event {
	e := observation.Event{
		Type: t, MessageID: "0100-1", SentAt: sentAt, At: sentAt.Add(time.Minute), Account: "123456789012",
		Region: "us-east-1", ConfigurationSet: "set", FromDomain: "example.com", ProcessingTime: -1,
		Tags: []observation.Field{{Name: "campaign", Value: campaign}},
	}
	for _, r := range recipients {
		e.Recipients = append(e.Recipients, observation.Recipient{Address: r})
	}
	return e
}

func (h *harness) put(t *testing.T, events ...observation.Event) {
	t.Helper()
	if err := h.intake.Put(t.Context(), collectors.Batch{Source: "queue", Events: events}); err != nil {
		t.Fatal(err)
	}
}

// totals sums the cohorts by "campaign provider outcome reason".
func (h *harness) totals(t *testing.T) map[string]int64 {
	t.Helper()
	got := make(map[string]int64)
	for _, r := range h.cohorts(t) {
		key := strings.TrimSpace(r.Cell.Campaign.Name + " " + r.Cell.Provider + " " + r.Cell.Outcome.String() + " " + r.Cell.Reason)
		got[key] += r.N
	}
	return got
}

func wantTotals(t *testing.T, h *harness, want map[string]int64) {
	t.Helper()
	if diff := cmp.Diff(want, h.totals(t)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestARecipientDelayedFiveTimesIsDelayedOnce(t *testing.T) {
	h := newHarness(t)
	for i := range 5 {
		e := mail(observation.EventDeliveryDelay, "a", "jane@gmail.com", "joe@gmail.com")
		e.At, e.DelayType = sentAt.Add(time.Duration(i)*time.Hour), "MailboxFull"
		h.put(t, e)
	}
	wantTotals(t, h, map[string]int64{"a gmail delayed mailbox_full": 2})
}

func TestCopiesMayPrintAnAddressDifferently(t *testing.T) {
	h := newHarness(t)
	h.put(t, mail(observation.EventSend, "a", "Jane <Jane@Example.com>"), mail(observation.EventSend, "a", "jane@example.com"))
	wantTotals(t, h, map[string]int64{"a other sent": 1})
}

func TestAComplaintThatListsSeveralIsOne(t *testing.T) {
	h := newHarness(t)
	e := mail(observation.EventComplaint, "a", "jane@yahoo.com", "joe@yahoo.com", "jim@yahoo.com")
	e.FeedbackID = "f-1"
	again, other := e, e
	again.Recipients = []observation.Recipient{{Address: "jim@yahoo.com"}, {Address: "jane@yahoo.com"}}
	other.FeedbackID = "f-2"
	h.put(t, e, again, other)
	wantTotals(t, h, map[string]int64{"a yahoo complained": 2})
	possible := int64(0)
	for _, r := range h.cohorts(t) {
		possible += r.Possible
	}
	if possible != 6 {
		t.Errorf("%d were possible, want 6", possible)
	}
}

func TestOpensAndClicksAreEvents(t *testing.T) {
	h := newHarness(t)
	open := mail(observation.EventOpen, "a", "jane@gmail.com")
	later, click, elsewhere, both := open, open, open, open
	later.At = open.At.Add(time.Second)
	click.Type, click.Link = observation.EventClick, "https://example.com/1"
	elsewhere.Type, elsewhere.Link = observation.EventClick, "https://example.com/2"
	both.MessageID = "0100-2"
	both.Recipients = []observation.Recipient{{Address: "jane@gmail.com"}, {Address: "joe@yahoo.com"}}
	h.put(t, open, open, later, click, elsewhere, both)
	wantTotals(t, h, map[string]int64{"a gmail opened": 2, "a gmail clicked": 2, "a other opened": 1})
}

func TestTwinsGiveTheSameCountsInBothOrders(t *testing.T) {
	tagged := mail(observation.EventBounce, "spring", "jane@gmail.com", "joe@yahoo.com")
	tagged.BounceType, tagged.BounceSubType, tagged.FeedbackID = "Permanent", "General", "f"
	// The identity notification of the same bounce: one recipient each, another time, no tags.
	var twins []observation.Event
	for i, r := range tagged.Recipients {
		twin := tagged
		twin.Identity, twin.Tags, twin.ConfigurationSet = true, nil, ""
		twin.At = tagged.At.Add(time.Duration(i+1) * time.Second)
		twin.Recipients = []observation.Recipient{r}
		twins = append(twins, twin)
	}
	want := map[string]int64{"spring gmail hard_bounced unknown": 1, "spring yahoo hard_bounced unknown": 1}
	for name, order := range map[string][]observation.Event{
		"tagged first": {tagged, twins[0], twins[1]}, "twins first": {twins[0], twins[1], tagged}, "between": {twins[1], tagged, twins[0]},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			for _, e := range order {
				h.put(t, e)
				h.now = h.now.Add(5 * time.Minute)
			}
			h.now = h.now.Add(time.Hour)
			if n, err := h.intake.Release(t.Context()); err != nil || n != 0 {
				t.Errorf("released %d, %v", n, err)
			}
			wantTotals(t, h, want)
		})
	}
}

func TestARenameBetweenASendAndItsComplaintSplitsNothing(t *testing.T) {
	h := newHarness(t)
	dated := mail(observation.EventSend, "spring-20261120", "jane@yahoo.com")
	h.put(t, dated)
	set := defaultSettings(t)
	set.Identity.Rename = []campaign.Rename{{Match: `^(.+)-\d{8}$`, To: "$1"}}
	if err := h.intake.Apply(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	complaint := dated
	complaint.Type = observation.EventComplaint
	after := dated
	after.MessageID, after.SentAt, after.At = "0100-2", h.now.Add(time.Minute), h.now.Add(time.Minute)
	h.put(t, complaint, after)
	wantTotals(t, h, map[string]int64{
		"spring-20261120 yahoo sent": 1, "spring-20261120 yahoo complained": 1, "spring yahoo sent": 1,
	})

	// The versions are the ledger's: a restart with the new rules goes on the same.
	if err := h.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	h.open(t, func(o *intake.Options) { o.Settings = set })
	late := complaint
	late.Recipients = []observation.Recipient{{Address: "joe@yahoo.com"}}
	h.put(t, late)
	if got := h.totals(t)["spring-20261120 yahoo complained"]; got != 2 {
		t.Errorf("after a restart %d complaints joined their cohort, want 2", got)
	}
}

func TestARepliesPlatformAppliesToMailSentAfterwards(t *testing.T) {
	h := newHarness(t)
	e := mail(observation.EventDelivery, "a", "jane@company.example")
	e.SMTPResponse = "250 2.0.0 OK 1763633731 abc - gsmtp"
	e.SentAt, e.At = h.now, h.now
	h.put(t, e)
	for i, sent := range []time.Duration{time.Minute, 12 * time.Minute} {
		later := mail(observation.EventSend, "a", "joe@company.example")
		later.MessageID, later.SentAt, later.At = fmt.Sprint("0100-", 2+i), h.now.Add(sent), h.now.Add(sent)
		h.now = h.now.Add(sent)
		h.put(t, later)
	}
	want := map[string]int64{"a other delivered": 1, "a other sent": 1, "a google_workspace sent": 1}
	wantTotals(t, h, want)
	if err := h.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	afterRestart := mail(observation.EventBounce, "a", "joe@company.example")
	afterRestart.SentAt, afterRestart.At, afterRestart.BounceType = h.now, h.now, "Permanent"
	h.put(t, afterRestart)
	if got := h.totals(t); got["a google_workspace hard_bounced unknown"] != 1 {
		t.Errorf("after a restart the platform is forgotten: %v", got)
	}
}

func TestTimesThatCannotBeTrueGoToQuarantine(t *testing.T) {
	h := newHarness(t)
	for i, c := range []struct {
		sent, own time.Duration
		reason    string
	}{
		{-time.Hour, 9 * time.Minute, ""},
		{-time.Hour, 11 * time.Minute, "in_the_future"},
		{11 * time.Minute, 0, "in_the_future"},
		{-59 * 24 * time.Hour, 0, ""},
		{-61 * 24 * time.Hour, 0, "too_old"},
		{-time.Hour, -61 * 24 * time.Hour, ""}, // counted as of the time its mail was sent
	} {
		e := mail(observation.EventSend, "a", "jane@gmail.com")
		e.MessageID, e.SentAt, e.At = fmt.Sprint("0100-", i), h.now.Add(c.sent), h.now.Add(c.own)
		id := fmt.Sprint("m-", i)
		err := h.intake.Put(t.Context(), collectors.Batch{
			Source: "queue", Messages: []collectors.Message{{ID: id, Body: "the body"}}, Events: []observation.Event{e},
		})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := h.ledger.Quarantined(t.Context(), ledger.QuarantineQuery{Limit: 1, Bodies: true})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(rows) > 0 && rows[0].MessageID == id {
			got = rows[0].Reason
		}
		if got != c.reason {
			t.Errorf("sent %v, happened %v: quarantined for %q, want %q", c.sent, c.own, got, c.reason)
		}
	}
}

func TestAStatusFromTheFutureGoesToQuarantine(t *testing.T) {
	h := newHarness(t)
	b := collectors.Batch{Source: "queue"}
	for i, ahead := range []time.Duration{9 * time.Minute, 11 * time.Minute, 200 * 365 * 24 * time.Hour, -61 * 24 * time.Hour} {
		b.Messages = append(b.Messages, collectors.Message{ID: fmt.Sprint("m-", i), Body: "the body"})
		b.Statuses = append(b.Statuses, observation.Status{
			Message: i, ID: fmt.Sprint(i), DetailType: "Sending Status Enabled", At: h.now.Add(ahead), Detail: []byte("{}"),
		})
	}
	if err := h.intake.Put(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var kept, quarantined []string
	statuses, err := h.ledger.Statuses(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statuses {
		kept = append(kept, s.ID)
	}
	rows, err := h.ledger.Quarantined(t.Context(), ledger.QuarantineQuery{Bodies: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		quarantined = append(quarantined, r.MessageID+" "+r.Reason+" "+r.Body)
	}
	if diff := cmp.Diff([]string{"3", "0"}, kept); diff != "" {
		t.Error("kept:", diff)
	}
	if diff := cmp.Diff([]string{"m-2 in_the_future the body", "m-1 in_the_future the body"}, quarantined); diff != "" {
		t.Error("quarantined:", diff)
	}
}

func TestAFullQuarantineKeepsTheMessageInItsQueue(t *testing.T) {
	h := newHarness(t) // with room for 3 MiB
	body := strings.Repeat("x", 1<<20)
	for i := range 4 {
		b := collectors.Batch{
			Source:     "queue",
			Messages:   []collectors.Message{{ID: fmt.Sprint("good-", i)}, {ID: fmt.Sprint("bad-", i), Body: body}},
			Events:     []observation.Event{mail(observation.EventSend, "a", fmt.Sprintf("jane%d@gmail.com", i))},
			Unreadable: []collectors.Unreadable{{Message: 1, Reason: collectors.ReasonNotJSON, Detail: "no JSON"}},
		}
		err := h.intake.Put(t.Context(), b)
		var kept *collectors.KeptError
		if i < 3 {
			if err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		} else if !errors.As(err, &kept) || !cmp.Equal(kept.Messages, []int{1}) {
			t.Fatalf("message %d: got %v, want that message 1 is kept", i, err)
		}
	}
	wantTotals(t, h, map[string]int64{"a gmail sent": 4})
}

func TestQuarantineWithoutBodiesKeepsNone(t *testing.T) {
	h := newHarness(t, func(o *intake.Options) { o.Settings.KeepBodies = false })
	err := h.intake.Put(t.Context(), collectors.Batch{
		Source: "queue", Messages: []collectors.Message{{ID: "m", Body: "jane@example.com"}},
		Unreadable: []collectors.Unreadable{{Message: 0, Reason: collectors.ReasonNotJSON, Detail: "no JSON"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := h.ledger.Quarantined(t.Context(), ledger.QuarantineQuery{Bodies: true})
	if err != nil || len(rows) != 1 || rows[0].Body != "" || rows[0].Size != 16 {
		t.Errorf("got %+v, %v", rows, err)
	}
}

func TestAReplayFeedsCohortsAndNoCounters(t *testing.T) {
	h := newHarness(t)
	b := collectors.Batch{
		Source: "replay", Messages: []collectors.Message{{Body: "{"}},
		Events:     []observation.Event{mail(observation.EventSend, "a", "jane@gmail.com")},
		Unreadable: []collectors.Unreadable{{Message: 0, Reason: collectors.ReasonNotJSON}},
	}
	sum, err := h.intake.Replay(t.Context(), b)
	if err != nil || sum.Recipients[ledger.Counted] != 1 || len(sum.Unreadable) != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	wantTotals(t, h, map[string]int64{"a gmail sent": 1})
	if s := h.status(t); s.Quarantined != 0 {
		t.Error("what a replay could not read went to quarantine")
	}
	if h.seen.counted != nil || h.seen.fates != nil {
		t.Errorf("counters were fed: %+v", h.seen)
	}
	// Live events of an hour make a later replay of that hour suspect.
	h.put(t, mail(observation.EventSend, "a", "joe@gmail.com"))
	b.Events = []observation.Event{mail(observation.EventSend, "a", "jim@gmail.com")}
	b.Unreadable = nil
	if sum, err = h.intake.Replay(t.Context(), b); err != nil || sum.Recipients[ledger.Refused] != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	b.Replay = &collectors.Replay{AssumeNew: true}
	if sum, err = h.intake.Replay(t.Context(), b); err != nil || sum.Recipients[ledger.Counted] != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestObserversHearOfWhatIsCountedOnce(t *testing.T) {
	h := newHarness(t)
	e := mail(observation.EventDelivery, "a", "jane@gmail.com")
	e.ProcessingTime = 1500 * time.Millisecond
	h.put(t, e, e)
	if diff := cmp.Diff([]string{"a gmail delivered"}, h.seen.counted); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]time.Duration{1500 * time.Millisecond}, h.seen.took); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[ledger.Fate]int{ledger.Counted: 1, ledger.Duplicate: 1}, h.seen.fates); diff != "" {
		t.Error(diff)
	}
}

func TestAFloodOfNamesIsFolded(t *testing.T) {
	h := newHarness(t, func(o *intake.Options) { o.Bounds.Campaigns = 100 })
	h.put(t, mail(observation.EventSend, "known", "jane@gmail.com"))
	for i := range 100 {
		var events []observation.Event
		for j := range 100 {
			e := mail(observation.EventSend, fmt.Sprintf("flood-%d", 100*i+j), "jane@gmail.com")
			e.MessageID = fmt.Sprint("0200-", 100*i+j)
			events = append(events, e)
		}
		h.put(t, events...)
	}
	h.now = h.now.Add(24 * time.Hour)
	h.put(t, mail(observation.EventDelivery, "known", "jane@gmail.com"))
	got := h.totals(t)
	if len(got) != 102 || got["(other) gmail sent"] != 10_000-99 || got["known gmail delivered"] != 1 {
		t.Errorf("%d cells, %d folded, %d known", len(got), got["(other) gmail sent"], got["known gmail delivered"])
	}
	for _, n := range h.intake.FoldedNames() {
		if n.Dimension == "campaign" && (n.Folded != 10_000-99 || n.Tracked != 100) {
			t.Errorf("told %+v", n)
		}
	}
	// A restart remembers who had a place.
	if err := h.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	h.open(t, func(o *intake.Options) { o.Bounds.Campaigns = 1 })
	h.put(t, mail(observation.EventOpen, "flood-5", "jane@gmail.com"))
	if got := h.totals(t); got["flood-5 gmail opened"] != 1 {
		t.Errorf("a late event lost its cohort: %v", got)
	}
}

func TestBadIdentityRulesAreRefusedAndChangeNothing(t *testing.T) {
	h := newHarness(t)
	set := defaultSettings(t)
	set.Identity.Rename = []campaign.Rename{{Match: "(", To: "x"}}
	if err := h.intake.Apply(t.Context(), set); err == nil {
		t.Fatal("taken")
	}
	if v, err := h.ledger.Versions(t.Context(), ledger.VersionIdentity); err != nil || len(v) != 1 {
		t.Errorf("%d versions, %v", len(v), err)
	}
	h.put(t, mail(observation.EventSend, "a", "jane@gmail.com"))
	wantTotals(t, h, map[string]int64{"a gmail sent": 1})
}

func TestReplayedNotificationsFeedNoCounterWhenReleased(t *testing.T) {
	h := newHarness(t)
	saved := mail(observation.EventBounce, "", "jane@gmail.com")
	saved.BounceType, saved.BounceSubType, saved.Identity, saved.Tags = "Permanent", "General", true, nil
	if _, err := h.intake.Replay(t.Context(), collectors.Batch{Events: []observation.Event{saved}}); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Hour)
	if n, err := h.intake.Release(t.Context()); err != nil || n != 0 {
		t.Errorf("released %d, %v", n, err)
	}
	if len(h.seen.counted) != 0 {
		t.Errorf("a replay was counted as live: %v", h.seen.counted)
	}
	if rows := h.cohorts(t); len(rows) != 1 || rows[0].N != 1 {
		t.Errorf("cohorts: %+v", rows)
	}
}

func TestASuppressedComplaintIsAboutEachRecipient(t *testing.T) {
	h := newHarness(t)
	e := mail(observation.EventComplaint, "a", "jane@yahoo.com", "joe@yahoo.com")
	e.ComplaintSubType = "OnAccountSuppressionList"
	h.put(t, e)
	wantTotals(t, h, map[string]int64{"a yahoo suppressed": 2})
}

func TestAChangeAfterTheClockWasSetBackHolds(t *testing.T) {
	h := newHarness(t)
	set := defaultSettings(t)
	for _, to := range []string{"first", "second"} {
		set.Identity.Rename = []campaign.Rename{{Match: `^.+$`, To: to}}
		if err := h.intake.Apply(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		h.now = h.now.Add(-time.Second)
	}
	h.now = h.now.Add(time.Minute)
	e := mail(observation.EventSend, "a", "jane@gmail.com")
	e.SentAt, e.At = h.now, h.now
	h.put(t, e)
	wantTotals(t, h, map[string]int64{"second gmail sent": 1})
}

func TestAFloodOfConfigurationSetsIsFolded(t *testing.T) {
	h := newHarness(t, func(o *intake.Options) { o.Bounds.ConfigurationSets = 3 })
	var events []observation.Event
	for i := range 10 {
		e := mail(observation.EventSend, "a", "jane@gmail.com")
		e.MessageID, e.ConfigurationSet = fmt.Sprint("0300-", i), fmt.Sprint("set-", i)
		events = append(events, e)
	}
	events[0].ConfigurationSet = strings.Repeat("long", 100)
	h.put(t, events...)
	sets := map[string]int64{}
	for _, row := range h.cohorts(t) {
		sets[row.Cell.Origin.ConfigurationSet] += row.N
	}
	if diff := cmp.Diff(map[string]int64{"set-1": 1, "set-2": 1, "set-3": 1, "(other)": 7}, sets); diff != "" {
		t.Error(diff)
	}
}
