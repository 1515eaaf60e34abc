package sqlite

import (
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"
)

const (
	day = 24 * time.Hour
	// memory is how long ids are promised to be known at most: the longest that SQS holds a message
	// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html).
	memory = 14 * day
	// fineAge and hourAge are how long cohorts keep buckets of 5 minutes and of an hour.
	fineAge = 2 * day
	hourAge = 100 * day
	// keepMonths is how long cohorts and readings are kept, in months.
	keepMonths = 25
	// shortReadingAge is how long readings of periods shorter than an hour are kept.
	shortReadingAge = 35 * day
	// useAge is how long the use of Feedback-ID values is kept, and how long the names of stamps outlive their last use.
	useAge        = 130 * day
	sampleAge     = 14 * day
	statusAge     = 60 * day
	quarantineAge = 30 * day
	// maxSamples bounds the diagnostic samples, maxQuarantined the quarantined messages whatever their size, maxStatuses the
	// status events.
	maxSamples     = 10_000
	maxQuarantined = 1_000_000
	maxStatuses    = 10_000
	// flightAge is when the ids of a Put that nobody confirmed become pins, so that its batch row can go. SES passes
	// let go of their messages after 10 minutes.
	flightAge = 15 * time.Minute
)

// Options say how a ledger is opened. Path is required; zero values of the rest mean the defaults.
type Options struct {
	// Path is the ledger's file. SQLite puts -wal and -shm beside it, the ledger .lock.
	Path string
	// Zone is the time zone in which days are cut, UTC by default. It is used when the file is made and ignored later.
	Zone *time.Location
	// Now is the clock, time.Now by default.
	Now func() time.Time
	// CommitPace is the least time from the start of one COMMIT to that of the next, so that more Puts share one; 0, the
	// default, lets each follow at once. The first after a pause never waits.
	CommitPace time.Duration
	// RoutineIDs and ExceptionalIDs are how many ids of each class stay known: 16 and 4 million by default.
	RoutineIDs, ExceptionalIDs int
	// QuarantineBytes bounds the bodies in quarantine, 1 GiB by default.
	QuarantineBytes int64
	// QuarantineKeep is how long messages stay in quarantine, 30 days by default.
	QuarantineKeep time.Duration
	// MinFreeDisk is how much disk must be free for commits, 256 MB by default.
	MinFreeDisk uint64
	// FreeDisk tells how many bytes a directory's file system has left; by default it asks the system.
	FreeDisk func(dir string) (uint64, error)
	// Logger hears about recoveries; nothing per commit. slog.Default by default.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Path == "" {
		return o, errors.New("open ledger: no path given")
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RoutineIDs == 0 {
		o.RoutineIDs = 16_000_000
	}
	if o.ExceptionalIDs == 0 {
		o.ExceptionalIDs = 4_000_000
	}
	if o.QuarantineBytes == 0 {
		o.QuarantineBytes = 1 << 30
	}
	if o.QuarantineKeep == 0 {
		o.QuarantineKeep = quarantineAge
	}
	if o.MinFreeDisk == 0 {
		o.MinFreeDisk = 256_000_000
	}
	if o.FreeDisk == nil {
		o.FreeDisk = freeDisk
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, nil
}

func freeDisk(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}
