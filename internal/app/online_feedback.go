package app

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// feedbackFindings says what the view advises about Feedback-IDs.
func feedbackFindings(ctx context.Context, r *sqlite.Reader, c *config.Config) ([]Finding, error) {
	set, err := settingsOf(c)
	if err != nil {
		return nil, err
	}
	v := view.New(r, view.Options{Group: mailbox.Group, Settings: set.view})
	if err := v.Refresh(ctx); err != nil {
		return nil, err
	}
	if err := v.RefreshGmail(ctx); err != nil {
		return nil, err
	}
	ids := v.Identifiers(view.IdentifierQuery{Window: signal.Week})
	var all []Finding
	for _, u := range ids.Use[:min(len(ids.Use), maxFindings)] {
		all = append(all, ok("%s: field a in %s of the mail, field b in %s", u.Domain, percent(1-u.WithoutA), percent(1-u.WithoutB)))
	}
	for _, a := range ids.Advice[:min(len(ids.Advice), maxFindings)] {
		all = append(all, adviceFinding(&a))
	}
	if n := len(ids.NeverReported); n > 0 {
		all = append(all, note(fmt.Sprintf("%s with much mail never came up in what Gmail reports, such as %q of %s: nobody complains about it, or "+
			"it does not reach Gmail", plural(int64(n), "value", "values"), ids.NeverReported[0].Value, ids.NeverReported[0].Domain),
			"GET /api/v1/identifiers lists them; docs/gmail.md says how to tell"))
	}
	if len(all) == 0 {
		all = append(all, note("no mail was counted in the last days"))
	}
	return all, nil
}

func adviceFinding(a *view.Advice) Finding {
	about := a.Domain
	if a.Field != "" {
		about += ", field " + a.Field
	}
	about += ", " + percent(a.Share) + " of the mail"
	if a.Values > 0 {
		about += ", " + plural(int64(a.Values), "value", "values")
	}
	if len(a.Examples) > 0 {
		quoted := make([]string, len(a.Examples))
		for i, e := range a.Examples {
			quoted[i] = fmt.Sprintf("%q", e)
		}
		about += " such as " + strings.Join(quoted, ", ")
	}
	f := warning(about, a.Text)
	if a.Kind == campaign.AdviceTooSmall { // small campaigns are no fault
		f.Level = FindingNote
	}
	return f
}

// percent writes a share in whole percent; only nothing at all is 0 %, and only all is 100 %.
func percent(share float64) string {
	n := math.Round(100 * share)
	switch {
	case share > 0 && n == 0:
		return "under 1 %"
	case share < 1 && n == 100:
		return "over 99 %"
	default:
		return fmt.Sprintf("%.0f %%", n)
	}
}
