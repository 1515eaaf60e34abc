package sqlite

// batch is what one group of Puts adds: the ids that became known and the tallies by send minute. It is what a row of the
// table batch holds, between a commit and the next fold. Names are ids of the name tables.
type batch struct {
	// Puts part the ids: each Put's follow those of the Put before it, in each of the three lists.
	Puts []putIDs
	// Routine and Exceptional ids were counted now. Others are the ids of unconfirmed Puts that were not: duplicates
	// and held entries, which must stay known if they are now.
	Routine, Exceptional, Others []uint64
	Cells                        []cellDelta
	Own                          []ownDelta
	Uses                         []useDelta
	Published                    []publishedDelta
	Samples                      []sampleDelta
}

// putIDs says how many ids of each list a Put has. Source is 0 when nothing will be confirmed.
type putIDs struct{ Source, Routine, Exceptional, Others uint32 }

// cellKey is a tally's place apart from time.
type cellKey struct {
	Campaign, Provider, Origin, Reason uint32
	Outcome                            uint8
}

// cellDelta adds to a cell of the cohort of one minute (since 1970).
type cellDelta struct {
	Minute      int64
	Cell        cellKey
	N, Possible int64
}

// ownDelta adds to an hour (since 1970) of own time.
type ownDelta struct {
	Hour    int64
	Origin  uint32
	Outcome uint8
	N       int64
}

// useDelta adds to the use of a stamp in an hour (since 1970) of send time.
type useDelta struct {
	Hour                    int64
	Stamp, Campaign, Origin uint32
	Sent, GmailDelivered    int64
}

// publishedDelta widens the send times (Unix milliseconds) of which an origin published a type.
type publishedDelta struct {
	Origin      uint32
	Type        uint8
	First, Last int64
}

// sampleDelta adds to a sample; times are Unix milliseconds.
type sampleDelta struct {
	Key         sampleKey
	N           int64
	First, Last int64
	MessageIDs  []string
}

// sampleKey is what makes two samples one.
type sampleKey struct {
	Campaign, Provider, Reason uint32
	Outcome                    uint8
	Text                       string
}

// entries is how many entries the batch speaks of.
func (b *batch) entries() int { return len(b.Routine) + len(b.Exceptional) + len(b.Others) }

// reset empties the batch and keeps its memory.
func (b *batch) reset() {
	clear(b.Samples) // lets go of the texts
	*b = batch{
		Puts: b.Puts[:0], Routine: b.Routine[:0], Exceptional: b.Exceptional[:0], Others: b.Others[:0],
		Cells: b.Cells[:0], Own: b.Own[:0], Uses: b.Uses[:0], Published: b.Published[:0], Samples: b.Samples[:0],
	}
}
