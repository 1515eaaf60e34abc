package event

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
)

func seed(f *testing.F) {
	for _, path := range samples(f) {
		body := read(f, path)
		for _, wrap := range wraps {
			f.Add(wrap(body))
		}
	}
	for _, event := range corpus(3) {
		f.Add(asSNS(event))
	}
	for _, c := range malformed {
		f.Add(c.body)
	}
}

// FuzzDecode: whatever a body holds, it becomes exactly one thing, in bounds.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body string) {
		var d Decoder
		var b collectors.Batch
		kind := d.Decode(0, body, &b)
		want := map[Kind][3]int{KindEvent: {1, 0, 0}, KindStatus: {0, 1, 0}, KindSetup: {}, KindUnreadable: {0, 0, 1}}
		counts, known := want[kind]
		if got := [3]int{len(b.Events), len(b.Statuses), len(b.Unreadable)}; !known || got != counts {
			t.Fatalf("kind %v with %v events, statuses, unreadable", kind, got)
		}
		for _, e := range b.Events {
			if len(e.Recipients) == 0 || len(e.Recipients) > maxRecipients || len(e.Tags) > maxFields ||
				len(e.Headers) > maxFields || e.MessageID == "" || e.SentAt.IsZero() && e.At.IsZero() {
				t.Fatalf("out of bounds: %+v", e)
			}
		}
		for _, u := range b.Unreadable {
			if len(u.Detail) > 200 {
				t.Fatalf("a detail of %d bytes", len(u.Detail))
			}
		}
	})
}

// agree fails the test when the scanner takes a body and the strict decoder makes something else of it.
func agree(t *testing.T, body string) (taken bool) {
	t.Helper()
	fast, strict := Decoder{Region: "eu-west-1"}, Decoder{Region: "eu-west-1"}
	var got, want collectors.Batch
	if !fast.decodeFast(0, body, &got) {
		return false
	}
	if kind := strict.decodeStrict(0, body, &want); kind != KindEvent {
		t.Fatalf("the scanner takes what is %v (%v):\n%q", kind, want.Unreadable, body)
	}
	if diff := cmp.Diff(want.Events, got.Events); diff != "" {
		t.Fatalf("(-strict +scanner):\n%s\n%q", diff, body)
	}
	return true
}

func FuzzScannerAgreesWithStrict(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body string) { agree(t, body) })
}

// TestScannerAgreesOnMutants is the part of the differential fuzzing that every test run does: small changes of real
// bodies, most of them still nearly JSON.
func TestScannerAgreesOnMutants(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	snippets := []string{
		`"`, `\`, `\"`, `\\`, `\u00e9`, `\\u00e9`, `\ud83d\ude00`, `\\ud83d\\ude00`, `\ud800`, "\xff", "é",
		"\n", `\n`, " ", ",", ":",
		"{", "}", "[", "]", "null", "true", "0", "-1.5e3", `"a":1,`, `"mail":{},`, `"detail":{},`, `"eventType":"Send",`,
	}
	var list []string
	for _, path := range samples(t) {
		list = append(list, read(t, path))
	}
	for _, wrap := range wraps {
		for _, event := range corpus(20) {
			list = append(list, wrap(event))
		}
	}
	taken := 0
	for range 4_000 {
		body := list[r.IntN(len(list))]
		for range 1 + r.IntN(2) {
			from := r.IntN(len(body) + 1)
			to := min(len(body), from+r.IntN(4))
			with := ""
			if r.IntN(3) > 0 {
				with = snippets[r.IntN(len(snippets))]
			}
			body = body[:from] + with + body[to:]
		}
		if agree(t, body) {
			taken++
		}
	}
	if taken < 400 {
		t.Errorf("the scanner took only %d mutants: this test shows nothing", taken)
	}
}
