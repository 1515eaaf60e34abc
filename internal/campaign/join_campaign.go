package campaign

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// ReportState says how far what Gmail says about an identifier can be used.
type ReportState string

// The states of a report.
const (
	// ReportOK: Gmail reported the identifier, at most four days ago.
	ReportOK ReportState = "ok"
	// ReportStale: what Gmail reported last, or the domain's last day of any kind, is older.
	ReportStale ReportState = "stale"
	// ReportNotReported: days with the identifier's mail arrived, and Gmail did not name it: too little mail or too few
	// complaints.
	ReportNotReported ReportState = "not_reported"
	// ReportNoData: no day with the identifier's mail has arrived.
	ReportNoData ReportState = "no_data"
)

const (
	// freshDays is the age in days up to which a report is not stale. Gmail is one to three days late as a rule.
	freshDays = 4
	// recentDays is how many days up to today an identifier is looked at.
	recentDays = 7
)

// ReportStates lists the states.
func ReportStates() []ReportState {
	return []ReportState{ReportOK, ReportStale, ReportNotReported, ReportNoData}
}

// Fresh says whether what Gmail said about a day is not stale yet.
func Fresh(day, today Day) bool { return today-day <= freshDays }

// Identifier is what Gmail last said about an identifier of a campaign.
type Identifier struct {
	Value, Field, Source, Domain string
	// SharedBy is how many campaigns used it in the three days up to Day, Share the campaign's part of their mail.
	SharedBy int
	Share    float64
	// Rate is nil when nothing was reported.
	Rate *float64
	// Day is that of the report, else the last day on which the campaign sent with the identifier.
	Day       Day
	State     ReportState
	CarryOver bool
	// delivered is the campaign's mail and above says that a more specific domain is that of its mail, for the order of
	// identifiers.
	delivered int64
	above     bool
}

// Own says that the identifier is the campaign's own, so that its rate is the campaign's.
func (i *Identifier) Own() bool { return i.Share >= ownShare }

// Identifiers lists the identifiers that a campaign used lately, those that say most first: reported ones, of them the
// campaign's own, the newest, then those with most mail, of a before b and of the most specific domain. Those of the field
// sender are no campaign's.
func (j *Join) Identifiers(of Name) []Identifier {
	number, ok := j.numbers[of]
	if !ok {
		return nil
	}
	var all []Identifier
	for _, g := range j.ofCampaign[number] {
		if id, ok := j.identifier(g); ok {
			all = append(all, id)
		}
	}
	slices.SortFunc(all, func(a, b Identifier) int {
		if before := cmp.Compare(a.rank(), b.rank()); before != 0 {
			return before
		}
		if a.Rate != nil && a.Day != b.Day {
			return cmp.Compare(b.Day, a.Day)
		}
		return cmp.Or(cmp.Compare(b.delivered, a.delivered), cmp.Compare(a.Field, b.Field), cmp.Compare(btoi(a.above), btoi(b.above)),
			cmp.Compare(a.Value, b.Value), cmp.Compare(a.Domain, b.Domain))
	})
	return all
}

