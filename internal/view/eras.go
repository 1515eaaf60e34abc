package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// eras say, for any send time, what each origin published and who reported complaints. Both change at whole hours of
// the ledger's zone only, so that a bucket of five minutes and the hour that it becomes part of fall under the same era.
// They do not change.
type eras struct {
	// origins holds every origin of which anything is published.
	origins   map[observation.Origin]published
	reporting []reporting
}

// published holds since when an origin publishes the types on which denominators depend, in the order of coveredTypes.
type published [len(coveredTypes)]int64

var coveredTypes = [...]observation.EventType{
	observation.EventSend, observation.EventDelivery, observation.EventBounce, observation.EventSubscription,
}

// reporting is a list of reporting providers and since when it is in force.
type reporting struct {
	since     int64
	providers []string
}

// readEras makes them of what the ledger says.
func readEras(rows []ledger.Published, versions []ledger.Version, zone *time.Location) (*eras, error) {
	e := &eras{origins: map[observation.Origin]published{}}
	for _, row := range rows {
		types, ok := e.origins[row.Origin]
		if !ok {
			types = published{forever, forever, forever, forever}
		}
		if i := slices.Index(coveredTypes[:], row.Type); i >= 0 {
			types[i] = min(types[i], nextHour(row.First.In(zone)))
		}
		e.origins[row.Origin] = types
	}
	for _, v := range versions {
		var providers []string
		if err := json.Unmarshal(v.Body, &providers); err != nil {
			return nil, fmt.Errorf("read reporting providers in force since %s: %w", v.Since, err)
		}
		slices.Sort(providers)
		e.reporting = append(e.reporting, reporting{nextHour(v.Since.Add(-1).In(zone)), providers})
	}
	return e, nil
}

// nextHour is the first whole hour, by the clocks of its zone, after a time: where clocks are half an hour off, so are the
// ledger's hours. Mail of the hour in which the first event of a type was sent is not covered: what was sent earlier in it
// may have gone unseen.
func nextHour(t time.Time) int64 {
	_, offset := t.Zone()
	return hourOf(t.Unix()+int64(offset)) - int64(offset) + step
}

// coverage is what the origin published for mail of a bucket that starts then.
func (e *eras) coverage(origin observation.Origin, start int64) signal.Coverage {
	since, ok := e.origins[origin]
	if !ok {
		return 0
	}
	var c signal.Coverage
	for i, from := range since {
		if from <= start {
			c |= signal.CoverageOf(coveredTypes[i])
		}
	}
	return c
}

// reports says whether the provider was on the list in force for mail of a bucket that starts then. Mail older than the
// first list falls under the first.
func (e *eras) reports(provider string, start int64) bool {
	for i, list := range slices.Backward(e.reporting) {
		if list.since <= start || i == 0 {
			_, found := slices.BinarySearch(list.providers, provider)
			return found
		}
	}
	return false
}

// begin is the first send time of which any origin publishes what was sent or delivered, forever when none does.
func (e *eras) begin() int64 {
	send, delivery := slices.Index(coveredTypes[:], observation.EventSend), slices.Index(coveredTypes[:], observation.EventDelivery)
	first := int64(forever)
	for _, since := range e.origins {
		first = min(first, since[send], since[delivery])
	}
	return first
}

// differ returns the earliest send time at which the two eras say something different, forever when there is none.
func (e *eras) differ(other *eras) int64 {
	first := int64(forever)
	for origin, since := range other.origins {
		old, ok := e.origins[origin]
		if !ok {
			old = published{forever, forever, forever, forever}
		}
		for i := range since {
			if since[i] != old[i] {
				first = min(first, since[i], old[i])
			}
		}
	}
	for origin, old := range e.origins {
		if _, ok := other.origins[origin]; !ok {
			first = min(first, slices.Min(old[:]))
		}
	}
	return min(first, reportingDiffers(e.reporting, other.reporting))
}

func reportingDiffers(a, b []reporting) int64 {
	for i := range max(len(a), len(b)) {
		switch {
		case i == 0 && (len(a) == 0 || len(b) == 0):
			return 0
		case i >= len(a):
			return b[i].since
		case i >= len(b):
			return a[i].since
		case a[i].since == b[i].since && slices.Equal(a[i].providers, b[i].providers):
			continue
		case i == 0:
			return 0
		default:
			return min(a[i].since, b[i].since)
		}
	}
	return forever
}
