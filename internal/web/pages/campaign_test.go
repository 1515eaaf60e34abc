package pages

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestHeadComesFirst: whoever opens a campaign sees what is wrong with it before the ledger is read for the rest.
func TestHeadComesFirst(t *testing.T) {
	r, seen := story(), make(chan struct{})
	r.onCampaign = func(ctx context.Context) error {
		select {
		case <-seen:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s := newSite(t, r, false)
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/campaigns/blocked?tenant=acme", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var page strings.Builder
	for piece := make([]byte, 512); !strings.Contains(page.String(), "figure-"); {
		n, err := answer.Body.Read(piece)
		page.Write(piece[:n])
		if err != nil {
			t.Fatalf("%v after %s", err, page.String())
		}
	}
	if head := page.String(); !strings.Contains(head, "was refused for what it is") || strings.Contains(head, "timeline-h") {
		t.Errorf("the head does not say that mail is blocked, or has the timeline: %s", head)
	}
	close(seen)
	rest, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`id="timeline-h"`, `id="providers-h"`, `id="sends"`, "</html>"} {
		if !strings.Contains(string(rest), want) {
			t.Errorf("the rest has no %s", want)
		}
	}
}

// TestLedgerCannotBeRead: what is known without the ledger is shown all the same, and what is missing is named.
func TestLedgerCannotBeRead(t *testing.T) {
	r := story()
	r.onCampaign = func(context.Context) error { return errors.New("disk of secret-host is away") }
	s := newSite(t, r, false)
	answer, body := s.get(t, "/campaigns/blocked?tenant=acme")
	if answer.StatusCode != http.StatusOK {
		t.Errorf("it answers %s", answer.Status)
	}
	for _, want := range []string{"could not be read", `id="providers-h"`, "microsoft", "</html>"} {
		if !strings.Contains(strings.ToLower(body), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(body, "secret-host") || strings.Contains(body, `id="timeline-h"`) || strings.Contains(body, `id="sends"`) {
		t.Errorf("the page tells the error, or draws what was not read: %s", body)
	}
	for _, path := range []string{"/campaigns/long-ago", "/campaigns/blocked?tenant=acme&format=csv&table=sends"} {
		if answer, body := s.get(t, path); answer.StatusCode != http.StatusInternalServerError || strings.Contains(body, "secret-host") {
			t.Errorf("%s answers %s: %s", path, answer.Status, body)
		}
	}
}
