package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/internal/config"
)

// lateAfter is from how many days on the newest day of a domain is late: Gmail is one to three behind.
const lateAfter = 4

// accountQuestions asks each Google account what it can read.
func accountQuestions(env Environment, c *config.Config) (all []question) {
	for _, a := range c.Collectors.Postmaster {
		about := fmt.Sprintf("Google account %s, API %s", a.Name, a.API)
		all = append(all, question{about, func(ctx context.Context) []Finding { return askAccount(ctx, env, &a) }})
	}
	return all
}

func askAccount(ctx context.Context, env Environment, c *config.Postmaster) []Finding {
	o, err := accountOptions(env, c)
	if err != nil {
		return []Finding{problem(err)}
	}
	collector, err := postmaster.New(o)
	if err != nil {
		return []Finding{problem(err)}
	}
	a, err := collector.Probe(ctx)
	var all []Finding
	if a.Granted != nil || len(a.Domains) > 0 {
		all = append(all, ok("%s", credentialsText(c, &a)))
	}
	if err != nil {
		all = append(all, problem(err))
	}
	return append(all, domainFindings(c, &a, o.Zone, env.Now())...)
}

// credentialsText says whose the credentials are, and what they are good for.
func credentialsText(c *config.Postmaster, a *postmaster.Account) string {
	kind := "credentials of this machine"
	switch a.Type {
	case "":
	case "authorized_user":
		kind = "a user's credentials"
	case "service_account":
		kind = "a service account's credentials"
	default:
		kind = "credentials of type " + a.Type
	}
	if c.Subject != "" {
		kind += ", for the subject that is configured"
	}
	if c.CredentialsFile == "" {
		kind += " (application default)"
	}
	if a.Granted == nil {
		return kind + ", taken by Google"
	}
	return kind + ", with the scopes " + strings.Join(scopeNames(a.Granted), ", ")
}

// domainFindings says what can be read of each domain.
func domainFindings(c *config.Postmaster, a *postmaster.Account, zone *time.Location, now time.Time) (all []Finding) {
	readable, well, unasked := 0, 0, 0
	for i := range a.Domains {
		d := &a.Domains[i]
		if d.Access == postmaster.AccessOK {
			readable++
		}
		if d.Access == postmaster.AccessOK && d.Asked == 0 && d.Err == nil { // why was said
			unasked++
			continue
		}
		f := domainFinding(c, d, zone, now)
		if f.Level == FindingOK {
			if well++; well > maxFindings {
				continue
			}
		}
		all = append(all, f)
	}
	if well > maxFindings {
		all = append(all, ok("and %d more domains", well-maxFindings))
	}
	if unasked > 0 {
		all = append(all, note(plural(int64(unasked), "domain was", "domains were")+" not asked"))
	}
	if len(a.Domains) > 0 && readable == 0 && len(c.Domains) == 0 {
		all = append(all, problem(errors.New("none of these domains can be read")))
	}
	return all
}

func domainFinding(c *config.Postmaster, d *postmaster.Figures, zone *time.Location, now time.Time) Finding {
	const docs = "docs/gmail.md says what Gmail needs before it shows figures"
	switch {
	case d.Access != postmaster.AccessOK:
		f := warning(d.Name+": "+accessText(d.Access)+", and is left out", d.Advice())
		if len(c.Domains) > 0 { // this one is wanted
			f = problem(errors.New(d.Name+": "+accessText(d.Access)), d.Advice())
		}
		return f
	case d.Err != nil:
		f := problem(d.Err)
		f.Text = d.Name + ": " + f.Text
		return f
	case d.Newest.IsZero():
		return warning(fmt.Sprintf("%s: no figures in the last %d days", d.Name, d.Asked), docs)
	}
	text := fmt.Sprintf("%s: figures of %d of the last %d days, the newest %s", d.Name, d.Days, d.Asked, d.Newest.In(zone).Format(time.DateOnly))
	if age := daysBetween(d.Newest, now, zone); age > lateAfter {
		return warning(fmt.Sprintf("%s, %d days ago", text, age), docs)
	}
	return ok("%s", text)
}

func accessText(access string) string {
	switch access {
	case postmaster.AccessUnverified:
		return "is not verified"
	case postmaster.AccessNotFound:
		return "is not known to Postmaster Tools"
	default:
		return "the account has no access"
	}
}

// daysBetween counts the days from a time to a later one, by the calendar.
func daysBetween(from, to time.Time, zone *time.Location) int {
	y1, m1, d1 := from.In(zone).Date()
	y2, m2, d2 := to.In(zone).Date()
	return int(time.Date(y2, m2, d2, 0, 0, 0, 0, time.UTC).Sub(time.Date(y1, m1, d1, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
}
