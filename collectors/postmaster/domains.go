package postmaster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/mailvane/mailvane/collectors"
)

// Domain is a domain as the account sees it.
type Domain struct {
	Name string
	// Access is AccessOK or why figures cannot be had.
	Access string
	// Permission is the account's, as Google calls it (OWNER, ADMIN, READER, NONE).
	Permission string
}

// Domains lists the domains that the account sees, whatever Options.Domains says. In v2 this alone needs the
// postmaster.domain scope.
func (c *Collector) Domains(ctx context.Context) ([]Domain, error) {
	all := *c
	all.domains = nil // which also asks for the scope
	cl, err := all.newClient(ctx)
	if err != nil {
		return nil, c.fail(ctx, asFailure(err))
	}
	list, f := cl.domains(ctx)
	if f != nil {
		return nil, c.fail(ctx, f)
	}
	return list, nil
}

// domains reads the account's list.
func (cl *client) domains(ctx context.Context) (list []Domain, _ *failure) {
	query := url.Values{"pageSize": {"200"}}
	for range maxDomains {
		var got domainList
		if f := cl.call(ctx, http.MethodGet, string(cl.c.api)+"/domains", query, nil, &got); f != nil {
			if f.access == AccessNotFound && cl.c.api == V1 {
				f.hint = hintV1
			}
			return nil, f
		}
		for _, d := range got.Domains {
			if name := strings.ToLower(strings.TrimPrefix(d.Name, "domains/")); validDomain(name) {
				list = append(list, Domain{Name: name, Access: d.access(), Permission: collectors.OneLine(d.Permission)})
			}
		}
		if len(list) > maxDomains {
			err := fmt.Errorf("the account sees more than %d domains; name those to read", maxDomains)
			return nil, &failure{reason: collectors.ReasonConfig, err: err}
		}
		if got.NextPageToken == "" || got.NextPageToken == query.Get("pageToken") {
			return list, nil
		}
		query.Set("pageToken", got.NextPageToken)
	}
	return nil, &failure{reason: collectors.ReasonMalformed, err: errors.New("the list of domains does not end")}
}

func (d *listedDomain) access() string {
	switch {
	case d.VerificationState == "UNVERIFIED":
		return AccessUnverified
	case d.Permission == "NONE":
		return AccessDenied
	default:
		return AccessOK
	}
}

// subjects are the domains to read. Of those that are listed and cannot be read, the state is noted at once.
func (p *pass) subjects(ctx context.Context, from collectors.Positions) (subjects []*subject, _ *failure) {
	names := p.c.domains
	if len(names) == 0 {
		list, f := p.cl.domains(ctx)
		if f != nil {
			return nil, f
		}
		for _, d := range list {
			if d.Access == AccessOK {
				names = append(names, d.Name)
			} else {
				p.add(&subject{name: d.Name}, p.today, MetricAccess, p.c.name, nil, d.Access)
			}
		}
		if f := p.put(ctx, nil); f != nil {
			return nil, f
		}
		if len(names) == 0 {
			err := errors.New("the account has no verified domain")
			return nil, &failure{reason: collectors.ReasonNotFound, hint: hintNoDomains, err: err}
		}
	}
	for _, name := range names {
		s := &subject{name: name}
		s.read, s.known = parsePosition(p.c.api, from[name])
		s.next = p.c.firstDay(s.read, s.known, p.last)
		subjects = append(subjects, s)
	}
	return subjects, nil
}
