package campaign

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
)

// fieldSet is a set of fields of a Feedback-ID.
type fieldSet uint8

const (
	fieldA fieldSet = 1 << iota
	fieldB
	fieldC
	fieldSender
	anyField = fieldA | fieldB | fieldC | fieldSender
)

// first names the first field of the set.
func (f fieldSet) first() string {
	switch {
	case f&fieldA != 0:
		return "a"
	case f&fieldB != 0:
		return "b"
	case f&fieldC != 0:
		return "c"
	default:
		return "sender"
	}
}

// several says whether the set has more than one field.
func (f fieldSet) several() bool { return f&(f-1) != 0 }

// bucketKey is what Gmail counts by: a domain and an identifier.
type bucketKey struct{ domain, identifier string }

// bucket is mail with one identifier. Its groups are those in [first, end).
type bucket struct {
	bucketKey
	fields     fieldSet
	first, end int32
	// days holds the mail of those days on which there was some, or in the two days after.
	days []bucketDay
	// above says that the mail belongs to more specific domains and is counted there.
	above bool
}

// group is the mail of one campaign in a bucket: the entries in [first, end).
type group struct{ bucket, campaign, first, end int32 }

// entry is the mail of one campaign in a bucket on a day, with the identifier in the same fields.
type entry struct {
	bucket, campaign int32
	day              Day
	fields           fieldSet
	sent, delivered  int64
}

// mail counts a day and the three days up to it.
type mail struct {
	sent, delivered, sent3, delivered3 int64
	fields                             fieldSet
}

type bucketDay struct {
	day Day
	mail
	// campaigns is how many had mail in the three days.
	campaigns int32
}

// byDeliveries says whether deliveries are known. Where no Delivery events are published, what was sent tells shares, but
// no bounds.
func (m *mail) byDeliveries() bool { return m.delivered3 > 0 }

// weightIn is the mail of the three days, counted as it is for the whole.
func (m *mail) weightIn(whole *mail) int64 {
	if whole.byDeliveries() {
		return m.delivered3
	}
	return m.sent3
}

// carriesOver says that the day has under a tenth of the three days' mail.
func (m *mail) carriesOver() bool {
	if m.byDeliveries() {
		return float64(m.delivered) < carryOver*float64(m.delivered3)
	}
	return float64(m.sent) < carryOver*float64(m.sent3)
}

// place is a region from which mail for a domain was sent.
type place struct{ domain, region string }

// index holds uses by what Gmail counts by.
type index struct {
	covered, today Day
	// folded are the days on which identifiers or domains were beyond the ledger's caps.
	folded map[Day]bool

	ids       map[bucketKey]int32
	buckets   []bucket
	campaigns []Name
	numbers   map[Name]int32
	groups    []group
	entries   []entry
	// ofCampaign holds each campaign's groups.
	ofCampaign [][]int32

	domains domains
	// accounts is the account of a place, "" when there are several.
	accounts map[place]string
	feedback []FeedbackUse
}

func newIndex(p Postmaster) index {
	x := index{
		covered: p.Covered, today: p.Today, folded: map[Day]bool{}, ids: map[bucketKey]int32{}, numbers: map[Name]int32{},
		domains: newDomains(p), accounts: map[place]string{},
	}
	for i := range p.Uses {
		x.add(&p.Uses[i])
	}
	x.feedback = x.feedbackUses(p.Uses)
	x.climb(p.Readings)
	x.sort()
	for i := range x.buckets {
		x.total(&x.buckets[i])
	}
	return x
}

// add takes a use in under each of its identifiers, once even if an identifier is in several fields.
func (x *index) add(u *Use) {
	s := &u.Stamp
	values := [...]string{s.A, s.B, s.C, s.FeedbackFrom}
	if s.FromDomain == "" || u.Sent <= 0 && u.GmailDelivered <= 0 {
		return
	}
	if s.FromDomain == observation.Other || slices.Contains(values[:], observation.Other) {
		x.folded[u.Day] = true
	}
	domain := x.domains.of(s.FromDomain)
	x.account(place{domain, u.Region}, u.Account)
	for _, above, more := strings.Cut(domain, "."); more; _, above, more = strings.Cut(above, ".") {
		if _, told := x.domains.sources[above]; told { // its figures contain those of its subdomains
			x.account(place{above, u.Region}, u.Account)
		}
	}
	var done fieldSet
	for i, value := range values {
		if done&(1<<i) != 0 || value == "" || value == observation.Other || known(value) != "" {
			continue
		}
		var in fieldSet
		for k := i; k < len(values); k++ {
			if values[k] == value {
				in |= 1 << k
			}
		}
		done |= in
		id := x.bucket(bucketKey{domain, value})
		x.buckets[id].fields |= in
		x.entries = append(x.entries, entry{id, x.number(u.Campaign), u.Day, in, u.Sent, u.GmailDelivered})
	}
}

func (x *index) account(p place, account string) {
	if before, ok := x.accounts[p]; ok && before != account {
		account = ""
	}
	x.accounts[p] = account
}

func (x *index) bucket(key bucketKey) int32 {
	id, ok := x.ids[key]
	if !ok {
		id = int32(len(x.buckets))
		x.ids[key] = id
		x.buckets = append(x.buckets, bucket{bucketKey: key})
	}
	return id
}

