package account

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	pageSize = 100
	// maxPages bounds a list: what SES finds fault with is thousands at most.
	maxPages = 50
	// maxItems is how many of a list are kept; how many there are is kept beside them.
	maxItems = 100
)

// ask makes a call to SES when its turn comes. One that failed by chance is made once more, which waits for its turn, too.
func ask[T any](ctx context.Context, p *pass, op string, part observation.AccountPart, call func(context.Context) (T, error)) (T, error) {
	for again := false; ; again = true {
		if err := p.c.limiter.Wait(ctx); err != nil {
			var none T
			return none, fmt.Errorf("%s %s: %w", op, p.c.name, awsfault.Cause(ctx, err))
		}
		p.progress.Calls++
		out, err := cloudwatch.Within(ctx, call)
		if err == nil {
			return out, nil
		}
		fault := p.c.account.Fault(ctx, op, part.Action(), err)
		if again || reasonOf(fault) != collectors.ReasonUnavailable {
			return out, fault
		}
	}
}

// sending asks how the account stands.
func (p *pass) sending(ctx context.Context) error {
	out, err := ask(ctx, p, "read the standing of", observation.AccountPartSending,
		func(ctx context.Context) (*sesv2.GetAccountOutput, error) {
			return p.c.ses.GetAccount(ctx, &sesv2.GetAccountInput{})
		})
	if err == nil {
		err = p.standing(out)
	}
	if err := p.settle(ctx, observation.AccountPartSending, err); err != nil {
		return err
	}
	return p.put(ctx, nil)
}

// standing notes the account's standing. An answer without its parts is none: what SES leaves out of a flag reads as no.
func (p *pass) standing(out *sesv2.GetAccountOutput) error {
	status, quota := collectors.OneLine(aws.ToString(out.EnforcementStatus)), out.SendQuota
	if status == "" || quota == nil {
		return p.c.fault("read the standing of", collectors.ReasonMalformed, errors.New("the answer has no enforcement status or no quota"))
	}
	note := func(metric string, value *float64, text string) {
		p.add(p.hour(), observation.AccountSES, metric, "", value, text)
	}
	note(observation.AccountEnforcement, nil, status)
	note(observation.AccountSendingEnabled, truth(out.SendingEnabled), "")
	note(observation.AccountProduction, truth(out.ProductionAccessEnabled), "")
	if quota.Max24HourSend < 0 {
		note(observation.AccountQuotaMax, nil, observation.AccountUnlimited)
	} else if measured(quota.Max24HourSend) {
		note(observation.AccountQuotaMax, &quota.Max24HourSend, "")
	}
	if measured(quota.SentLast24Hours) {
		note(observation.AccountQuotaSent, &quota.SentLast24Hours, "")
	}
	if measured(quota.MaxSendRate) {
		note(observation.AccountRateMax, &quota.MaxSendRate, "")
	}
	return nil
}

func truth(is bool) *float64 {
	if is {
		return new(1.0)
	}
	return new(0.0)
}

// measured says whether a number can be a count.
func measured(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }

// lists asks for what SES finds fault with, when that is due.
func (p *pass) lists(ctx context.Context) error {
	if p.sesOver || !p.c.reread.Swap(false) && !p.due(positionLists) {
		return nil
	}
	before, done := len(p.faults), false
	defer func() {
		if !done { // whoever asked for the lists is owed them, however this pass ends
			p.c.reread.Store(true)
		}
	}()
	for _, l := range []struct {
		part   observation.AccountPart
		metric string
		read   func(context.Context) ([]observation.AccountItem, error)
	}{
		{observation.AccountPartTenants, observation.AccountTenants, p.tenants},
		{observation.AccountPartRecommendations, observation.AccountRecommendations, p.recommendations},
		{observation.AccountPartEntities, observation.AccountEntities, p.entities},
	} {
		if p.sesOver {
			break
		}
		items, err := l.read(ctx)
		if err == nil {
			err = p.items(l.metric, items)
		}
		if err := p.settle(ctx, l.part, err); err != nil {
			return err
		}
		if err := p.put(ctx, nil); err != nil {
			return err
		}
	}
	if p.failed(before) {
		return nil
	}
	err := p.put(ctx, collectors.Positions{positionLists: formatPosition(p.now)})
	done = err == nil
	return err
}

// items notes a list.
func (p *pass) items(metric string, items []observation.AccountItem) error {
	sortItems(items)
	text, err := observation.FormatAccountItems(items[:min(len(items), maxItems)])
	if err != nil {
		return p.c.fault("read the lists of", collectors.ReasonInternal, err)
	}
	p.add(p.today(), observation.AccountSES, metric, "", new(float64(len(items))), text)
	return nil
}