// rank is lower for what says more about the campaign.
func (i *Identifier) rank() int {
	switch {
	case i.Rate == nil:
		return 2
	case i.CarryOver || !i.Own():
		return 1
	default:
		return 0
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// identifier says what is known about the identifier of a group; ok is false when the campaign used it as a sender only,
// or only before the days that count.
func (j *Join) identifier(g int32) (id Identifier, ok bool) {
	group := &j.groups[g]
	b := &j.buckets[group.bucket]
	var fields fieldSet
	for _, e := range j.groupEntries(g) {
		fields |= e.fields
		if e.day > j.today-recentDays {
			id.delivered += e.delivered
			id.Day = max(id.Day, e.day)
		}
	}
	id.Value, id.Field, id.Domain, id.Source = b.identifier, fields.first(), b.domain, j.domains.sources[b.domain]
	id.above = b.above
	report, found := j.newestReport(g)
	if found {
		id.Rate, id.Day, id.CarryOver = report.Rate, report.Day, report.CarryOver
	} else if id.Day == 0 || b.above {
		return id, false
	}
	total := j.mail(group.bucket, id.Day)
	own := j.groupMail(g, id.Day, anyField)
	id.SharedBy = int(total.campaigns)
	if whole := total.weightIn(&total.mail); whole > 0 {
		id.Share = float64(own.weightIn(&total.mail)) / float64(whole)
	}
	id.State = j.state(g, &id)
	return id, fields != fieldSender
}

// newestReport finds the last reading about a group's mail, one of its own day's mail if there is any.
func (j *Join) newestReport(g int32) (best *Joined, found bool) {
	for _, i := range j.ofBucket[j.groups[g].bucket] {
		r := &j.readings[i]
		if r.Rate == nil || r.Day <= j.today-recentDays || !j.domains.joins(r) {
			continue
		}
		m := j.groupMail(g, r.Day, anyField)
		if m.sent3 == 0 && m.delivered3 == 0 {
			continue
		}
		better := best == nil || best.CarryOver && !r.CarryOver || best.CarryOver == r.CarryOver && r.Day > best.Day
		if better {
			best = r
		}
	}
	return best, best != nil
}

func (j *Join) state(g int32, id *Identifier) ReportState {
	if id.Rate != nil {
		return j.aged(id.Day)
	}
	for d := j.today - recentDays + 1; d <= j.today; d++ {
		m := j.groupMail(g, d, anyField)
		if (m.sent > 0 || m.delivered > 0) && !m.carriesOver() && j.domains.came(id.Domain, d) {
			return ReportNotReported
		}
	}
	if j.State(id.Source, id.Domain) == ReportStale {
		return ReportStale
	}
	return ReportNoData
}

// Bound is how many complaints Gmail users can have made at most about a campaign's mail, on the days that are reported.
type Bound struct {
	// Complaints is the sum over the reported days; it is not known when there is none.
	Complaints float64
	// Days is how many days are reported; Delivered is the campaign's mail on them that the identifiers were on.
	Days      int
	Delivered int64
	// Source, Domain and Field say whose readings were taken.
	Source, Domain, Field string
	// Newest is the last of the reported days.
	Newest Day
}

// series is what the readings of one field and domain add up to for a campaign.
type series struct {
	domain string
	field  fieldSet
	above  bool
	bound  float64
	// days has a bit for each day.
	days uint64
	// ofUser is the campaign's mail, ofAll that of all users of the same identifiers.
	ofUser, ofField, ofAll int64
}

// maxBoundDays is how many days a bound can span.
const maxBoundDays = 64

// Bound sums over the days from first to last, 64 at most. Mail has one From domain and one value in a field, so the
// readings of one domain about the values of one field are about different mail and are added; those of several domains or
// fields are about the same mail. The least shared field and domain is taken, a before b, and never c or the sender.
func (j *Join) Bound(of Name, first, last Day) Bound {
	number, ok := j.numbers[of]
	if !ok || last < first || last-first >= maxBoundDays {
		return Bound{}
	}
	var all []series
	for _, g := range j.ofCampaign[number] {
		for _, i := range j.ofBucket[j.groups[g].bucket] {
			if r := &j.readings[i]; r.Rate != nil && first <= r.Day && r.Day <= last && j.domains.joins(r) && !r.CarryOver {
				all = j.addReport(all, g, r, first)
			}
		}
	}
	if len(all) == 0 {
		return Bound{}
	}
	best := slices.MinFunc(all, func(a, b series) int {
		return cmp.Or(cmp.Compare(b.share(), a.share()), cmp.Compare(a.field, b.field), cmp.Compare(btoi(a.above), btoi(b.above)),
			cmp.Compare(b.ofField, a.ofField), cmp.Compare(a.domain, b.domain))
	})
	bound := Bound{
		Complaints: best.bound, Delivered: best.ofField, Source: j.domains.sources[best.domain], Domain: best.domain,
		Field: best.field.first(),
	}
	bound.Days, bound.Newest = bits.OnesCount64(best.days), first+Day(bits.Len64(best.days)-1)
	return bound
}

// addReport adds a reading to the series of each field in which the campaign used the identifier.
func (j *Join) addReport(all []series, g int32, r *Joined, first Day) []series {
	user := j.groupMail(g, r.Day, anyField)
	if user.delivered == 0 || user.carriesOver() {
		return all
	}
	for _, field := range []fieldSet{fieldA, fieldB} {
		in := j.groupMail(g, r.Day, field)
		if in.delivered == 0 {
			continue
		}
		i := slices.IndexFunc(all, func(s series) bool { return s.domain == r.Domain && s.field == field })
		if i < 0 {
			i = len(all)
			all = append(all, series{domain: r.Domain, field: field, above: j.buckets[j.groups[g].bucket].above})
		}
		s := &all[i]
		s.bound += bound(*r.Rate, r.OfDay, in.delivered)
		s.days |= 1 << (r.Day - first)
		s.ofUser, s.ofField, s.ofAll = s.ofUser+user.delivered, s.ofField+in.delivered, s.ofAll+r.OfDay
	}
	return all
}

// share is the campaign's part of the mail that the readings speak of. What is its own is not told apart further.
func (s *series) share() float64 {
	share := float64(s.ofUser) / float64(s.ofAll)
	if share >= ownShare {
		return 1
	}
	return math.Min(share, ownShare)
}

// Names lists the campaigns that used an identifier, in no order. They must not be changed.
func (j *Join) Names() []Name { return j.campaigns }

// State is that of what a source says about a domain as a whole.
func (j *Join) State(source, domain string) ReportState {
	newest, ok := j.domains.newest[origin{source, domain}]
	if !ok {
		return ReportNoData
	}
	return j.aged(newest)
}

// StateOf is that of a reading by itself.
func (j *Join) StateOf(r *Joined) ReportState {
	if r.Rate == nil {
		return ReportNotReported
	}
	return j.aged(r.Day)
}

// aged is the state of what was said about a day.
func (j *Join) aged(day Day) ReportState {
	if Fresh(day, j.today) {
		return ReportOK
	}
	return ReportStale
}
