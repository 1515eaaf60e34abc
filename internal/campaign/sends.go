package campaign

import (
	"cmp"
	"slices"
	"time"
)

// Gap is how long a campaign without names of its sends must be silent for its next mail to be a new send.
const Gap = 6 * time.Hour

// Hour is mail of a campaign in one bucket of send time: five minutes, an hour or a day.
type Hour struct {
	Start time.Time
	Width time.Duration
	// Name is the campaign's name before renaming (observation.Campaign.Send), empty when no rename matched.
	Name string
	// N is how many recipients were sent to, or delivered to where no Send events are published.
	N int64
}

// Send is one burst of a campaign.
type Send struct {
	// Name is the name before renaming, empty when the send was found by its silence.
	Name string
	// Start and End bound the buckets that hold its mail, taken to whole hours; End is exclusive.
	Start, End time.Time
	N          int64
}

// Sends parts the mail of a campaign into sends, oldest first. Mail under one unrenamed name is one send, however long
// it took; the rest is parted where there was no mail for gap. The order of hours does not matter.
//
// Silence is counted in whole hours, because the ledger turns five-minute buckets into hours: a send must not change
// when its mail grows old.
func Sends(hours []Hour, gap time.Duration) []Send {
	sorted := slices.DeleteFunc(slices.Clone(hours), func(h Hour) bool { return h.N <= 0 })
	slices.SortFunc(sorted, func(a, b Hour) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), a.Start.Compare(b.Start), cmp.Compare(a.Width, b.Width))
	})
	var sends []Send
	for _, h := range sorted {
		start := h.Start.Truncate(time.Hour)
		end := h.Start.Add(h.Width + time.Hour - 1).Truncate(time.Hour)
		if n := len(sends) - 1; n >= 0 && sends[n].Name == h.Name && (h.Name != "" || start.Sub(sends[n].End) < gap) {
			if end.After(sends[n].End) {
				sends[n].End = end
			}
			sends[n].N += h.N
			continue
		}
		sends = append(sends, Send{Name: h.Name, Start: start, End: end, N: h.N})
	}
	slices.SortFunc(sends, func(a, b Send) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.Name, b.Name))
	})
	return sends
}
