package app

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

const (
	// idleAfter is after how long an origin that publishes nothing is no longer used.
	idleAfter = 30 * 24 * time.Hour
	// stoppedAfter is how far an event type that comes with all mail may lag behind the others.
	stoppedAfter = 24 * time.Hour
)

// ledgerQuestions asks the ledger what SES publishes, and how Feedback-IDs are used.
func ledgerQuestions(c *config.Config) []question {
	path := string(c.Ledger.Path)
	published := question{"what SES publishes, by the ledger " + path, func(ctx context.Context) []Finding {
		return withReader(ctx, path, func(r *sqlite.Reader) ([]Finding, error) { return publishedFindings(ctx, r, c) })
	}}
	if _, err := os.Stat(path); err != nil {
		return []question{published}
	}
	return []question{published, {"Feedback-IDs, by the mail of the last days", func(ctx context.Context) []Finding {
		return withReader(ctx, path, func(r *sqlite.Reader) ([]Finding, error) { return feedbackFindings(ctx, r, c) })
	}}}
}

// withReader reads the ledger, beside a daemon that may run on it.
func withReader(ctx context.Context, path string, ask func(*sqlite.Reader) ([]Finding, error)) []Finding {
	if _, err := os.Stat(path); os.IsNotExist(err) {
		folder := filepath.Dir(path)
		if _, err := os.Stat(folder); os.IsNotExist(err) {
			return []Finding{problem(fmt.Errorf("its folder %s does not exist, so mailvane run would not start", folder),
				"make the folder, for the user that Mailvane runs as, or change ledger.path")}
		}
		return []Finding{note("there is no ledger yet; once mailvane run has counted some mail, this says what is missing")}
	}
	r, err := sqlite.OpenReader(ctx, path)
	if err != nil {
		return []Finding{problem(err)}
	}
	defer r.Close()
	all, err := ask(r)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		all = append(all, problem(err))
	}
	return all
}

// origin is what one origin publishes.
type origin struct {
	observation.Origin
	types map[observation.EventType]ledger.Published
	// first and last are the send times of the oldest and the newest mail of which anything was counted.
	first, last time.Time
}

// originsOf groups what is published by origin, in order.
func originsOf(rows []ledger.Published) []*origin {
	found := make(map[observation.Origin]*origin)
	for _, r := range rows {
		o := found[r.Origin]
		if o == nil {
			o = &origin{Origin: r.Origin, types: make(map[observation.EventType]ledger.Published), first: r.First}
			found[r.Origin] = o
		}
		o.types[r.Type] = r
		if r.First.Before(o.first) {
			o.first = r.First
		}
		if r.Last.After(o.last) {
			o.last = r.Last
		}
	}
	var all []*origin
	for _, o := range found {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *origin) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.ConfigurationSet, b.ConfigurationSet))
	})
	return all
}

func publishedFindings(ctx context.Context, r *sqlite.Reader, c *config.Config) ([]Finding, error) {
	status, err := r.Status(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := r.Published(ctx)
	if err != nil {
		return nil, err
	}
	var all []Finding
	seen := make(map[string]bool)
	origins := originsOf(rows)
	for i, o := range origins {
		seen[o.Region] = true
		if i < maxFindings {
			all = append(all, o.finding(status.AsOf))
		}
	}
	if n := len(origins) - maxFindings; n > 0 {
		all = append(all, note(fmt.Sprintf("and %d more, as GET /api/v1/sources says", n)))
	}
	for _, q := range c.Collectors.SES {
		if region := string(q.Region); !seen[region] {
			seen[region] = true
			all = append(all, warning("nothing was counted from "+region+" so far", "docs/ses.md says how SES publishes to a queue"))
		}
	}
	return all, nil
}

// finding says what an origin publishes, and what it lacks.
func (o *origin) finding(asOf time.Time) Finding {
	text := fmt.Sprintf("account %s, %s, ", orUnknown(o.Account), orUnknown(o.Region))
	if o.ConfigurationSet == "" {
		text += "mail without a configuration set: "
	} else {
		text += "configuration set " + o.ConfigurationSet + ": "
	}
	if asOf.Sub(o.last) > idleAfter {
		return note(text + "no mail since " + o.last.UTC().Format(time.DateOnly))
	}
	var there, stopped, unseen []string
	var covered, missing []observation.EventType
	for _, t := range observation.EventTypes() {
		p, seen := o.types[t]
		// These two come with all mail, so that their absence says that they are not published.
		always := t == observation.EventSend || t == observation.EventDelivery
		switch {
		case seen && !(always && o.last.Sub(p.Last) > stoppedAfter):
			there, covered = append(there, t.String()), append(covered, t)
		case seen:
			stopped, missing = append(stopped, fmt.Sprintf("%s since %s", t, p.Last.UTC().Format(time.DateOnly))), append(missing, t)
		case always:
			missing = append(missing, t)
		default:
			unseen = append(unseen, t.String())
		}
	}
	text += fmt.Sprintf("%s, since %s", strings.Join(there, ", "), o.first.UTC().Format(time.DateOnly))
	if len(unseen) > 0 {
		text += "; not seen so far: " + strings.Join(unseen, ", ")
	}
	if len(stopped) > 0 {
		text += "; no more " + strings.Join(stopped, ", ")
	}
	switch basisOf(covered) {
	case string(signal.BasisAttempted):
		if len(missing) > 0 {
			return warning(text+". Without Delivery events there are no delivery and complaint rates", o.fix(missing)...)
		}
		return ok("%s", text)
	case string(signal.BasisSettled):
		return warning(text+". Without Send events rates rest on what settled: delivered and bounced", o.fix(missing)...)
	default:
		return warning(text+". Without Send and Delivery events there are counts, but no rates", o.fix(missing)...)
	}
}

// fix is how to let the missing events be published. It adds a destination, because changing one replaces all of it.
func (o *origin) fix(missing []observation.EventType) []string {
	// What events say of themselves is not trusted to be what it should be: people paste these commands.
	region, account := "REGION", "ACCOUNT"
	if regionForm.MatchString(o.Region) {
		region = o.Region
	}
	if accountForm.MatchString(o.Account) {
		account = o.Account
	}
	switch {
	case o.ConfigurationSet == observation.Other:
		return nil
	case o.ConfigurationSet == "":
		return []string{
			"send this mail with a configuration set, for example by giving its identity one:",
			"aws sesv2 put-email-identity-configuration-set-attributes --region " + region +
				" --email-identity YOUR-DOMAIN --configuration-set-name YOUR-SET",
		}
	}
	names := make([]string, len(missing))
	for i, t := range missing {
		names[i] = strings.ToUpper(`"` + t.String() + `"`) // as the API of SES writes these two
	}
	destination := fmt.Sprintf(`{"Enabled": true, "MatchingEventTypes": [%s], "SnsDestination": {"TopicArn": "arn:%s:sns:%s:%s:ses-events"}}`,
		strings.Join(names, ", "), partition(region), region, account)
	set := fmt.Sprintf("--region %s --configuration-set-name %s", region, shell(o.ConfigurationSet))
	return []string{
		"aws sesv2 get-configuration-set-event-destinations " + set,
		"and, with the topic that it shows in place of ses-events:",
		fmt.Sprintf("aws sesv2 create-configuration-set-event-destination %s --event-destination-name mailvane-more --event-destination %s",
			set, shell(destination)),
	}
}

var regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d{1,2}$`)

func orUnknown(text string) string { return cmp.Or(text, "(not known)") }
