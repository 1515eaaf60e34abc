package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// maxChanges bounds the changes that are told.
const maxChanges = 30

// change is a line with how much it matters.
type change struct {
	weight float64
	text   string
}

// changesSince tells what an earlier edition of the same report did not know.
func changesSince(old, now *Report) *Changes {
	c := &Changes{MadeAt: old.MadeAt, AsOf: old.AsOf, Lines: []string{}}
	all := slices.Concat(changedCampaigns(old, now), changedDomains(old, now))
	slices.SortStableFunc(all, func(a, b change) int { return cmp.Compare(b.weight, a.weight) })
	for _, line := range all[:min(len(all), maxChanges)] {
		c.Lines = append(c.Lines, line.text)
	}
	c.More = len(all) - len(c.Lines)
	return c
}

func changedCampaigns(old, now *Report) (all []change) {
	type name struct{ tenant, id string }
	before := map[name]*Campaign{}
	for i := range old.Campaigns {
		before[name{old.Campaigns[i].Tenant, old.Campaigns[i].ID}] = &old.Campaigns[i]
	}
	for i := range now.Campaigns {
		c := &now.Campaigns[i]
		was := before[name{c.Tenant, c.ID}]
		delete(before, name{c.Tenant, c.ID})
		if was == nil {
			all = append(all, change{1, fmt.Sprintf("%s is new: %s.", label(c.Tenant, c.ID),
				counted(c.Recipients[observation.Sent], "mail", "mails"))})
			continue
		}
		all = append(all, changedCounts(was, c)...)
		if was.Level != c.Level {
			all = append(all, change{1000, fmt.Sprintf("%s is now judged as “%s” instead of “%s”.", label(c.Tenant, c.ID),
				levelWords(c.Level), levelWords(was.Level))})
		}
	}
	for _, was := range old.Campaigns {
		if before[name{was.Tenant, was.ID}] != nil {
			all = append(all, change{1, label(was.Tenant, was.ID) + " is no longer in the report: it was renamed, or left the selection."})
		}
	}
	return all
}

// changedCounts tells of counts that grew by late events. What is told counts in lines: a complaint more than a delivery.
func changedCounts(was, c *Campaign) (all []change) {
	for _, o := range []struct {
		outcome observation.Outcome
		words   string
		line    float64
	}{
		{observation.Complained, "complaints", linesOf(signal.ComplaintRate).act},
		{observation.HardBounced, "hard bounces", linesOf(signal.HardBounceRate).act},
		{observation.SoftBounced, "soft bounces", 0.05}, {observation.Unsubscribed, "unsubscribes", 0.01},
		{observation.Delivered, "deliveries", 1}, {observation.Sent, "mails", 1},
	} {
		n, before := c.Recipients[o.outcome], was.Recipients[o.outcome]
		if n == before {
			continue
		}
		weight := float64(max(n-before, before-n)) / o.line / float64(max(c.Recipients[observation.Delivered], 1))
		all = append(all, change{weight, fmt.Sprintf("%s: %s %s, before %s.", label(c.Tenant, c.ID), count(n), o.words, count(before))})
	}
	return all
}

// changedDomains tells of Gmail's days that came late or were revised.
func changedDomains(old, now *Report) (all []change) {
	type day struct {
		domain, source string
		day            campaign.Day
	}
	before := map[day]DomainDay{}
	for i := range old.Domains {
		for _, d := range old.Domains[i].Days {
			before[day{old.Domains[i].Domain.Domain, old.Domains[i].Source, d.Day}] = d
		}
	}
	for i := range now.Domains {
		domain := now.Domains[i].Domain.Domain
		for _, d := range now.Domains[i].Days {
			was, known := before[day{domain, now.Domains[i].Source, d.Day}]
			at := dayOf(d.Day.String())
			switch {
			case d.SpamRate == nil:
			case !known || was.SpamRate == nil:
				all = append(all, change{*d.SpamRate / gmailAct, fmt.Sprintf("Gmail now tells of %s on %s: %s.", domain, at, percent(*d.SpamRate))})
			case *was.SpamRate != *d.SpamRate:
				all = append(all, change{*d.SpamRate / gmailAct, fmt.Sprintf("Gmail revised %s on %s: %s, before %s.", domain, at,
					percent(*d.SpamRate), percent(*was.SpamRate))})
			}
		}
	}
	return all
}

// levelWords is what people are told of a level.
func levelWords(l Level) string {
	switch l {
	case LevelUrgent:
		return "stop"
	case LevelAct:
		return "mend"
	case LevelWatch:
		return "watch"
	default:
		return "fine"
	}
}
