package campaign

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
)

const (
	// reportable is how many recipients at Gmail a day an identifier needs to be reported at all: "a few hundred".
	reportable = 200
	// inVolume is how many deliveries to Gmail on a day ought to bring a report, if anybody complained.
	inVolume = 1000
	// manyValues and perValue tell a field that looks unique per message or recipient: more values than that, each for
	// fewer recipients on average.
	manyValues, perValue = 100, 10
	// missingShare is the share of mail without a and b from which on it is worth a word.
	missingShare = 0.01
	maxExamples  = 5
)

// AdviceKind is what is wrong with how Feedback-IDs are used.
type AdviceKind string

// The kinds of advice. (https://support.google.com/mail/answer/6254652)
const (
	// AdviceTwoFields: the same value is used in two fields. Gmail counts by value, and asks not to repeat one.
	AdviceTwoFields AdviceKind = "value_in_two_fields"
	// AdviceUnique: a field has so many values for so little mail that it looks unique per message or recipient. Gmail
	// reports none of them.
	AdviceUnique AdviceKind = "value_unique_per_message"
	// AdviceMissing: mail without a and b. Gmail has one figure for all such mail of an account.
	AdviceMissing AdviceKind = "missing"
	// AdviceTooSmall: values with too little mail on any day for Gmail ever to report them.
	AdviceTooSmall AdviceKind = "too_small"
	// AdviceCharacters: values with characters that SES does not take in the tags that set a and b.
	AdviceCharacters AdviceKind = "characters"
)

// Advice is something to do better about the Feedback-IDs of a domain's mail.
type Advice struct {
	Kind   AdviceKind
	Domain string
	// Field is a or b, empty when the advice is about both.
	Field string
	// Values is how many values it is about, Examples some of them.
	Values   int
	Examples []string
	// Share is the part of the domain's mail that it is about, between 0 and 1.
	Share float64
}

// FeedbackUse is how much of a domain's mail has fields a and b, counted in recipients.
type FeedbackUse struct {
	Domain                              string
	Mail, WithoutA, WithoutB, WithoutAB int64
}

// volume is how much mail a use is: what was sent, or delivered to Gmail where no Send events are published.
func volume(sent, delivered int64) int64 { return max(sent, delivered) }

func (x *index) feedbackUses(uses []Use) []FeedbackUse {
	places := map[string]int{}
	var all []FeedbackUse
	for i := range uses {
		u := &uses[i]
		if u.Stamp.FromDomain == "" || u.Stamp.FromDomain == observation.Other {
			continue
		}
		domain := x.domains.of(u.Stamp.FromDomain)
		at, ok := places[domain]
		if !ok {
			at = len(all)
			places[domain] = at
			all = append(all, FeedbackUse{Domain: domain})
		}
		n, f := volume(u.Sent, u.GmailDelivered), &all[at]
		f.Mail += n
		if u.Stamp.A == "" {
			f.WithoutA += n
		}
		if u.Stamp.B == "" {
			f.WithoutB += n
		}
		if u.Stamp.A == "" && u.Stamp.B == "" {
			f.WithoutAB += n
		}
	}
	slices.SortFunc(all, func(a, b FeedbackUse) int {
		return cmp.Or(cmp.Compare(b.Mail, a.Mail), cmp.Compare(a.Domain, b.Domain))
	})
	return all
}

// FeedbackUse says how fields a and b are used, by domain, most mail first. It must not be changed.
func (j *Join) FeedbackUse() []FeedbackUse { return j.feedback }

// findings collects the values of a domain with one kind of fault.
type findings struct {
	values   int
	mail     int64
	examples []string
}

func (f *findings) add(value string, mail int64) {
	f.values++
	f.mail += mail
	// A value with an address in it is not repeated.
	if len(f.examples) < maxExamples && !strings.Contains(value, "@") {
		f.examples = append(f.examples, value)
	}
}

type finding struct {
	kind          AdviceKind
	domain, field string
}

