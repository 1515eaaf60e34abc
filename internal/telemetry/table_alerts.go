package telemetry

var evaluationBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// alertInstruments are about alerts and the notifications of them.
func alertInstruments() []Instrument {
	return []Instrument{
		{Name: Alerts, Kind: Gauge, Unit: "{alert}",
			Description: "Alerts by rule, worst line and state: pending, firing, muted by a wider alert of the same cause, or silenced. 0 for each rule without any.",
			Attributes:  []string{"rule", "severity", "state"}},
		{Name: AlertsEvaluations, Kind: Counter, Unit: "{evaluation}",
			Description: "Rounds in which the rules were evaluated. A failed one changed nothing, or could not see everything.",
			Attributes:  []string{"result"}},
		{Name: AlertsEvaluationDuration, Kind: Histogram, Unit: "s", Buckets: evaluationBuckets,
			Description: "How long a round over all rules took."},
		{Name: AlertsDropped, Kind: Counter, Unit: "{alert}",
			Description: "Lines that were crossed and not remembered, because their rule has too many alerts already."},
		{Name: Notifications, Kind: Counter, Unit: "{notification}",
			Description: "Tries to deliver a notification, by how they ended: success, refused, auth, quota, unavailable. Those that failed are tried again, unless they were refused.",
			Attributes:  []string{"notifier", "result"}},
		{Name: NotificationsOpen, Kind: Gauge, Unit: "{notification}",
			Description: "Notifications that are not delivered: waiting, sending, or dead because they were refused or no route takes them. The notifier is empty where no route took them.",
			Attributes:  []string{"notifier", "state"}},
		{Name: NotifierFailing, Kind: Gauge, Unit: "s",
			Description: "For how long the notifier has taken no notification. 0 while it works.",
			Attributes:  []string{"notifier"}},
	}
}
