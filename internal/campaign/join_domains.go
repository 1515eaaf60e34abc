package campaign

import (
	"net/netip"
	"regexp"
	"strings"
)

// accountID is the field c that SES writes: a number, the region and a hash (1.us-east-1.q2b3d4…=).
var accountID = regexp.MustCompile(`^\d\.([a-z]{2,3}(?:-[a-z]+)+-\d+)\.`)

// senderSES is the last field of every Feedback-ID that SES writes.
const senderSES = "AmazonSES"

// known recognises identifiers that say what they are; it returns "" for others.
func known(identifier string) Match {
	switch {
	case identifier == senderSES:
		return MatchSender
	case !strings.ContainsAny(identifier, ".:"):
		return ""
	case accountID.MatchString(identifier):
		return MatchAccount
	}
	if _, err := netip.ParseAddr(identifier); err == nil {
		return MatchIP
	}
	return ""
}

func regionOf(identifier string) string {
	if found := accountID.FindStringSubmatch(identifier); found != nil {
		return found[1]
	}
	return ""
}

// origin is what a source says about a domain.
type origin struct{ source, domain string }

// domains knows the domains of which Gmail tells something.
type domains struct {
	// sources are the sources by which they are known: the newest API if several tell about one, because their figures
	// are never mixed.
	sources map[string]string
	// arrived are the days that came, newest the last of them.
	arrived map[Arrival]bool
	newest  map[origin]Day
	// most is the most specific domain for each From domain.
	most map[string]string
}

func newDomains(p Postmaster) domains {
	d := domains{sources: map[string]string{}, arrived: map[Arrival]bool{}, newest: map[origin]Day{}, most: map[string]string{}}
	arrivals := make([]Arrival, 0, len(p.Arrivals)+len(p.Readings))
	arrivals = append(arrivals, p.Arrivals...)
	for _, r := range p.Readings {
		arrivals = append(arrivals, Arrival{r.Source, r.Domain, r.Day})
	}
	for _, a := range arrivals {
		d.sources[a.Domain] = max(d.sources[a.Domain], a.Source)
		d.arrived[a] = true
		if newest, ok := d.newest[origin{a.Source, a.Domain}]; !ok || a.Day > newest {
			d.newest[origin{a.Source, a.Domain}] = a.Day
		}
	}
	return d
}

// of is the most specific domain that Gmail reports for mail from a domain, else that domain itself.
func (d *domains) of(from string) string {
	if most, ok := d.most[from]; ok {
		return most
	}
	most := from
	for domain, more := from, true; more; _, domain, more = strings.Cut(domain, ".") {
		if _, ok := d.sources[domain]; ok {
			most = domain
			break
		}
	}
	d.most[from] = most
	return most
}

// came says whether a domain's day has arrived.
func (d *domains) came(domain string, day Day) bool {
	return d.arrived[Arrival{d.sources[domain], domain, day}]
}

// joins says whether a reading is of the domain's source and of mail by its header From.
func (d *domains) joins(r *Joined) bool {
	return r.joinable() && r.Source == d.sources[r.Domain]
}
