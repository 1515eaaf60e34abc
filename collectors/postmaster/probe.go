package postmaster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/mailvane/mailvane/collectors"
)

// probeDays is how many days a probe looks back.
const probeDays = 14

// Account is what a probe found out about an account.
type Account struct {
	// Type is that of the credentials: authorized_user, service_account or another that Google's libraries know; empty when
	// they are those of the machine.
	Type string
	// Needed are the scopes that reading needs, Granted those that the token has, nil when Google does not tell.
	Needed, Granted []string
	// Domains are those that are configured, else all that the account sees.
	Domains []Figures
}

// Figures say what can be read of a domain.
type Figures struct {
	Domain
	// Newest is the start of the newest day of which figures can be had, zero when there is none among the last Asked days;
	// Days counts those that there are. Asked is 0 for a domain that was not asked, or not answered for.
	Newest      time.Time
	Days, Asked int
	// Err is why no answer came for this domain.
	Err error
}

// Probe finds out what can be read, in a few calls and without a sink: one for the list of domains, and one for each hundred
// domains, or in v1 one for each. What was found out before an error is returned with it.
func (c *Collector) Probe(ctx context.Context) (Account, error) {
	a := Account{Needed: Scopes(c.api, len(c.domains) == 0)}
	p, err := c.begin(ctx, nowhere{})
	if err != nil {
		return a, err
	}
	a.Type = string(p.cl.who.kind)
	f := p.probeDomains(ctx, &a)
	if f == nil {
		f = p.probeFigures(ctx, &a)
	}
	// A token that is still good is there without a call.
	if token, err := p.cl.who.tokens.Token(); err == nil {
		a.Granted = grantedTo(token)
	}
	if f != nil {
		return a, c.fail(ctx, f)
	}
	return a, nil
}

// nowhere is a sink for what a probe reads.
type nowhere struct{}

func (nowhere) Put(context.Context, collectors.Batch) error { return nil }

// grantedTo lists the scopes of a token, as the answer with it told them.
func grantedTo(token *oauth2.Token) []string {
	text, _ := token.Extra("scope").(string)
	scopes := strings.Fields(text)
	for i, s := range scopes {
		scopes[i] = collectors.OneLine(s)
	}
	return scopes
}

// probeDomains fills in the domains, without figures.
func (p *pass) probeDomains(ctx context.Context, a *Account) *failure {
	for _, name := range p.c.domains {
		a.Domains = append(a.Domains, Figures{Domain: Domain{Name: name, Access: AccessOK}})
	}
	if len(p.c.domains) > 0 {
		return nil
	}
	list, f := p.cl.domains(ctx)
	if f != nil {
		return f
	}
	for _, d := range list {
		a.Domains = append(a.Domains, Figures{Domain: d})
	}
	if len(list) == 0 {
		return &failure{reason: collectors.ReasonNotFound, hint: hintNoDomains, err: errors.New("the account sees no domain")}
	}
	return nil
}

// probeFigures asks for the newest days of the domains that may be read: for one metric alone, which every domain has.
func (p *pass) probeFigures(ctx context.Context, a *Account) *failure {
	var open []*Figures
	for i := range a.Domains {
		if a.Domains[i].Access == AccessOK {
			open = append(open, &a.Domains[i])
		}
	}
	for len(open) > 0 {
		n := min(waveSize, len(open))
		if f := p.probeWave(ctx, open[:n]); f != nil {
			return f
		}
		open = open[n:]
	}
	return nil
}

func (p *pass) probeWave(ctx context.Context, wave []*Figures) *failure {
	p.again, p.settled, p.faults = nil, nil, nil
	subjects := make([]*subject, len(wave))
	for i, d := range wave {
		// Known up to the last day: compliance is not asked then.
		subjects[i] = &subject{name: d.Name, read: p.last, known: true, next: p.last - probeDays + 1}
	}
	var f *failure
	if p.c.api == V1 {
		f = p.waveV1(ctx, subjects)
	} else {
		f = p.round(ctx, p.probes(subjects))
	}
	for i, s := range subjects {
		wave[i].take(p, s)
	}
	return f
}

func (p *pass) probes(subjects []*subject) iter.Seq[*ask] {
	return func(yield func(*ask) bool) {
		for _, s := range subjects {
			s.start(p.last, nil)
			if !yield(&ask{s: s, from: s.from, to: s.to, questions: baseQuestions()[:1]}) {
				return
			}
		}
	}
}

// take takes over what was found out about a domain.
func (d *Figures) take(p *pass, s *subject) {
	switch {
	case s.access != "":
		d.Access = s.access
		return
	case s.fault != nil:
		d.Err = &collectors.Error{Source: s.name, Op: "read", Reason: s.fault.reason, Hint: s.fault.hint, Err: s.fault.err}
		return
	case s.to == 0 || s.next <= s.to: // the calls ended before its turn came
		return
	}
	d.Asked = probeDays
	for n := range probeDays {
		if s.arrived>>n&1 == 1 {
			d.Days++
			d.Newest, _ = (s.from + day(n)).bounds(p.c.zone)
		}
	}
}

// Advice says what a person can do about a domain whose access is not AccessOK, empty when nothing is wrong.
func (d *Domain) Advice() string {
	switch d.Access {
	case AccessOK:
		return ""
	case AccessUnverified:
		return fmt.Sprintf("verify %s at https://postmaster.google.com", d.Name)
	default:
		return hintNoAccess
	}
}
