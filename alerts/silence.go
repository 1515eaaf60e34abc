package alerts

import (
	"errors"
	"fmt"
	"time"
)

// Silence keeps alerts that match from being sent while it lasts. What was sent before is still ended.
type Silence struct {
	ID       string    `json:"id"`
	Matchers []Matcher `json:"matchers"`
	StartsAt time.Time `json:"starts_at"`
	EndsAt   time.Time `json:"ends_at"`
	// CreatedBy and Comment say who wants it and why; nobody lifts a silence that nobody understands.
	CreatedBy string `json:"created_by"`
	Comment   string `json:"comment"`
}

// MaxSilences is how many silences may be there at a time.
const MaxSilences = 1000

const (
	maxSilence = 365 * 24 * time.Hour
	maxComment = 1000
)

// Encode writes a silence as ledgers keep it.
func (s *Silence) Encode() ([]byte, error) { return encode(s) }

// DecodeSilence reads what Encode wrote. The error is ErrNewer for what a newer version wrote.
func DecodeSilence(data []byte) (Silence, error) { return decode[Silence](data, "silence") }

// Check says what is wrong with a silence; nil when nothing is.
func (s *Silence) Check() error {
	var problems []error
	report := func(key, problem string) { problems = append(problems, fmt.Errorf("%s: %s", key, problem)) }
	if len(s.Matchers) == 0 {
		report("matchers", "must not be empty: that would silence everything")
	}
	checkMatchers(s.Matchers, func(key, problem string) { report("matchers"+key, problem) })
	switch {
	case s.EndsAt.IsZero() || !s.EndsAt.After(s.StartsAt):
		report("ends_at", "must be after the start")
	case s.EndsAt.Sub(s.StartsAt) > maxSilence:
		report("ends_at", "must be within a year")
	}
	if s.Comment == "" || len(s.Comment) > maxComment {
		report("comment", fmt.Sprintf("must say why, in at most %d bytes", maxComment))
	}
	if !validValue(s.CreatedBy) {
		report("created_by", notValue)
	}
	return errors.Join(problems...)
}

// Silences are silences that are ready to be asked. A nil Silences has none.
type Silences struct{ list []silence }

type silence struct {
	Silence
	match matchers
}

// NewSilences makes silences ready. Those that cannot be used are an error, since somebody relies on them.
func NewSilences(all []Silence) (*Silences, error) {
	if len(all) > MaxSilences {
		return nil, fmt.Errorf("must not be more than %d silences", MaxSilences)
	}
	s := &Silences{}
	for _, one := range all {
		if err := one.Check(); err != nil {
			return nil, fmt.Errorf("silence %s: %w", one.ID, err)
		}
		s.list = append(s.list, silence{one, newMatchers(one.Matchers)})
	}
	return s, nil
}

// Of returns the id of the silence that covers an alert at that time.
func (s *Silences) Of(a *Alert, now time.Time) (id string, ok bool) {
	if s == nil {
		return "", false
	}
	for i := range s.list {
		one := &s.list[i]
		if !now.Before(one.StartsAt) && now.Before(one.EndsAt) && one.match.match(&a.Subject, a.values) {
			return one.ID, true
		}
	}
	return "", false
}