// Advice says what to do better, domain by domain.
func (j *Join) Advice() []Advice {
	type field struct{ domain, field string }
	found := map[finding]*findings{}
	note := func(kind AdviceKind, at field, value string, mail int64) {
		key := finding{kind, at.domain, at.field}
		if found[key] == nil {
			found[key] = &findings{}
		}
		found[key].add(value, mail)
	}
	values := map[field]*findings{}
	for i := range j.buckets {
		b := &j.buckets[i]
		if b.above || b.fields&(fieldA|fieldB) == 0 {
			continue
		}
		at := field{b.domain, b.fields.first()}
		sent, peak := j.volumeOf(b)
		if values[at] == nil {
			values[at] = &findings{}
		}
		values[at].add(b.identifier, sent)
		if b.fields.several() {
			note(AdviceTwoFields, field{domain: b.domain}, b.identifier, sent)
		}
		if strings.ContainsFunc(b.identifier, notInTags) {
			note(AdviceCharacters, at, b.identifier, sent)
		}
		if peak > 0 && peak < reportable {
			note(AdviceTooSmall, at, b.identifier, sent)
		}
	}
	for at, f := range values {
		if f.values > manyValues && f.mail < perValue*int64(f.values) {
			found[finding{AdviceUnique, at.domain, at.field}] = f
			delete(found, finding{AdviceTooSmall, at.domain, at.field})
		}
	}
	return j.advise(found)
}

// advise puts findings in order, with their share of the domain's mail.
func (j *Join) advise(found map[finding]*findings) []Advice {
	var all []Advice
	mail := map[string]int64{}
	for _, f := range j.feedback {
		mail[f.Domain] = f.Mail
		if share := float64(f.WithoutAB) / float64(f.Mail); f.Mail > 0 && share >= missingShare {
			all = append(all, Advice{Kind: AdviceMissing, Domain: f.Domain, Share: share})
		}
	}
	for key, f := range found {
		a := Advice{Kind: key.kind, Domain: key.domain, Field: key.field, Values: f.values, Examples: f.examples}
		if n := mail[key.domain]; n > 0 {
			a.Share = min(1, float64(f.mail)/float64(n))
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Advice) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Field, b.Field))
	})
	return all
}

// volumeOf is a bucket's mail, and its deliveries to Gmail on its best day.
func (x *index) volumeOf(b *bucket) (mail, peak int64) {
	for _, d := range b.days {
		mail += volume(d.sent, d.delivered)
		peak = max(peak, d.delivered)
	}
	return mail, peak
}

// notInTags tells characters that SES does not take in the value of a message tag.
func notInTags(r rune) bool {
	return !(r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
}

// Unreported is an identifier with enough mail to Gmail that never came up in what Gmail reported.
type Unreported struct {
	Domain, Field, Value string
	// Delivered is its mail to Gmail on its best day that arrived, which is Day.
	Delivered int64
	Day       Day
}

// Unreported lists such identifiers, most mail first. That Gmail is silent about them is good news when nobody complains,
// and a fault when their Feedback-ID does not reach Gmail.
func (j *Join) Unreported() []Unreported {
	var all []Unreported
	for i := range j.buckets {
		b := &j.buckets[i]
		reported := slices.ContainsFunc(j.ofBucket[int32(i)], func(r int32) bool { return j.readings[r].Rate != nil })
		if b.above || reported || b.fields&(fieldA|fieldB) == 0 {
			continue
		}
		u := Unreported{Domain: b.domain, Field: b.fields.first(), Value: b.identifier}
		for _, d := range b.days {
			if d.delivered > u.Delivered && j.domains.came(b.domain, d.day) {
				u.Delivered, u.Day = d.delivered, d.day
			}
		}
		if u.Delivered >= inVolume {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b Unreported) int {
		return cmp.Or(cmp.Compare(b.Delivered, a.Delivered), cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Value, b.Value))
	})
	return all
}
