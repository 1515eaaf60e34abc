package view

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

const (
	// trendDays is how many days of an account's rates and of its mail are looked at.
	trendDays = 7
	// trendsEvery is how often those are read, besides whenever CloudWatch was read further; they are hourly.
	trendsEvery = 10 * time.Minute
	// accountsBack is how far back is looked for how an account stands.
	accountsBack = 36 * time.Hour
	// partStale is after how long without an answer a part of an account is stale: parts are read every hour at least.
	partStale = 3 * time.Hour
)

// accountant keeps what was read for the accounts, so that most of it need not be read every minute.
type accountant struct {
	trends map[readingSeries][]signal.Point
	own    map[placeOfMail]*ownCounts
	// tenants are by subject and name.
	tenants map[string]map[string]*tenantCounts
	// trendsAt is when these were read, trendsThrough up to when CloudWatch had been read then.
	trendsAt      time.Time
	trendsThrough map[readPart]int64
	// uses is the mail of each hour of sending, with and without Feedback-ID tags.
	uses map[int64]hourUses
}

// placeOfMail is an account in a region.
type placeOfMail struct{ account, region string }

type readingSeries struct{ subject, metric, detail string }

// RefreshAccounts works out how the accounts stand and how much of their mail is covered, as of the last Refresh. It is
// called by one loop, about once a minute; after an error the view keeps what it knew.
func (v *View) RefreshAccounts(ctx context.Context) error {
	v.accounting.Lock()
	defer v.accounting.Unlock()
	v.mu.RLock()
	asOf := v.asOf
	v.mu.RUnlock()
	if asOf.IsZero() {
		return nil
	}
	b := &books{asOf: asOf, accountant: &v.accountant, accounts: map[string]*accountReadings{}}
	v.bound(b)
	if err := v.readAccounts(ctx, b); err != nil {
		return fmt.Errorf("read the accounts' readings: %w", err)
	}
	if err := v.readTrends(ctx, b); err != nil {
		return fmt.Errorf("read the accounts' trends: %w", err)
	}
	if err := v.readCounts(ctx, b); err != nil {
		return fmt.Errorf("read what was counted of the accounts' mail: %w", err)
	}
	v.accounts.Store(b.answer())
	return nil
}