// tenants lists those that SES, or the account's owner, does not let send as usual.
func (p *pass) tenants(ctx context.Context) (items []observation.AccountItem, _ error) {
	for _, status := range []types.SendingStatus{types.SendingStatusDisabled, types.SendingStatusReinstated} {
		in := &sesv2.ListTenantsInput{
			PageSize: aws.Int32(pageSize),
			Filter:   map[string]string{string(types.ListTenantsFilterKeySendingStatus): string(status)},
		}
		for range maxPages {
			out, err := ask(ctx, p, "list the tenants of", observation.AccountPartTenants,
				func(ctx context.Context) (*sesv2.ListTenantsOutput, error) { return p.c.ses.ListTenants(ctx, in) })
			if err != nil {
				return nil, err
			}
			for i := range out.Tenants {
				if t := &out.Tenants[i]; t.SendingStatus == status {
					items = append(items, observation.AccountItem{
						Resource: collectors.OneLine(aws.ToString(t.TenantName)), Status: string(status),
					})
				}
			}
			if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
				break
			}
		}
	}
	return items, nil
}

// recommendations lists those that are open.
func (p *pass) recommendations(ctx context.Context) (items []observation.AccountItem, _ error) {
	in := &sesv2.ListRecommendationsInput{
		PageSize: aws.Int32(pageSize),
		Filter:   map[string]string{string(types.ListRecommendationsFilterKeyStatus): string(types.RecommendationStatusOpen)},
	}
	for range maxPages {
		out, err := ask(ctx, p, "list the recommendations for", observation.AccountPartRecommendations,
			func(ctx context.Context) (*sesv2.ListRecommendationsOutput, error) {
				return p.c.ses.ListRecommendations(ctx, in)
			})
		if err != nil {
			return nil, err
		}
		for i := range out.Recommendations {
			if r := &out.Recommendations[i]; r.Status == types.RecommendationStatusOpen {
				items = append(items, observation.AccountItem{
					Resource: collectors.OneLine(aws.ToString(r.ResourceArn)), Type: collectors.OneLine(string(r.Type)),
					Impact: collectors.OneLine(string(r.Impact)), Description: collectors.OneLine(aws.ToString(r.Description)),
					Since: timeOf(r.CreatedTimestamp),
				})
			}
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			break
		}
	}
	return items, nil
}

// entities lists the resources whose reputation suffers, or that may not send.
func (p *pass) entities(ctx context.Context) (items []observation.AccountItem, _ error) {
	seen := map[string]bool{}
	for _, filter := range []map[string]string{
		{string(types.ReputationEntityFilterKeyStatus): string(types.SendingStatusDisabled)},
		{string(types.ReputationEntityFilterKeyReputationImpact): string(types.RecommendationImpactHigh)},
		{string(types.ReputationEntityFilterKeyReputationImpact): string(types.RecommendationImpactLow)},
	} {
		in := &sesv2.ListReputationEntitiesInput{PageSize: aws.Int32(pageSize), Filter: filter}
		for range maxPages {
			out, err := ask(ctx, p, "list the reputation entities of", observation.AccountPartEntities,
				func(ctx context.Context) (*sesv2.ListReputationEntitiesOutput, error) {
					return p.c.ses.ListReputationEntities(ctx, in)
				})
			if err != nil {
				return nil, err
			}
			for i := range out.ReputationEntities {
				if item, bad := entityItem(&out.ReputationEntities[i]); bad && !seen[item.Resource] {
					seen[item.Resource] = true
					items = append(items, item)
				}
			}
			if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
				break
			}
		}
	}
	return items, nil
}

// entityItem is what is said about an entity; bad is false of one that nothing is wrong with.
func entityItem(e *types.ReputationEntity) (item observation.AccountItem, bad bool) {
	item = observation.AccountItem{
		Resource: collectors.OneLine(aws.ToString(e.ReputationEntityReference)), Impact: collectors.OneLine(string(e.ReputationImpact)),
		Status: collectors.OneLine(string(e.SendingStatusAggregate)),
	}
	for _, r := range []*types.StatusRecord{e.AwsSesManagedStatus, e.CustomerManagedStatus} {
		if r != nil && (item.Since.IsZero() || r.Status == types.SendingStatusDisabled) {
			item.Description, item.Since = collectors.OneLine(aws.ToString(r.Cause)), timeOf(r.LastUpdatedTimestamp)
			if r.Status == types.SendingStatusDisabled {
				break
			}
		}
	}
	return item, item.Impact != "" || item.Status != "" && item.Status != string(types.SendingStatusEnabled)
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
