package signal

// Counted is how much of something two counted in one hour.
type Counted struct {
	// Ours is what we counted; Maybe is what we counted beside it and the other may or may not have counted.
	Ours, Maybe int64
	// Theirs is what the other counted.
	Theirs int64
	// Gap says that the hour before was not compared, so that nothing can have crossed over from there.
	Gap bool
}

// Finding says how two counts of the same differ.
type Finding string

// The findings; the empty one says that they agree.
const (
	// Short: we counted fewer. It is a figure to be used: that share was covered.
	Short Finding = "short"
	// Deaf: they counted, we counted none at all. What feeds us is broken.
	Deaf Finding = "deaf"
	// Excess: we counted more, over all or in single hours. The share cannot be told; something is counted twice, or the
	// two do not count the same.
	Excess Finding = "excess"
)

const (
	// CoverageFloor is the count under which a share of coverage is called insufficient.
	CoverageFloor = 100
	// deafFloor is from how many on none at all says that nothing arrives: of three events that each arrive nine times out
	// of ten, all are missing once in a thousand times.
	deafFloor = 3
	// tolerance and slack are the difference that two counts of the same may have: theirs is made by another clock, and mail
	// is put off and given up in between.
	tolerance = 0.01
	slack     = 10
	// hourTolerance and hourSlack are wider, for single hours.
	hourTolerance = 0.05
	hourSlack     = 50
	// shortBelow is the share under which counts no longer agree.
	shortBelow = 0.95
)

// Agreement is how our count of something fits another's count of the same.
type Agreement struct {
	// Ours, Maybe and Theirs are sums over the hours that were compared.
	Ours, Maybe, Theirs int64
	// Matched is how many of theirs we can have counted, at most.
	Matched int64
	// Hours were compared; in ShortHours and ExcessHours of them we counted too few or too many, whatever the sums say.
	Hours, ShortHours, ExcessHours int
	Finding                        Finding
	// State is error for Deaf and Excess.
	State State
}

// Agree compares hours that follow one another. What happens near the turn of an hour may be counted in the next or in
// the one before: a single hour is held against its neighbours, too.
func Agree(hours []Counted) Agreement {
	a := Agreement{Hours: len(hours)}
	for i := range hours {
		h := &hours[i]
		a.Ours, a.Maybe, a.Theirs = a.Ours+h.Ours, a.Maybe+h.Maybe, a.Theirs+h.Theirs
		least, most := neighbours(hours, i)
		if float64(h.Ours) > float64(most)*(1+hourTolerance)+hourSlack {
			a.ExcessHours++
		}
		if float64(h.Ours+h.Maybe) < float64(least)*(1-hourTolerance)-hourSlack {
			a.ShortHours++
		}
	}
	a.Matched = min(a.Ours+a.Maybe, a.Theirs)
	switch {
	case a.Hours == 0:
		a.State = NoData
	case a.Theirs >= deafFloor && a.Ours+a.Maybe == 0:
		a.Finding, a.State = Deaf, Error
	case a.ExcessHours > 0 || float64(a.Ours) > float64(a.Theirs)*(1+tolerance)+slack:
		a.Finding, a.State = Excess, Error
	case a.Theirs == 0 && a.Ours == 0:
		a.State = Idle
	case a.Theirs < CoverageFloor:
		a.State = Insufficient
	case float64(a.Matched) < float64(a.Theirs)*shortBelow:
		a.Finding = Short
	}
	return a
}

// neighbours are the least and the most that they counted in the hour, the one before and the one after.
func neighbours(hours []Counted, i int) (least, most int64) {
	least, most = hours[i].Theirs, hours[i].Theirs
	if i > 0 && !hours[i].Gap {
		least, most = min(least, hours[i-1].Theirs), max(most, hours[i-1].Theirs)
	}
	if i+1 < len(hours) && !hours[i+1].Gap {
		least, most = min(least, hours[i+1].Theirs), max(most, hours[i+1].Theirs)
	}
	return least, most
}

// Share is the part of theirs that we counted; ok is false when it cannot be told.
func (a *Agreement) Share() (share float64, ok bool) {
	if a.Theirs == 0 || a.Finding == Excess {
		return 0, false
	}
	return float64(a.Matched) / float64(a.Theirs), true
}

// Join sums up agreements about several things that the same source feeds. The worst finding stands: a loop that is deaf
// for one thing is not healed by another.
func Join(parts ...Agreement) Agreement {
	whole := Agreement{State: NoData}
	for i := range parts {
		p := &parts[i]
		if p.State == NoData {
			continue
		}
		whole.Ours, whole.Maybe, whole.Theirs = whole.Ours+p.Ours, whole.Maybe+p.Maybe, whole.Theirs+p.Theirs
		whole.Matched += p.Matched
		whole.Hours = max(whole.Hours, p.Hours)
		whole.ShortHours, whole.ExcessHours = max(whole.ShortHours, p.ShortHours), max(whole.ExcessHours, p.ExcessHours)
		if p.Finding.weight() > whole.Finding.weight() {
			whole.Finding = p.Finding
		}
	}
	switch {
	case whole.Hours == 0:
	case whole.Finding == Deaf || whole.Finding == Excess:
		whole.State = Error
	case whole.Theirs == 0:
		whole.State = Idle
	case whole.Theirs < CoverageFloor:
		whole.State = Insufficient
	default:
		whole.State = OK
	}
	return whole
}

func (f Finding) weight() int {
	switch f {
	case Short:
		return 1
	case Excess:
		return 2
	case Deaf:
		return 3
	default:
		return 0
	}
}

// RateOf is a part of a whole with its interval. It is not known when there is no whole, or the part is more than it.
func RateOf(numerator, denominator int64) Part { return newPart(numerator, denominator) }