// answer works out how the accounts stand.
func (b *books) answer() *Accounts {
	answer := &Accounts{AsOf: b.asOf.UTC(), Accounts: []Account{}, Unplaced: b.unplaced}
	for _, a := range b.accounts {
		answer.Accounts = append(answer.Accounts, a.answer(b))
	}
	slices.SortFunc(answer.Accounts, func(a, b Account) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	return answer
}

// books are what one RefreshAccounts works with.
type books struct {
	*accountant
	asOf     time.Time
	accounts map[string]*accountReadings
	// from and to bound the hours that coverage is about.
	from, to time.Time
	lag      time.Duration
	// counted are our counts of those hours; unplaced is how many events do not say whose they are.
	counted   map[countedKey]*ownCounts
	published map[placeOfMail]sinceWhen
	unplaced  int64
}

// accountReadings is what is read of one account in one region.
type accountReadings struct {
	subject string
	place   placeOfMail
	// access is the newest reading of access to each part; latest is the newest reading of everything else that SES was asked.
	access map[observation.AccountPart]ledger.ReadingRow
	latest map[string]ledger.ReadingRow
	// read are the hours whose counts are final, by part, with the metrics that exist; firstRead is when the first of them
	// was stored.
	read      map[readHour]string
	firstRead time.Time
	// counts are CloudWatch's, by metric, configuration set (empty for the account) and hour.
	counts map[countKey]int64
}

type readHour struct {
	part observation.AccountPart
	hour int64
}

// readPart is a part of an account's readings.
type readPart struct {
	subject string
	part    observation.AccountPart
}

type countKey struct {
	metric, set string
	hour        int64
}

// tenantCounts are a tenant's counts over the days of a trend.
type tenantCounts struct{ sends, bounces, complaints int64 }

// account finds the readings of a subject, nil when the subject is none.
func (b *books) account(subject string) *accountReadings {
	a := b.accounts[subject]
	if a != nil {
		return a
	}
	account, region, ok := observation.CutAccountSubject(subject)
	if !ok {
		return nil
	}
	a = &accountReadings{
		subject: subject, place: placeOfMail{account, region},
		access: map[observation.AccountPart]ledger.ReadingRow{}, latest: map[string]ledger.ReadingRow{},
		read: map[readHour]string{}, counts: map[countKey]int64{},
	}
	b.accounts[subject] = a
	return a
}

// readAccounts reads the readings that say how accounts stand now. Accounts that were not read for that long are forgotten.
func (v *View) readAccounts(ctx context.Context, b *books) error {
	from := b.asOf.Add(-accountsBack)
	if b.from.Before(from) {
		from = b.from
	}
	for _, source := range []string{observation.AccountSES, observation.AccountCloudWatch} {
		q := ledger.ReadingQuery{Source: source, From: from, To: time.Unix(farAhead(b.asOf), 0)}
		rows, err := v.reader.Readings(ctx, q)
		if err != nil {
			return err
		}
		for i := range rows {
			if a := b.account(rows[i].Key.Subject); a != nil {
				a.take(&rows[i])
			}
		}
	}
	return nil
}

// take sorts a reading.
func (a *accountReadings) take(row *ledger.ReadingRow) {
	switch row.Key.Metric {
	case observation.AccountRead:
		a.final(row)
	case observation.AccountSend, observation.AccountDelivery, observation.AccountBounce, observation.AccountComplaint:
		a.count(row)
	default:
		a.standing(row)
	}
}

// standing takes a reading of which the newest counts.
func (a *accountReadings) standing(row *ledger.ReadingRow) {
	if row.Key.Metric == observation.AccountAccess {
		part := observation.AccountPart(row.Key.Detail)
		if before, ok := a.access[part]; !ok || row.Start.After(before.Start) {
			a.access[part] = *row
		}
		return
	}
	if before, ok := a.latest[row.Key.Metric]; row.Key.Source == observation.AccountSES && (!ok || row.Start.After(before.Start)) {
		a.latest[row.Key.Metric] = *row
	}
}

// final takes a reading that says that an hour was read.
func (a *accountReadings) final(row *ledger.ReadingRow) {
	a.read[readHour{observation.AccountPart(row.Key.Detail), row.Start.Unix()}] = row.Text
	if row.Key.Detail == string(observation.AccountPartMetrics) && (a.firstRead.IsZero() || row.FirstSeen.Before(a.firstRead)) {
		a.firstRead = row.FirstSeen
	}
}

// count takes a count of CloudWatch.
func (a *accountReadings) count(row *ledger.ReadingRow) {
	if row.Value != nil {
		a.counts[countKey{row.Key.Metric, row.Key.Detail, row.Start.Unix()}] = int64(*row.Value)
	}
}

// readTrends reads a week of rates, of the use of the quota, and of our own counts, now and then.
func (v *View) readTrends(ctx context.Context, b *books) error {
	through := b.through()
	if b.trends != nil && b.asOf.Sub(b.trendsAt) < trendsEvery && maps.Equal(through, b.trendsThrough) {
		return nil
	}
	from := b.asOf.Add(-trendDays * 24 * time.Hour).Truncate(time.Hour)
	trends := map[readingSeries][]signal.Point{}
	for _, m := range []struct{ source, metric string }{
		{observation.AccountCloudWatch, observation.AccountBounceRate},
		{observation.AccountCloudWatch, observation.AccountComplaintRate},
		{observation.AccountSES, observation.AccountQuotaSent},
	} {
		q := ledger.ReadingQuery{Source: m.source, Metric: m.metric, From: from, To: time.Unix(farAhead(b.asOf), 0)}
		rows, err := v.reader.Readings(ctx, q)
		if err != nil {
			return err
		}
		for i := range rows {
			if r := &rows[i]; r.Value != nil {
				key := readingSeries{r.Key.Subject, r.Key.Metric, r.Key.Detail}
				trends[key] = append(trends[key], signal.Point{At: r.Start, Value: *r.Value})
			}
		}
	}
	tenants, err := v.readTenants(ctx, b, from)
	if err != nil {
		return err
	}
	rows, err := v.reader.OwnTime(ctx, from, b.asOf)
	if err != nil {
		return err
	}
	b.trends, b.tenants, b.own, b.trendsAt, b.trendsThrough = trends, tenants, ownCountsOf(rows), b.asOf, through
	return nil
}

// through is the newest hour of each part of each account whose counts are final.
func (b *books) through() map[readPart]int64 {
	all := map[readPart]int64{}
	for subject, a := range b.accounts {
		for at := range a.read {
			key := readPart{subject, at.part}
			all[key] = max(all[key], at.hour)
		}
	}
	return all
}

// readTenants reads what CloudWatch counted of tenants. Tenants of one name that followed one another are one.
func (v *View) readTenants(ctx context.Context, b *books, from time.Time) (map[string]map[string]*tenantCounts, error) {
	all := map[string]map[string]*tenantCounts{}
	for _, metric := range []string{observation.AccountTenantSend, observation.AccountTenantBounce, observation.AccountTenantComplaint} {
		q := ledger.ReadingQuery{
			Source: observation.AccountCloudWatch, Metric: metric, From: from.Truncate(24 * time.Hour), To: time.Unix(farAhead(b.asOf), 0),
		}
		rows, err := v.reader.Readings(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			row := &rows[i]
			name, _, ok := observation.CutTenantDetail(row.Key.Detail)
			if !ok || row.Value == nil {
				continue
			}
			if all[row.Key.Subject] == nil {
				all[row.Key.Subject] = map[string]*tenantCounts{}
			}
			if all[row.Key.Subject][name] == nil {
				all[row.Key.Subject][name] = &tenantCounts{}
			}
			all[row.Key.Subject][name].add(metric, int64(*row.Value))
		}
	}
	return all, nil
}

func (c *tenantCounts) add(metric string, n int64) {
	switch metric {
	case observation.AccountTenantSend:
		c.sends += n
	case observation.AccountTenantBounce:
		c.bounces += n
	case observation.AccountTenantComplaint:
		c.complaints += n
	}
}

// ownCountsOf sums our counts of the days of a trend, by the events' own time.
func ownCountsOf(rows []ledger.OwnTimeRow) map[placeOfMail]*ownCounts {
	all := map[placeOfMail]*ownCounts{}
	for i := range rows {
		at := placeOfMail{rows[i].Origin.Account, rows[i].Origin.Region}
		if all[at] == nil {
			all[at] = &ownCounts{}
		}
		all[at][rows[i].Outcome] += rows[i].N
	}
	return all
}

// part is how a part of an account's readings is.
func (a *accountReadings) part(part observation.AccountPart, asOf time.Time) AccountPart {
	p := AccountPart{Part: part, State: signal.NoData}
	row, ok := a.access[part]
	if !ok {
		return p
	}
	asked := row.Start.UTC()
	p.Asked = &asked
	switch {
	case row.Text == observation.AccountDenied:
		p.State, p.Missing = signal.Error, part.Action()
	case asOf.Sub(row.Start) > partStale:
		p.State = signal.Stale
	default:
		p.State = signal.OK
	}
	return p
}
