package campaign

import (
	"math"

	"github.com/mailvane/mailvane/internal/observation"
)

// joinedDays is how many days of mail a reading of Gmail speaks of: its own and those before, because people report mail
// some days after it came.
const joinedDays = 3

// Name names a campaign within its tenant, whatever its sends are called.
type Name struct{ Tenant, Campaign string }

// Use is mail that a campaign sent on a day with one stamp.
type Use struct {
	Day             Day
	Account, Region string
	Campaign        Name
	Stamp           observation.Stamp
	// Sent counts recipients of all providers, GmailDelivered those at personal Gmail addresses.
	Sent, GmailDelivered int64
}

// Reading is what Gmail says about an identifier on a day.
type Reading struct {
	// Source is the API, such as observation.PostmasterV2; Aggregation is observation.PostmasterFromHeader or another,
	// which is not joined.
	Source, Domain, Aggregation, Identifier string
	Day                                     Day
	// Rate is spam reports over mail in inboxes, between 0 and 1, nil when Gmail gave none.
	Rate *float64
}

// Arrival says that a source has told something about a domain's day.
type Arrival struct {
	Source, Domain string
	Day            Day
}

// Postmaster is what a Join works on: what we know that we sent, and what Gmail says. Domains are in lower case.
type Postmaster struct {
	Uses     []Use
	Readings []Reading
	Arrivals []Arrival
	// Covered is the first day of which Uses hold all mail, Today the day that has not ended yet.
	Covered, Today Day
}

// Match says what an identifier that Gmail reports is to us.
type Match string

// The matches.
const (
	// MatchOwn: one campaign has at least 90 % of the identifier's mail. The rate is that campaign's.
	MatchOwn Match = "own"
	// MatchShared: several campaigns use the identifier, so that its rate blames none.
	MatchShared Match = "shared"
	// MatchAccount: the field that SES fills with account and region, the same for all mail of both.
	MatchAccount Match = "account"
	// MatchSender: the last field, which says who runs the sending system.
	MatchSender Match = "sender"
	// MatchIP: an IP address, which Gmail reports too.
	MatchIP Match = "ip"
	// MatchUnknown: we sent nothing with this identifier.
	MatchUnknown Match = "unknown"
	// MatchEarlier: we sent mail with this identifier, but none that the reading speaks of.
	MatchEarlier Match = "earlier"
	// MatchNotCovered: we know of no mail with this identifier, but do not know of all mail either.
	MatchNotCovered Match = "not_covered"
	// MatchNotJoined: the reading is aggregated by something else than the header From.
	MatchNotJoined Match = "not_joined"
)

// Matches lists the matches.
func Matches() []Match {
	return []Match{
		MatchOwn, MatchShared, MatchAccount, MatchSender, MatchIP, MatchUnknown, MatchEarlier, MatchNotCovered, MatchNotJoined,
	}
}

// Joined is a reading with the mail that it speaks of.
type Joined struct {
	Reading
	Match Match
	// Users are the campaigns that used the identifier, those with most mail first, 20 at most; SharedBy is how many there
	// are.
	Users    []User
	SharedBy int
	// OfDay and OfThreeDays count deliveries to Gmail with the identifier, on the reading's day and in the three days up to
	// it.
	OfDay, OfThreeDays int64
	// CarryOver says that the day has under a tenth of the three days' mail: reports are about mail of the days before.
	CarryOver bool
	// Region is that of an account's identifier, Account the only account that sent for the domain from there, if only one
	// did.
	Region, Account string
}

// User is a campaign that used an identifier in the three days up to a reading's day.
type User struct {
	Name
	// Field is the first of a, b, c and sender that held the identifier.
	Field string
	// Share is the campaign's part of the identifier's mail. The shares of all users sum to 1.
	Share              float64
	OfDay, OfThreeDays int64
}

const (
	maxUsers = 20
	// ownShare is the share from which on an identifier is a campaign's own.
	ownShare = 0.9
	// carryOver is the part of the three days' mail under which a day's rate says nothing about the day's mail.
	carryOver = 0.1
)

