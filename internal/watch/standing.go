package watch

import "github.com/mailvane/mailvane/alerts"

// State says what becomes of an alert that stands.
type State string

// The states. An alert that fires is told unless a wider alert of the same cause mutes it, or somebody silences it.
const (
	Pending  State = "pending"
	Firing   State = "firing"
	Muted    State = "muted"
	Silenced State = "silenced"
)

// States lists the states.
func States() []State { return []State{Pending, Firing, Muted, Silenced} }

// State is that of one of the alerts. One that is muted and silenced is silenced, because that is what a person wanted. A nil
// Standing knows neither.
func (s *Standing) State(a *alerts.Alert) State {
	if !a.Firing() {
		return Pending
	}
	if s == nil {
		return Firing
	}
	id := a.ID()
	switch {
	case s.Silenced[id] != "":
		return Silenced
	case s.Muted[id] != "":
		return Muted
	default:
		return Firing
	}
}
