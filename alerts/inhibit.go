package alerts

import (
	"cmp"
	"slices"
	"strings"
)

// breadth orders what alerts are about: an alert may mute those of a narrower breadth.
func (b By) breadth() int {
	switch b {
	case ByAccount:
		return 4
	case ByRegion:
		return 3
	case ByDomain:
		return 2
	case ByCampaign, ByCampaignProvider, ByIdentifier:
		return 1
	default:
		return 0
	}
}

// inhibitions finds which alert mutes which: of each cause, the broadest first.
type inhibitions map[Cause][]*Alert

// newInhibitions takes those that heard is true of: one that nobody hears of stands for nothing.
func newInhibitions(firing []*Alert, heard func(*Alert) bool) inhibitions {
	i := make(inhibitions)
	for _, a := range firing {
		if a.By.breadth() > 1 && heard(a) {
			cause := a.Signal.Definition().Cause
			i[cause] = append(i[cause], a)
		}
	}
	for _, all := range i {
		slices.SortStableFunc(all, func(a, b *Alert) int {
			return cmp.Or(cmp.Compare(b.By.breadth(), a.By.breadth()), cmp.Compare(len(a.Subject.Domain), len(b.Subject.Domain)))
		})
	}
	return i
}

// of returns the alert that mutes another: one of the same cause, at least as severe, about the account, region or domain that
// the other's mail was sent from, or about the domain above the other's. A campaign of which that is not known is not muted. One
// that is muted itself mutes nothing: nobody would be told of what it stands for.
func (i inhibitions) of(a *Alert) *Alert {
	if a.By.breadth() == 0 {
		return nil
	}
	for _, b := range i[a.Signal.Definition().Cause] {
		if b.Severity >= a.Severity && (b.By.breadth() > a.By.breadth() && b.covers(a) || b.above(a)) && i.of(b) == nil {
			return b
		}
	}
	return nil
}

// above says whether another alert is the same about a subdomain: Gmail counts the mail of subdomains in their parent too, so
// that one campaign raises both.
func (a *Alert) above(other *Alert) bool {
	return a.By == ByDomain && other.By == ByDomain && a.Signal == other.Signal && a.Subject.Detail == other.Subject.Detail &&
		a.Subject.Domain != "" && strings.HasSuffix(other.Subject.Domain, "."+a.Subject.Domain)
}

// covers says whether another alert is about a part of what this one is about.
func (a *Alert) covers(other *Alert) bool {
	for _, f := range [...]field{fieldAccount, fieldRegion, fieldDomain} {
		want := a.Subject.get(f)
		if want == "" {
			continue
		}
		if other.Subject.get(f) != want && !slices.Contains(other.values(fieldNames[f]), want) {
			return false
		}
	}
	return true
}