func (x *index) number(n Name) int32 {
	id, ok := x.numbers[n]
	if !ok {
		id = int32(len(x.campaigns))
		x.numbers[n] = id
		x.campaigns = append(x.campaigns, n)
	}
	return id
}

// climb makes buckets for readings of a domain whose mail with the identifier is all counted under its subdomains.
func (x *index) climb(readings []Reading) {
	wanted := map[string][]string{}
	for i := range readings {
		r := &readings[i]
		_, found := x.ids[bucketKey{r.Domain, r.Identifier}]
		if !found && r.joinable() && !slices.Contains(wanted[r.Identifier], r.Domain) {
			wanted[r.Identifier] = append(wanted[r.Identifier], r.Domain)
		}
	}
	if len(wanted) == 0 {
		return
	}
	for _, e := range x.entries {
		below := x.buckets[e.bucket].bucketKey
		for _, domain := range wanted[below.identifier] {
			if strings.HasSuffix(below.domain, "."+domain) {
				fields := e.fields
				e.bucket = x.bucket(bucketKey{domain, below.identifier})
				x.buckets[e.bucket].above = true
				x.buckets[e.bucket].fields |= fields
				x.entries = append(x.entries, e)
			}
		}
	}
}

// sort brings entries that belong together next to each other, sums those that are alike, and finds the groups.
func (x *index) sort() {
	slices.SortFunc(x.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.campaign, b.campaign), cmp.Compare(a.day, b.day),
			cmp.Compare(a.fields, b.fields))
	})
	summed := x.entries[:0]
	for _, e := range x.entries {
		if n := len(summed) - 1; n >= 0 {
			last := &summed[n]
			if last.bucket == e.bucket && last.campaign == e.campaign && last.day == e.day && last.fields == e.fields {
				last.sent, last.delivered = last.sent+e.sent, last.delivered+e.delivered
				continue
			}
		}
		summed = append(summed, e)
	}
	x.entries = summed
	x.ofCampaign = make([][]int32, len(x.campaigns))
	for i, e := range x.entries {
		n := len(x.groups) - 1
		if n < 0 || x.groups[n].bucket != e.bucket || x.groups[n].campaign != e.campaign {
			x.groups = append(x.groups, group{bucket: e.bucket, campaign: e.campaign, first: int32(i)})
			n++
			x.ofCampaign[e.campaign] = append(x.ofCampaign[e.campaign], int32(n))
			if b := &x.buckets[e.bucket]; b.end == 0 {
				b.first = int32(n)
			}
			x.buckets[e.bucket].end = int32(n) + 1
		}
		x.groups[n].end = int32(i) + 1
	}
}

// total sums a bucket's days.
func (x *index) total(b *bucket) {
	for g := b.first; g < b.end; g++ {
		for _, e := range x.groupEntries(g) {
			for d := e.day; d < e.day+joinedDays && d <= x.today; d++ {
				b.on(d).add(&e, d)
			}
		}
	}
	// A campaign counts once for each day in whose three days it has mail.
	for g := b.first; g < b.end; g++ {
		last := Day(-1 << 31)
		for _, e := range x.groupEntries(g) {
			for d := max(e.day, last+1); d < e.day+joinedDays && d <= x.today; d++ {
				b.on(d).campaigns++
				last = d
			}
		}
	}
}

// on finds a day of the bucket, or makes it.
func (b *bucket) on(day Day) *bucketDay {
	i, found := slices.BinarySearchFunc(b.days, day, func(b bucketDay, day Day) int { return cmp.Compare(b.day, day) })
	if !found {
		b.days = slices.Insert(b.days, i, bucketDay{day: day})
	}
	return &b.days[i]
}

// add counts an entry of the three days up to a day.
func (m *mail) add(e *entry, day Day) {
	m.sent3, m.delivered3, m.fields = m.sent3+e.sent, m.delivered3+e.delivered, m.fields|e.fields
	if e.day == day {
		m.sent, m.delivered = m.sent+e.sent, m.delivered+e.delivered
	}
}

// mail is a bucket's mail of the three days up to a day.
func (x *index) mail(bucket int32, day Day) bucketDay {
	days := x.buckets[bucket].days
	i, found := slices.BinarySearchFunc(days, day, func(b bucketDay, day Day) int { return cmp.Compare(b.day, day) })
	if !found {
		return bucketDay{day: day}
	}
	return days[i]
}

// groupMail is a campaign's mail of the three days up to a day that had the identifier in one of the fields.
func (x *index) groupMail(g int32, day Day, in fieldSet) mail {
	var m mail
	for i, e := range x.groupEntries(g) {
		if e.day > day {
			break
		}
		if e.day > day-joinedDays && e.fields&in != 0 {
			m.add(&x.groupEntries(g)[i], day)
		}
	}
	return m
}

func (x *index) groupEntries(g int32) []entry { return x.entries[x.groups[g].first:x.groups[g].end] }

// coveredFor says whether all mail that a reading of the day speaks of is known.
func (x *index) coveredFor(day Day) bool {
	for d := day - joinedDays + 1; d <= day; d++ {
		if d < x.covered || x.folded[d] {
			return false
		}
	}
	return true
}

func sortUsers(users []User) {
	slices.SortFunc(users, func(a, b User) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Tenant, b.Tenant))
	})
}
