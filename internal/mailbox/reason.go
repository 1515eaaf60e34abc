package mailbox

// The reasons that code refers to by name; Reasons lists all 23.
const (
	// ReasonUnknown: nothing matched, or what matched says nothing.
	ReasonUnknown = "unknown"
	// ReasonAutoreply: not a failure, an answer by a machine.
	ReasonAutoreply = "autoreply"
	// ReasonSuppressed: SES did not attempt delivery.
	ReasonSuppressed = "suppressed"
	// ReasonTimeout: retries ran out.
	ReasonTimeout = "timeout_expired"
)

// The kinds of a Verdict. A kind speaks of one message, never of the address for good.
const (
	// KindPermanent: trying this message again is of no use.
	KindPermanent = "permanent"
	// KindTransient: trying again may help.
	KindTransient = "transient"
)

// ReasonInfo describes one reason of the closed list.
type ReasonInfo struct {
	// Name is the reason; Group is what it is summed under: recipient, content, reputation, authentication, policy,
	// throttling, infrastructure, suppression or other.
	Name, Group string
	// Address says what to do about the address: keep, suppress, suppress_after_repeats or already_suppressed.
	Address string
	// Definition is one sentence for people.
	Definition string
}

// Reasons lists the reasons, in the order in which pages show them.
func Reasons() []ReasonInfo {
	return append([]ReasonInfo(nil), reasonTable[:]...)
}

// Group returns the group of a reason, "other" for a name that is not on the list.
func Group(reason string) string {
	for i := range reasonTable {
		if reasonTable[i].Name == reason {
			return reasonTable[i].Group
		}
	}
	return "other"
}

func isReason(name string) bool {
	for i := range reasonTable {
		if reasonTable[i].Name == name {
			return true
		}
	}
	return false
}

// sesType says what one of SES's own types means: a bounce type with its sub-type, a delay type or a reject reason.
type sesType struct {
	name, subType string
	verdict       Verdict
}

// sesVerdict returns what SES's own types say about a reply. The reply itself knows better, except about suppression.
func sesVerdict(r *Reply) (v Verdict, ok bool) {
	switch {
	case r.BounceType != "":
		return lookUp(bounceTypes[:], r.BounceType, r.BounceSubType)
	case r.DelayType != "":
		return lookUp(delayTypes[:], r.DelayType, "")
	case r.RejectReason != "":
		var buf [64]byte
		return lookUp(rejectReasons[:], string(normalise(buf[:0], clip(r.RejectReason, len(buf)))), "")
	}
	return Verdict{}, false
}

func lookUp(table []sesType, name, subType string) (v Verdict, ok bool) {
	for i := range table {
		if table[i].name == name && table[i].subType == subType {
			return table[i].verdict, true
		}
	}
	return Verdict{}, false
}
