package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sesaccount "github.com/mailvane/mailvane/collectors/account"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/observation"
)

// accountDetailsEvery is how often the metrics of configuration sets and tenants are read.
const accountDetailsEvery = time.Hour

// sesAccountQuestions asks each SES account how it stands.
func sesAccountQuestions(env Environment, c *config.Config) (all []question) {
	for _, a := range c.Collectors.Account {
		about := "SES account in " + inAWS(a.Region, a.RoleARN)
		all = append(all, question{about, func(ctx context.Context) []Finding { return askSESAccount(ctx, env, &a) }})
	}
	return all
}

func askSESAccount(ctx context.Context, env Environment, c *config.Account) []Finding {
	cfg, err := env.AWS(ctx, string(c.Region))
	if err != nil {
		return []Finding{problem(err)}
	}
	collector, err := sesaccount.New(sesaccount.Options{
		Name: string(c.Name), AWS: cfg, Region: string(c.Region), RoleARN: string(c.RoleARN),
		RequestsPerSecond: c.RequestsPerSecond, Now: env.Now,
	})
	if err != nil {
		return []Finding{problem(err)}
	}
	f, err := collector.Probe(ctx)
	all := whose(f.Account)
	if f.Standing != nil {
		all = append(all, standingFindings(f.Standing, c)...)
	}
	if f.Rated {
		all = append(all, rateFinding("bounce", f.BounceRate), rateFinding("complaint", f.ComplaintRate))
	}
	all = append(all, accountDenied(&f, c)...)
	if err != nil {
		return append(all, problem(err))
	}
	all = append(all, faultFindings(f.Faults)...)
	if len(f.Unasked) > 0 {
		all = append(all, note("not tried: "+strings.Join(actionsOf(f.Unasked), ", ")))
	}
	if f.Series != nil {
		all = append(all, costFindings(f.Series, c)...)
	}
	return all
}

// standingFindings says how an account stands, and what of it is no good.
func standingFindings(s *sesaccount.Standing, c *config.Account) []Finding {
	quota := fmt.Sprintf("%.0f of %.0f recipients", s.Sent, s.Max)
	if s.Max < 0 {
		quota = fmt.Sprintf("%.0f recipients, without a limit,", s.Sent)
	}
	access := "production access"
	if !s.Production {
		access = "in the sandbox"
	}
	all := []Finding{ok("status %s, %s; %s in the last 24 hours, at most %g in a second", s.Enforcement, access, quota, s.PerSecond)}
	const healthy = "HEALTHY"
	if s.Enforcement != healthy {
		all = append(all, warning("SES finds fault with the account: its status is "+s.Enforcement,
			"the reputation metrics page of the SES console says why, the case in the AWS Support Center what to do"))
	}
	switch {
	case s.Sending:
	case s.Enforcement == healthy:
		all = append(all, warning("sending is switched off", fmt.Sprintf("aws sesv2 put-account-sending-attributes --region %s --sending-enabled", c.Region)))
	default:
		all = append(all, warning("sending is switched off"))
	}
	if !s.Production {
		all = append(all, note("in the sandbox mail goes to verified addresses and domains only",
			"https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html says how to leave it"))
	}
	return all
}

// rateFinding tells one of the rates by which SES judges an account.
func rateFinding(name string, rate *float64) Finding {
	if rate == nil {
		return note(fmt.Sprintf("SES told no %s rate in the last two weeks: the series does not exist before the first %s", name, name))
	}
	return ok("SES's %s rate is %.3g %%", name, 100**rate)
}

// accountDenied says what is lost without permissions. It is a problem only where nothing is left to be read.
func accountDenied(f *sesaccount.Found, c *config.Account) (all []Finding) {
	for _, part := range f.Denied {
		all = append(all, warning(deniedText(part.Action(), accountLost(part)), allow(part.Action(), c.RoleARN)))
	}
	if !f.Readable() {
		all = append(all, problem(errors.New("nothing of this account may be read")))
	}
	return all
}

// accountLost is what a part is good for.
func accountLost(part observation.AccountPart) string {
	switch part {
	case observation.AccountPartSending:
		return "status, quota and whether mail may be sent are missing"
	case observation.AccountPartTenants:
		return "the status of tenants is missing"
	case observation.AccountPartRecommendations:
		return "open recommendations are missing"
	case observation.AccountPartEntities:
		return "resources whose reputation suffers are missing"
	case observation.AccountPartSeries:
		return "configuration sets and tenants are missing; the account's own figures are asked for by all their known names"
	default:
		return "everything of CloudWatch is missing: rates, headroom and coverage"
	}
}

func actionsOf(parts []observation.AccountPart) []string {
	actions := make([]string, len(parts))
	for i, part := range parts {
		actions[i] = part.Action()
	}
	return actions
}

// costFindings says what it costs to read what there is now.
func costFindings(s *sesaccount.Series, c *config.Account) []Finding {
	if s.Account == 0 {
		return []Finding{warning("CloudWatch lists no metric of the account: nothing was sent from this region in the last two weeks",
			"check the region", "a metric is listed up to 15 minutes after the first mail")}
	}
	text := fmt.Sprintf("CloudWatch costs about $%.2f a month: %s of the account every %s",
		monthly(s.Account, time.Duration(c.Every))+monthly(s.SetMetrics+s.TenantMetrics, accountDetailsEvery),
		plural(int64(s.Account), "metric", "metrics"), c.Every)
	if s.Sets > 0 {
		text += fmt.Sprintf(", %d of %s every hour", s.SetMetrics, plural(int64(s.Sets), "configuration set", "configuration sets"))
	}
	if s.Tenants > 0 {
		text += fmt.Sprintf(", %d of %s every hour", s.TenantMetrics, plural(int64(s.Tenants), "tenant", "tenants"))
	}
	all := []Finding{ok("%s", text)}
	if s.Folded > 0 {
		all = append(all, warning(plural(int64(s.Folded), "metric is", "metrics are")+
			" not read, as there are more than 200 configuration sets or 500 tenants"))
	}
	return all
}
