package pages

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/mailvane/mailvane/internal/view"
)

// accountSection is an SES account in a region.
type accountSection struct {
	ID, Title string
	Standing  standing
	Facts     []fact
	Coverage  *table
	Explains  []string
	Tenants   *table
	Listed    *table
}

func accountSectionOf(a *view.Account, st *standing) accountSection {
	name := a.Account + "-" + a.Region
	out := accountSection{ID: "ses-" + name, Title: a.Account + " in " + a.Region, Standing: *st, Explains: a.Coverage.Explains}
	if q := &a.Quota; q.Sent != nil {
		text, tip := count(int64(*q.Sent)), "Sent in the last 24 hours."
		if q.Max != nil {
			tip = fmt.Sprintf("%s of %s that may be sent in 24 hours.", count(int64(*q.Sent)), count(int64(*q.Max)))
		}
		c := cell{Text: text, Tip: tip}
		if q.Used != nil {
			c.Notes = append(c.Notes, percent(*q.Used)+" of the quota")
		}
		out.Facts = append(out.Facts, fact{"Sent in 24 hours", c})
	}
	for _, c := range []struct {
		name string
		of   *view.Coverage
	}{{"Events that arrive", &a.Coverage.Events}, {"With a configuration set", &a.Coverage.ConfigurationSet}, {"With a Feedback-ID", &a.Coverage.FeedbackID}} {
		out.Facts = append(out.Facts, fact{c.name, coverageCell(c.of)})
	}
	for i := range a.Parts {
		if p := &a.Parts[i]; p.Missing != "" {
			out.Facts = append(out.Facts, fact{"Permission missing", cell{Text: p.Missing, Level: warning, Tip: "Needed to read " + stateWord(string(p.Part)) + "."}})
		}
	}
	out.Coverage, out.Tenants, out.Listed = coverageTable(name, a), tenantTable(name, a), listedTable(name, a)
	return out
}

func coverageCell(c *view.Coverage) cell {
	if c.Share == nil {
		return cell{Text: stateWord(c.State.String()), Unknown: true, Tip: "It cannot be told."}
	}
	l := fine
	if c.Finding != "" && *c.Share < 0.95 {
		l = warning
	}
	return cell{Text: percent(*c.Share), Level: l, Tip: fmt.Sprintf("%s of %s in the last hours that could be compared with CloudWatch.",
		count(c.Numerator), count(c.Denominator))}
}

func coverageTable(name string, a *view.Account) *table {
	t := &table{ID: "coverage-" + name, Caption: "What arrives of what CloudWatch counted", JSON: "/api/v1/sources",
		CSV: "/sources?format=csv&table=" + url.QueryEscape("coverage-"+name), Empty: "No hour could be compared yet."}
	t.Columns = []column{
		{Title: "Mail", fields: []string{"configuration_set"}}, {Title: "Events", fields: []string{"of"}}, {Title: "Counted here", Numeric: true, fields: []string{"ours", "maybe"}},
		{Title: "By CloudWatch", Numeric: true, fields: []string{"cloudwatch"}}, {Title: "Share", Numeric: true, fields: []string{"value", "state", "finding"}},
	}
	all := cell{Text: "all", values: []any{""}}
	for i := range a.Coverage.Of {
		c := &a.Coverage.Of[i]
		ours := cell{Text: count(c.Ours), values: []any{c.Ours, c.Maybe}}
		if c.Maybe > 0 {
			ours.Notes = append(ours.Notes, "and "+count(c.Maybe)+" that CloudWatch may count")
		}
		share := sharedCell(&view.Coverage{Share: c.Share, Numerator: c.Ours, Denominator: c.CloudWatch, State: c.State, Finding: c.Finding})
		t.Rows = append(t.Rows, row{Cells: []cell{all, plain(c.Of), ours, whole(c.CloudWatch), share}})
	}
	for i := range a.Coverage.Sets {
		s := &a.Coverage.Sets[i]
		set := cell{Text: s.ConfigurationSet, Notes: []string{"configuration set"}, values: []any{s.ConfigurationSet}}
		ours := cell{Text: count(s.Events.Numerator), values: []any{s.Events.Numerator, int64(0)}}
		t.Rows = append(t.Rows, row{Cells: []cell{
			set, {Text: "all", values: []any{""}}, ours, whole(s.Events.Denominator), sharedCell(&s.Events),
		}})
	}
	return t
}

// sharedCell is the share with what was found out about it.
func sharedCell(c *view.Coverage) cell {
	share := coverageCell(c)
	share.values = []any{nil, c.State.String(), string(c.Finding)}
	if c.Share != nil {
		share.values[0] = *c.Share
	}
	if c.Finding != "" {
		share.Notes = append(share.Notes, string(c.Finding))
	}
	return share
}

func tenantTable(name string, a *view.Account) *table {
	t := &table{ID: "tenants-" + name, Caption: "Tenants as SES sees them, last eight days", JSON: "/api/v1/sources",
		CSV: "/sources?format=csv&table=" + url.QueryEscape("tenants-"+name), Empty: "No tenant has sent mail."}
	t.Columns = []column{
		{Title: "Tenant", fields: []string{"tenant", "status"}}, {Title: "Sent", Numeric: true, fields: []string{"sends"}},
		{Title: "Bounce rate", Numeric: true, fields: []string{"bounce_rate", "bounces"}},
		{Title: "Complaint rate", Numeric: true, fields: []string{"complaint_rate", "complaints"}},
	}
	for i := range a.Tenants {
		x := &a.Tenants[i]
		tenant := cell{Text: x.Tenant, values: []any{x.Tenant, x.Status}}
		if x.Status != "" && x.Status != "ENABLED" {
			tenant.Marks = []mark{{Text: strings.ToLower(x.Status), Level: critical}}
		}
		share := func(v *float64, n int64, what string) cell {
			if v == nil {
				return cell{Text: stateWord(x.State.String()), Unknown: true, values: []any{nil, n}}
			}
			return cell{Text: percent(*v), values: []any{*v, n}, Tip: fmt.Sprintf("%s %s of %s sent, by CloudWatch.", count(n), what, count(x.Sends))}
		}
		t.Rows = append(t.Rows, row{Cells: []cell{tenant, whole(x.Sends), share(x.BounceRate, x.Bounces, "bounces"), share(x.ComplaintRate, x.Complaints, "complaints")}})
	}
	return t
}

func listedTable(name string, a *view.Account) *table {
	t := &table{ID: "findings-" + name, Caption: "What SES recommends", JSON: "/api/v1/sources",
		CSV: "/sources?format=csv&table=" + url.QueryEscape("findings-"+name), Empty: "Nothing."}
	t.Columns = []column{
		{Title: "About", fields: []string{"resource"}}, {Title: "Impact", fields: []string{"impact", "type", "status"}},
		{Title: "What SES says", Wide: true, fields: []string{"description"}}, {Title: "Since", fields: []string{"since"}},
	}
	for _, list := range []*view.AccountFinding{&a.Recommendations, &a.Entities} {
		for i := range list.Items {
			x := &list.Items[i]
			impact := cell{Marks: []mark{{Text: x.Type + x.Status}}, values: []any{x.Impact, x.Type, x.Status}}
			if x.Impact == "HIGH" {
				impact.Marks[0].Level = warning
			}
			impact.Notes = append(impact.Notes, "impact "+strings.ToLower(x.Impact))
			t.Rows = append(t.Rows, row{Cells: []cell{
				{Text: resourceName(x.Resource), values: []any{x.Resource}}, impact, plain(x.Description), at(&x.Since, "not known"),
			}})
		}
	}
	return t
}