// Join holds readings joined to the campaigns whose mail they speak of. It does not change.
//
// A reading speaks of the mail whose header From is in its domain. Mail of a subdomain is joined to the most specific
// domain that Gmail reports, else, where the mail of a domain's readings all went to its subdomains, to the domain too.
type Join struct {
	index
	readings []Joined
	// ofBucket holds the numbers of the readings that are joined to each bucket.
	ofBucket map[int32][]int32
}

// NewJoin joins what Gmail says to what was sent.
func NewJoin(p Postmaster) *Join {
	j := &Join{index: newIndex(p), readings: make([]Joined, len(p.Readings)), ofBucket: map[int32][]int32{}}
	for i, r := range p.Readings {
		if r.Rate != nil && !(*r.Rate >= 0 && *r.Rate <= 1) {
			r.Rate = nil
		}
		j.readings[i] = Joined{Reading: r}
		if bucket, ok := j.match(&j.readings[i]); ok {
			j.ofBucket[bucket] = append(j.ofBucket[bucket], int32(i))
		}
	}
	return j
}

// Readings returns the readings in the order in which they were given. They must not be changed.
func (j *Join) Readings() []Joined { return j.readings }

// match finds what a reading is about, and its bucket where it has one.
func (j *Join) match(r *Joined) (bucket int32, ok bool) {
	if r.Match = known(r.Identifier); r.Match != "" {
		if r.Match == MatchAccount {
			r.Region = regionOf(r.Identifier)
			r.Account = j.accounts[place{r.Domain, r.Region}]
		}
		return 0, false
	}
	if !r.joinable() {
		r.Match = MatchNotJoined
		return 0, false
	}
	bucket, ok = j.ids[bucketKey{r.Domain, r.Identifier}]
	if !ok {
		r.Match = j.missing(r)
		return 0, false
	}
	if j.buckets[bucket].fields == fieldSender {
		r.Match = MatchSender
		return 0, false
	}
	j.share(r, bucket)
	return bucket, true
}

// joinable says whether the reading may speak of mail by the domain of its header From. The older API does not say by what
// it counts; it is taken at its best, but never proves that we did not send something.
func (r *Reading) joinable() bool {
	return r.Aggregation == observation.PostmasterFromHeader || r.Aggregation == observation.PostmasterUnstated
}

// missing says what an identifier is that no known mail had.
func (j *Join) missing(r *Joined) Match {
	switch {
	case r.Aggregation == observation.PostmasterUnstated:
		return MatchNotJoined
	case j.coveredFor(r.Day):
		return MatchUnknown
	default:
		return MatchNotCovered
	}
}

// share tells who used the identifier of a reading.
func (j *Join) share(r *Joined, bucket int32) {
	total := j.mail(bucket, r.Day)
	r.OfDay, r.OfThreeDays, r.SharedBy = total.delivered, total.delivered3, int(total.campaigns)
	r.CarryOver = total.carriesOver()
	whole := total.weightIn(&total.mail)
	if whole == 0 {
		r.Match = MatchEarlier
		return
	}
	b := &j.buckets[bucket]
	for g := b.first; g < b.end; g++ {
		t := j.groupMail(g, r.Day, anyField)
		if weight := t.weightIn(&total.mail); weight > 0 {
			r.Users = append(r.Users, User{
				Name: j.campaigns[j.groups[g].campaign], Field: t.fields.first(),
				Share: float64(weight) / float64(whole), OfDay: t.delivered, OfThreeDays: t.delivered3,
			})
		}
	}
	sortUsers(r.Users)
	if len(r.Users) > maxUsers {
		r.Users = append([]User(nil), r.Users[:maxUsers]...)
	}
	r.Match = MatchShared
	if r.Users[0].Share >= ownShare {
		r.Match = MatchOwn
	}
}

// bound is how many complaints there can be at most among so many of the deliveries that a rate speaks of. Gmail divides by
// mail in inboxes, which is no more than what was delivered; and all complaints may be about one user's mail.
func bound(rate float64, deliveries, ofUser int64) float64 {
	return math.Min(rate*float64(deliveries), float64(ofUser))
}
