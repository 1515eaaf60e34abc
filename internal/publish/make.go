package publish

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/report"
)

// MakeDue makes the reports that are due. A plan that fails keeps no other from its turn; it is tried again by the next pass.
func (p *Publisher) MakeDue(ctx context.Context) error {
	p.making.Lock()
	defer p.making.Unlock()
	followed, err := p.o.Ledger.ReportSchedules(ctx)
	if err != nil {
		return fmt.Errorf("read the schedules of reports: %w", err)
	}
	through := make(map[string]ledger.ReportSchedule, len(followed))
	for _, s := range followed {
		through[s.Name] = s
	}
	var errs []error
	for _, plan := range p.sorted() {
		if err := p.follow(ctx, plan, through[plan.Name]); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// follow makes what of a plan is due since its schedule was last followed.
func (p *Publisher) follow(ctx context.Context, plan *Plan, last ledger.ReportSchedule) error {
	now := p.o.Now()
	text := plan.Schedule.String()
	// A time in the future was written by a clock that was wrong.
	if last.Name == "" || last.Schedule != text || last.Through.After(now) {
		return p.o.Ledger.PutReportSchedule(ctx, ledger.ReportSchedule{Name: plan.Name, Schedule: text, Through: now})
	}
	due := plan.Schedule.Newest(last.Through, now)
	if due.IsZero() {
		return nil
	}
	if err := p.makeAll(ctx, plan, due); err != nil {
		return err
	}
	return p.o.Ledger.PutReportSchedule(ctx, ledger.ReportSchedule{Name: plan.Name, Schedule: text, Through: due})
}

// MakeNow makes the reports of a plan as if they were due now, and leaves its schedule alone. The error is ErrNoPlan when there
// is no plan of that name.
func (p *Publisher) MakeNow(ctx context.Context, name string) error {
	p.making.Lock()
	defer p.making.Unlock()
	plan := p.plan(name)
	if plan == nil {
		return fmt.Errorf("%w of the name %q", ErrNoPlan, name)
	}
	return p.makeAll(ctx, plan, p.o.Now())
}

// ErrNoPlan says that there is no plan.
var ErrNoPlan = errors.New("there is no report")

// makeAll makes a report of each owner, those aside that have been made. The ledger is read once for all of them.
func (p *Publisher) makeAll(ctx context.Context, plan *Plan, due time.Time) error {
	m := &making{Publisher: p, plan: plan, due: due, order: Order{Period: plan.period(due), Campaign: plan.Campaign}}
	m.facts = sync.OnceValues(func() (Facts, error) { return p.o.Read(ctx, m.order) })
	for _, owner := range plan.Owners {
		made, err := m.makeOne(ctx, owner)
		if err != nil && ctx.Err() != nil {
			return err // the stop is to blame
		}
		if made || err != nil {
			p.o.Made(plan.Name, err)
		}
		if err != nil {
			return fmt.Errorf("make report %s: %w", plan.Name, err)
		}
	}
	return nil
}

// making is the making of the reports of a plan that are due at one time.
type making struct {
	*Publisher
	plan  *Plan
	due   time.Time
	order Order
	// facts are read when the first report needs them.
	facts func() (Facts, error)
}

// makeOne makes and stores the report of an owner, unless it was made before.
func (m *making) makeOne(ctx context.Context, owner string) (made bool, err error) {
	newest, err := m.o.Ledger.Reports(ctx, ledger.ReportQuery{Name: m.plan.Name, Owner: &owner, Limit: 1})
	if err != nil {
		return false, err
	}
	if len(newest) > 0 && newest[0].Due.UnixMilli() == m.due.UnixMilli() {
		return false, nil
	}
	previous, err := m.previous(ctx, owner)
	if err != nil {
		return false, err
	}
	facts, err := m.facts()
	if err != nil {
		return false, err
	}
	r, err := facts.Report(ctx, owner, previous)
	if err != nil {
		return false, err
	}
	body, err := encode(r)
	if err != nil {
		return false, err
	}
	stored, err := m.o.Ledger.AddReport(ctx, m.stored(owner, body))
	if errors.Is(err, ledger.ErrConflict) {
		return false, nil
	}
	if err == nil {
		m.o.Log.Info("report made", "report", m.plan.Name, "owner", owner, "period", stored.Period, "edition", stored.Edition, "bytes", stored.Size)
	}
	return err == nil, err
}

// stored is a report as it is kept, with a delivery for each destination.
func (m *making) stored(owner string, body []byte) ledger.Report {
	now, period := m.o.Now(), &m.order.Period
	r := ledger.Report{
		Name: m.plan.Name, Owner: owner, Due: m.due, MadeAt: now, Start: period.Start, End: period.End, Period: period.ID(), Body: body,
	}
	for _, d := range m.plan.Destinations {
		r.Deliveries = append(r.Deliveries, ledger.ReportDelivery{
			Destination: d.Name, Kind: d.Kind, Delivery: ledger.Delivery{State: ledger.NotificationWaiting, NextAt: now},
		})
	}
	return r
}

// previous is the newest edition of the report of an owner, nil when there is none that can be compared with it.
func (m *making) previous(ctx context.Context, owner string) (*report.Report, error) {
	name, o := m.plan.Name, &m.order
	editions, err := m.o.Ledger.Reports(ctx, ledger.ReportQuery{Name: name, Owner: &owner, Period: o.Period.ID(), Limit: 1})
	if err != nil || len(editions) == 0 {
		return nil, err
	}
	stored, err := m.o.Ledger.Report(ctx, editions[0].Number)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil // it was just dropped
	}
	if err != nil {
		return nil, err
	}
	previous, err := decode(stored.Body)
	if err != nil {
		m.o.Log.Warn("the edition before cannot be read", "report", name, "number", stored.Number, "err", err)
		return nil, nil
	}
	if previous.Campaign != o.Campaign || previous.Period.Zone != o.Period.Zone {
		return nil, nil // it speaks of something else
	}
	return previous, nil
}
