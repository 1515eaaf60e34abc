package postmaster

import (
	"maps"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

const wholeDay = 24 * time.Hour

// retained is how many days are kept (https://support.google.com/a/answer/14668346).
const retained = 120

// figures are a day's as they are shown now.
type figures struct {
	start time.Time
	traffic.GmailDay
}

// quirk returns what is odd about a day, nil if nothing is.
func (s *Server) quirk(domain string, start time.Time) *Quirk {
	for i := range s.options.Quirks {
		q := &s.options.Quirks[i]
		if q.Domain == domain && q.Day.UTC().Truncate(wholeDay).Equal(start) {
			return q
		}
	}
	return nil
}

// figures returns what is shown now of a day that begins at start; ok is false when there is no data.
func (s *Server) figures(d *Domain, start time.Time) (f figures, ok bool) {
	now, appears, q := s.now(), start.Add(wholeDay+s.options.Lag), s.quirk(d.Name, start)
	if q != nil && !q.Appears.IsZero() {
		appears = q.Appears
	}
	switch {
	case q != nil && q.Never, now.Before(appears), start.Before(d.Created.UTC().Truncate(wholeDay)),
		start.Before(s.oldest()):
		return figures{}, false
	}
	f = figures{start, s.options.Source.Day(d.Name, start)}
	if q != nil && now.Before(q.Revised) {
		f.draft(q.Draft)
	}
	return f, f.Inboxed >= s.options.MinInboxed
}

// oldest is the first day that is still kept.
func (s *Server) oldest() time.Time { return s.now().UTC().Truncate(wholeDay).AddDate(0, 0, -retained) }

// draft leaves a share of the reports.
func (f *figures) draft(share float64) {
	less := func(reports int64) int64 { return int64(share * float64(reports)) }
	f.Reports = less(f.Reports)
	for _, values := range []map[string]traffic.GmailValue{f.Values, f.Signed} {
		for name, v := range values {
			v.Reports = less(v.Reports)
			values[name] = v
		}
	}
}

// value returns what an identifier has under an aggregation key; shown says whether it is reported on that day.
func (s *Server) value(f *figures, name, key string) (count traffic.GmailCount, shown bool) {
	count = f.Values[name].GmailCount
	if key == "ALL_DKIM" {
		more := f.Signed[name].GmailCount
		count.Delivered += more.Delivered
		count.Inboxed += more.Inboxed
		count.Reports += more.Reports
	}
	return count, count.Inboxed >= s.options.MinValueInboxed && count.Reports >= s.options.MinReports
}

// values lists the identifiers that are reported on a day.
func (s *Server) values(f *figures, key string) []string {
	names := slices.Collect(maps.Keys(f.Values))
	if key == "ALL_DKIM" {
		names = slices.AppendSeq(names, maps.Keys(f.Signed))
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		_, shown := s.value(f, name, key)
		return !shown
	})
}

// Truth is what there is to know about an identifier on a day.
type Truth struct {
	// GmailCount and Campaigns are what the Source says, Rate what the API shows or would show.
	traffic.GmailCount
	Campaigns map[string]int64
	Rate      float64
	// Published says that the domain's day has data now, Reported that the identifier is among them.
	Published, Reported bool
}

// Truth tells what the API shows at this moment of an identifier that is counted by the From domain. The empty identifier
// is the domain itself.
func (s *Server) Truth(domain string, day time.Time, identifier string) Truth {
	start := day.UTC().Truncate(wholeDay)
	all := s.options.Source.Day(domain, start)
	value := all.Values[identifier]
	if identifier == "" {
		value = traffic.GmailValue{GmailCount: all.GmailCount}
	}
	t := Truth{GmailCount: value.GmailCount, Campaigns: value.Campaigns, Rate: value.Rate()}
	d := s.domains[domain]
	if d == nil {
		return t
	}
	f, ok := s.figures(d, start)
	if !ok {
		return t
	}
	t.Published, t.Reported, t.Rate = true, true, f.Rate()
	if identifier != "" {
		var count traffic.GmailCount
		count, t.Reported = s.value(&f, identifier, "FROM_HEADER")
		t.Rate = count.Rate()
	}
	return t
}
