package sesapi

import (
	"maps"
	"slices"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/simulator/gate"
)

// set is what a configuration set of an account and region does.
type set struct {
	counted, reputation bool
	// published are the event types that go to a topic.
	published []string
}

// eventTypes are the names of version 2.
func eventTypes() map[observation.EventType]string {
	return map[observation.EventType]string{
		observation.EventSend: "SEND", observation.EventReject: "REJECT", observation.EventBounce: "BOUNCE",
		observation.EventComplaint: "COMPLAINT", observation.EventDelivery: "DELIVERY", observation.EventOpen: "OPEN",
		observation.EventClick: "CLICK", observation.EventRenderingFailure: "RENDERING_FAILURE",
		observation.EventDeliveryDelay: "DELIVERY_DELAY", observation.EventSubscription: "SUBSCRIPTION",
	}
}

// sets are the configuration sets of an account and region.
func (s *Server) sets(at Place) map[string]*set {
	all := map[string]*set{}
	for i := range s.options.Story.Campaigns {
		c := &s.options.Story.Campaigns[i]
		if (Place{c.Account, c.Region}) != at || c.ConfigurationSet == "" {
			continue
		}
		one := all[c.ConfigurationSet]
		if one == nil {
			one = &set{}
			all[c.ConfigurationSet] = one
		}
		for t, name := range eventTypes() {
			if !slices.Contains(c.Withheld, t) && !slices.Contains(one.published, name) {
				one.published = append(one.published, name)
			}
		}
		slices.Sort(one.published)
	}
	for _, more := range s.options.Story.Sets {
		if one := all[more.Name]; one != nil {
			one.counted, one.reputation = more.Counted, more.Reputation
		}
	}
	return all
}

func (s *Server) listSets(at Place, in *input) (object, *gate.Error) {
	return list("ConfigurationSets", slices.Sorted(maps.Keys(s.sets(at))), in)
}

func (s *Server) find(at Place, name string) (*set, *gate.Error) {
	if one := s.sets(at)[name]; one != nil {
		return one, nil
	}
	return nil, gate.Errorf("NotFoundException", "Configuration set <%s> does not exist.", name)
}

// set answers GetConfigurationSet.
func (s *Server) set(at Place, name string) (object, *gate.Error) {
	one, e := s.find(at, name)
	if e != nil {
		return nil, e
	}
	return object{"ConfigurationSetName": name, "DeliveryOptions": object{"TlsPolicy": "OPTIONAL"},
		"ReputationOptions": object{"ReputationMetricsEnabled": one.reputation}, "SendingOptions": object{"SendingEnabled": true},
		"SuppressionOptions": object{"SuppressedReasons": []string{"BOUNCE", "COMPLAINT"}}, "Tags": []object{}}, nil
}

// destinations answers GetConfigurationSetEventDestinations.
func (s *Server) destinations(at Place, name string) (object, *gate.Error) {
	one, e := s.find(at, name)
	if e != nil {
		return nil, e
	}
	all := []object{}
	if len(one.published) > 0 {
		all = append(all, object{"Name": "events", "Enabled": true, "MatchingEventTypes": one.published,
			"SnsDestination": object{"TopicArn": "arn:aws:sns:" + at.Region + ":" + at.Account + ":ses-events"}})
	}
	if one.counted {
		var types []string
		for t, name := range eventTypes() {
			if t != observation.EventSubscription {
				types = append(types, name)
			}
		}
		slices.Sort(types)
		dimension := object{"DimensionName": "ses:configuration-set", "DimensionValueSource": "MESSAGE_TAG", "DefaultDimensionValue": "none"}
		all = append(all, object{"Name": "metrics", "Enabled": true, "MatchingEventTypes": types,
			"CloudWatchDestination": object{"DimensionConfigurations": []object{dimension}}})
	}
	return object{"EventDestinations": all}, nil
}
