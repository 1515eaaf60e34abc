package ledgertest

import (
	"cmp"
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func keptValues() []rule {
	return []rule{
		{name: "versions are listed oldest first, by kind", check: versionsKept},
		{name: "learned domains keep what held before", check: domainsLearned},
		{name: "positions are by source, and later ones replace", check: positionsReplaced},
		{name: "statuses are listed oldest first, from a time on", check: statusesListed},
		{name: "a status that comes twice is kept once", check: statusOnce},
	}
}

func (r *rig) versions(kind string) []ledger.Version {
	r.Helper()
	r.fold()
	versions := read(r, "versions", func(ctx context.Context) ([]ledger.Version, error) {
		return r.ledger().Versions(ctx, kind)
	})
	for i := range versions {
		versions[i].Since = versions[i].Since.UTC()
	}
	return versions
}

func versionsKept(r *rig) {
	first := ledger.Version{Since: r.now().Add(-time.Hour), Body: []byte(`{"v":1}`)}
	second := ledger.Version{Since: r.now(), Body: []byte(`{"v":2}`)}
	other := ledger.Version{Since: r.now(), Body: []byte(`["yahoo"]`)}
	for _, v := range []ledger.Version{second, first} {
		r.must("add version", r.ledger().AddVersion(r.Context(), ledger.VersionIdentity, v))
	}
	r.must("add version", r.ledger().AddVersion(r.Context(), ledger.VersionReporting, other))
	for _, restart := range []func(){r.fold, r.crash, r.reopen} {
		restart()
		r.same("identity", r.versions(ledger.VersionIdentity), []ledger.Version{first, second})
		r.same("reporting", r.versions(ledger.VersionReporting), []ledger.Version{other})
		r.same("unknown kind", r.versions("unknown"), []ledger.Version(nil))
	}
}

func domainsLearned(r *rig) {
	domain := func(name, provider string, ago time.Duration) ledger.LearnedDomain {
		return ledger.LearnedDomain{Domain: name, Provider: provider, Since: start.Add(-ago)}
	}
	r.commit(ledger.Put{Source: queue, Learned: []ledger.LearnedDomain{
		domain("a.example", "google_workspace", 3*day), domain("b.example", "microsoft", 2*day),
	}})
	r.fold()
	r.commit(ledger.Put{Source: queue, Learned: []ledger.LearnedDomain{domain("a.example", "microsoft", day)}})
	want := []ledger.LearnedDomain{
		domain("a.example", "google_workspace", 3*day), domain("a.example", "microsoft", day),
		domain("b.example", "microsoft", 2*day),
	}
	for _, restart := range []func(){r.fold, r.crash, r.reopen} {
		restart()
		got := read(r, "learned domains", r.ledger().LearnedDomains)
		for i := range got {
			got[i].Since = got[i].Since.UTC()
		}
		r.same("learned domains", sorted(got, func(a, b ledger.LearnedDomain) int {
			return cmp.Or(cmp.Compare(a.Domain, b.Domain), a.Since.Compare(b.Since))
		}), want)
	}
}

func positionsReplaced(r *rig) {
	r.commit(ledger.Put{Source: "postmaster", Positions: map[string]string{"a.example": "1", "b.example": "1"}})
	r.commit(ledger.Put{Source: "account", Positions: map[string]string{"a.example": "x"}})
	r.commit(ledger.Put{Source: "postmaster", Positions: map[string]string{"b.example": "2", "c.example": ""}})
	for _, restart := range []func(){r.fold, r.crash, r.reopen} {
		restart()
		for source, want := range map[string]map[string]string{
			"postmaster": {"a.example": "1", "b.example": "2", "c.example": ""},
			"account":    {"a.example": "x"},
			"nobody":     nil,
		} {
			got := read(r, "positions", func(ctx context.Context) (map[string]string, error) {
				return r.ledger().Positions(ctx, source)
			})
			r.same("positions of "+source, got, want)
		}
	}
}

func (r *rig) statuses(since time.Time) []observation.Status {
	r.Helper()
	r.fold()
	rows := read(r, "statuses", func(ctx context.Context) ([]observation.Status, error) {
		return r.ledger().Statuses(ctx, since)
	})
	for i := range rows {
		rows[i].At, rows[i].Message = rows[i].At.UTC(), 0
	}
	return rows
}

func (r *rig) accountStatus(id string, at time.Time) observation.Status {
	return observation.Status{
		DetailType: "Sending Status Disabled", ID: id, Account: origin.Account, Region: origin.Region,
		Resource: "arn:aws:ses:eu-west-1:111122223333:tenant/acme", At: at, Detail: []byte(`{"version":"1.0.0"}`),
	}
}

func statusesListed(r *rig) {
	first := r.accountStatus("c", r.now())
	second := r.accountStatus("a", r.now().Add(time.Hour))
	third := r.accountStatus("b", r.now().Add(2*time.Hour))
	r.commit(ledger.Put{Source: queue, Statuses: []observation.Status{third, first}})
	r.fold()
	r.commit(ledger.Put{Source: queue, Statuses: []observation.Status{second}})
	for _, restart := range []func(){r.fold, r.crash, r.reopen} {
		restart()
		r.same("all", r.statuses(r.now()), []observation.Status{first, second, third})
		r.same("from the second on", r.statuses(second.At), []observation.Status{second, third})
		r.same("after the last", r.statuses(third.At.Add(time.Millisecond)), []observation.Status(nil))
	}
}

func statusOnce(r *rig) {
	s := r.accountStatus("a", r.now())
	r.commit(ledger.Put{Source: queue, Statuses: []observation.Status{s, s}})
	r.fold()
	r.commit(ledger.Put{Source: "queue-2", Statuses: []observation.Status{s}})
	r.same("statuses", r.statuses(r.now()), []observation.Status{s})
}
