package view

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// A bucket of five minutes falls under the same era as the hour that it becomes part of, also where the hours of the
// ledger's zone begin at half past.
func TestErasBeginWithAnHourOfTheZone(t *testing.T) {
	for _, zone := range []string{"UTC", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "America/St_Johns"} {
		t.Run(zone, func(t *testing.T) {
			in, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			first := time.Date(2026, 11, 20, 10, 10, 0, 0, time.UTC)
			e, err := readEras([]ledger.Published{{Origin: home, Type: observation.EventSend, First: first}},
				[]ledger.Version{{Body: []byte(`[]`)}, {Since: first, Body: []byte(`["yahoo"]`)}}, in)
			if err != nil {
				t.Fatal(err)
			}
			local := first.In(in)
			hour := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), 0, 0, 0, in)
			for ; hour.Before(first.Add(3 * time.Hour)); hour = hour.Add(time.Hour) {
				begun := hour.After(first)
				for at := hour; at.Before(hour.Add(time.Hour)); at = at.Add(fineGrain) {
					covered, reports := e.coverage(home, at.Unix()) != 0, e.reports("yahoo", at.Unix())
					if covered != begun || reports != begun {
						t.Errorf("%v, of the hour %v: covered %v, reports %v", at, hour, covered, reports)
					}
				}
			}
		})
	}
}
