package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/view"
)

// The orders of what Gmail tells about.
const (
	sortName     = "name"
	sortSpamRate = "spam_rate"
)

const (
	// A domain is listed with up to 50 identifiers and as many other figures, so that fewer fit in an answer.
	defaultDomains = 200
	maxDomains     = 2000
	maxIdentifiers = 20_000
)

func (s *server) domains(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	q := view.DomainQuery{
		Window:     p.window(),
		Domain:     p.domain(),
		State:      choice(&p, "state", campaign.ReportStates()...),
		BySpamRate: choice(&p, "sort", sortName, sortSpamRate) == sortSpamRate,
		Limit:      p.number("limit", defaultDomains, 1, maxDomains),
		Offset:     p.number("offset", 0, 0, 1<<30),
	}
	if !p.done(w) {
		return
	}
	s.json(w, s.View.Domains(q))
}

func (s *server) identifiers(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	q := view.IdentifierQuery{
		Window: p.window(),
		Domain: p.domain(),
		State:  choice(&p, "state", campaign.ReportStates()...),
		Match:  choice(&p, "match", campaign.Matches()...),
		ByName: choice(&p, "sort", sortSpamRate, sortName) == sortName,
		Limit:  p.number("limit", defaultLimit, 1, maxIdentifiers),
		Offset: p.number("offset", 0, 0, 1<<30),
	}
	if !p.done(w) {
		return
	}
	s.json(w, s.View.Identifiers(q))
}

// domain is a domain as Gmail's readings have it.
func (p *params) domain() string { return strings.TrimSuffix(strings.ToLower(p.text("domain")), ".") }

// choice is one of some words, or empty.
func choice[T ~string](p *params, name string, of ...T) T {
	text := T(p.text(name))
	if text == "" || slices.Contains(of, text) {
		return text
	}
	words := make([]string, len(of))
	for i, word := range of {
		words[i] = string(word)
	}
	p.faults = append(p.faults, name+" must be "+strings.Join(words[:len(words)-1], ", ")+" or "+words[len(words)-1])
	return ""
}
