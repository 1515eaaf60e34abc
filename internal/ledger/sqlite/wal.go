package sqlite

import (
	"time"
)

const (
	// checkpointBytes and checkpointAge say when written pages are copied from the WAL into the file.
	checkpointBytes = 16 << 20
	checkpointAge   = 10 * time.Second
	// truncateBytes is how long the WAL's file must have become, behind a slow reader, to be cut.
	truncateBytes = 128 << 20
)

// walState remembers what has been written since the last checkpoint, roughly.
type walState struct {
	bytes int
	since time.Time
}

func (s *walState) wrote(bytes int) { s.bytes += bytes + 3*4096 }

// checkpoint copies what is in the WAL into the file, as far as no reader still needs the file as it was. It waits for
// nobody. A WAL that grew long behind a slow reader is cut once it is wholly copied.
func (l *Ledger) checkpoint(now time.Time) (more bool, err error) {
	due := l.wal.bytes >= checkpointBytes || l.wal.bytes > 0 && now.Sub(l.wal.since) >= checkpointAge
	if !due {
		return false, nil
	}
	if err := l.w.open(); err != nil {
		return false, l.noted(classify(err))
	}
	var busy, logged, copied int
	if err := l.w.get([]any{&busy, &logged, &copied}, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		return false, l.noted(classify(err))
	}
	l.wal = walState{since: now}
	if logged != copied || fileSize(l.o.Path+"-wal") < truncateBytes {
		return false, nil
	}
	if err := l.w.get([]any{&busy, &logged, &copied}, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return false, l.noted(classify(err))
	}
	return false, nil
}
