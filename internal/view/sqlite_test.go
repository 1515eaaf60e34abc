package view

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
)

// eventTypes says which SES event tells each outcome that the test commits.
var eventTypes = map[observation.Outcome]observation.EventType{
	observation.Sent: observation.EventSend, observation.Delivered: observation.EventDelivery,
	observation.HardBounced: observation.EventBounce, observation.Complained: observation.EventComplaint,
	observation.Opened: observation.EventOpen, observation.Unsubscribed: observation.EventSubscription,
}

// entries are random things that became of mail sent in the last days.
func entries(random *rand.Rand, now time.Time, nextID *uint64) []ledger.Entry {
	outcomes := []observation.Outcome{observation.Sent, observation.Delivered, observation.HardBounced,
		observation.Complained, observation.Opened, observation.Unsubscribed}
	all := make([]ledger.Entry, 1+random.IntN(20))
	for i := range all {
		*nextID++
		row := (&world{random: random, ledger: &memory{asOf: now}}).row()
		sentAt := row.Start.Add(time.Duration(random.Int64N(int64(fineGrain))))
		outcome := outcomes[random.IntN(len(outcomes))]
		all[i] = ledger.Entry{
			ID: *nextID, Type: eventTypes[outcome], SentAt: sentAt, At: sentAt,
			Cell: ledger.Cell{
				Origin: row.Cell.Origin, Campaign: row.Cell.Campaign, Provider: row.Cell.Provider, Outcome: outcome,
			},
		}
		switch outcome {
		case observation.HardBounced:
			all[i].Cell.Reason = "bad_mailbox"
		case observation.Complained:
			all[i].Possible = 3
		}
	}
	return all
}

// The view follows the real engine: through commits, folds, compaction, the passing of time, and its being reopened.
func TestRunningSumsOfSQLite(t *testing.T) {
	for _, zone := range []string{"UTC", "Asia/Kolkata"} { // whose hours begin at half past
		t.Run(zone, func(t *testing.T) { runningSumsOfSQLite(t, zone) })
	}
}

func runningSumsOfSQLite(t *testing.T, zone string) {
	in, err := time.LoadLocation(zone)
	check(t, err)
	ctx, now := t.Context(), noon
	random := rand.New(rand.NewPCG(11, 12))
	o := sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return now }, RoutineIDs: 1 << 12,
		ExceptionalIDs: 1 << 12, Zone: in,
	}
	store, err := sqlite.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { check(t, store.Close()) }()
	check(t, store.AddVersion(ctx, ledger.VersionReporting, ledger.Version{Since: noon, Body: []byte(`["yahoo"]`)}))
	v := New(store, Options{Group: group})
	var id uint64
	for step := range 20 {
		for range random.IntN(4) {
			_, err := store.Commit(ctx, ledger.Put{Source: "queue", Entries: entries(random, now, &id)})
			check(t, err)
			check(t, store.Fold(ctx))
		}
		now = erasAreDue(v, now.Add(time.Duration(random.Int64N(int64(90*time.Minute)))))
		if random.IntN(10) == 0 {
			now = now.Add(20 * time.Hour)
		}
		check(t, store.Fold(ctx))
		for more := random.IntN(3) == 0; more; {
			more, err = store.Maintain(ctx)
			check(t, err)
		}
		if step == 10 {
			check(t, store.Close())
			store, err = sqlite.Open(ctx, o)
			check(t, err)
			v = New(store, Options{Group: group})
		}
		check(t, v.Refresh(ctx))
		if late := now.Sub(v.AsOf()); late < 0 || late >= time.Millisecond {
			t.Fatalf("step %d: as of %v, want %v", step, v.AsOf(), now)
		}
		checkSums(t, v, store, fmt.Sprint("step ", step))
	}
	if len(v.sums.campaigns) == 0 {
		t.Error("nothing was counted")
	}
	reader, err := sqlite.OpenReader(ctx, o.Path)
	check(t, err)
	defer func() { check(t, reader.Close()) }()
	other := New(reader, Options{Group: group})
	check(t, other.Refresh(ctx))
	checkSums(t, other, store, "in another process")
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
