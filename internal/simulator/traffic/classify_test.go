package traffic

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/mailbox"
)

// What the model calls the truth about providers and reasons has to be what the product can know.
func TestTruthIsWhatTheClassifierSays(t *testing.T) {
	c, err := mailbox.New()
	if err != nil {
		t.Fatal(err)
	}
	reporting := map[string]bool{}
	for _, id := range mailbox.DefaultReportingProviders() {
		reporting[id] = true
	}
	check := func(r mailbox.Reply, want string) {
		t.Helper()
		r.Diagnostic = strings.ReplaceAll(r.Diagnostic, "%R", "sim-0123456789ab@example.com")
		if got := c.Reason(r); got.Reason != want {
			t.Errorf("%s: reason %s by rule %s, want %s: %s", r.Provider, got.Reason, got.Rule, want, r.Diagnostic)
		}
	}
	bounce := func(provider, kind string, r reply) {
		t.Helper()
		check(mailbox.Reply{Provider: provider, Diagnostic: r.text, Status: r.status, BounceType: kind, BounceSubType: r.kind}, r.reason)
	}
	for _, p := range providers() {
		for _, domain := range p.domains {
			if got := c.Provider(domain); got != p.id {
				t.Errorf("%s is of %s, want %s", domain, got, p.id)
			}
		}
		if p.reports != reporting[p.id] {
			t.Errorf("%s reports: %v, want %v", p.id, p.reports, reporting[p.id])
		}
		if learned, ok := c.PlatformOf(p.domains[0], p.accept); ok && p.id == other {
			t.Errorf("the reply %q teaches that %s is %s", p.accept, p.domains[0], learned)
		}
		bounce(p.id, "Permanent", p.hard)
		bounce(p.id, "Transient", p.soft)
		check(mailbox.Reply{Provider: p.id, Diagnostic: p.delay.text, Status: p.delay.status, DelayType: p.delay.kind}, p.delay.reason)
		bounce(p.id, "Permanent", accountSuppression)
		bounce(p.id, "Permanent", tenantSuppression)
		check(mailbox.Reply{Provider: p.id, BounceType: "Undetermined", BounceSubType: "Undetermined"}, "unknown")
		check(mailbox.Reply{Provider: p.id, RejectReason: "Bad content"}, "content_virus_or_attachment")
	}
	bounce(MailboxSimulator, "Permanent", simulatorMailboxes.hard)
	bounce("microsoft", "Transient", microsoftBlock)
}
