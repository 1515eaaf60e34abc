package config

import (
	"fmt"
	"slices"

	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
)

// checkProviders checks the reporting providers. One that sends SES no complaints would make every complaint rate too low.
func (c *Config) checkProviders(d *decoder, known []mailbox.Provider) {
	ids := make([]string, len(known))
	for i, p := range known {
		ids[i] = p.ID
	}
	seen := make(map[string]bool)
	for i, id := range c.Complaints.ReportingProviders {
		path := indexed("complaints.reporting_providers", i)
		if id == "" || !d.given(path) {
			continue
		}
		if f := checkProvider(id, ids, known); f != nil {
			d.fault(d.at(path), path, *f)
		} else if seen[id] {
			d.fault(d.at(path), path, fault{id + " is in the list already", "remove one of the two"})
		}
		seen[id] = true
	}
}

func checkProvider(id string, ids []string, known []mailbox.Provider) *fault {
	if id == observation.OtherProvider {
		return &fault{"stands for all providers that are not known, so nobody can say that they report", "remove it"}
	}
	i := slices.Index(ids, id)
	if i < 0 {
		instead := "write ids such as yahoo, aol or microsoft"
		if near := nearest(id, ids); near != "" {
			instead = "did you mean " + near + "?"
		}
		return &fault{fmt.Sprintf("there is no provider %s", quoted(id)), instead}
	}
	if known[i].FeedbackLoop == "no" {
		return &fault{fmt.Sprintf("%s sends SES no complaints, so its mail would make complaint rates look low", known[i].Name), "remove it"}
	}
	return nil
}
