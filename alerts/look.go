package alerts

// GroupKey is the key under which notifiers are told of the alert: that of all alerts of the rule that belong together.
func (a *Alert) GroupKey() string {
	key, _ := groupOf(a)
	return key
}

// Values are those of a label of the alert, as matchers see them.
func (a *Alert) Values(label string) []string {
	values := a.values(label)
	if f, ok := fieldNamed(label); ok {
		if v := a.Subject.get(f); v != "" {
			values = append([]string{v}, values...)
		}
	}
	return values
}

// Worst is the severity of the worst line that the alert is beyond, also of one that has not made it fire yet.
func (a *Alert) Worst() Severity {
	switch {
	case a.Firing():
		return a.Severity
	case !a.Levels[1].Pending.IsZero():
		return Critical
	case !a.Levels[0].Pending.IsZero():
		return Warning
	default:
		return None
	}
}

// Rule is the rule of a name as it was written; ok is false when there is none.
func (r *Rules) Rule(name string) (rule Rule, ok bool) {
	if found := r.byName[name]; found != nil {
		return found.Rule, true
	}
	return Rule{}, false
}
