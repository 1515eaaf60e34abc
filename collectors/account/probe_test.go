package account

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

// counted is a rig whose CloudWatch has series of the account, of two configuration sets and of a tenant.
func counted(t *testing.T, change func(*rig)) *rig {
	t.Helper()
	r := newRig(t, nil)
	r.add("Send", "", start.Add(-2*time.Hour), 1000)
	r.add("Delivery", "", start.Add(-2*time.Hour), 900)
	r.add("Send", "ses:configuration-set=a", start.Add(-2*time.Hour), 600)
	r.add("Bounce", "ses:configuration-set=a", start.Add(-2*time.Hour), 6)
	r.add("Send", "ses:configuration-set=b", start.Add(-2*time.Hour), 400)
	r.add("Sends", "TenantId=t1,TenantName=acme", start.Add(-2*time.Hour), 400)
	r.add("Reputation.BounceRate", "", start.Add(-3*time.Hour), 0.03)
	r.add("Reputation.BounceRate", "", start.Add(-2*time.Hour), 0.02)
	change(r)
	return r
}

// whole is what is found out where nothing is missing.
func whole() Found {
	rate := 0.02
	return Found{
		Account:  number,
		Standing: &Standing{Enforcement: "HEALTHY", Sending: true, Production: true, Sent: 12345, Max: 50000, PerSecond: 14},
		Series:   &Series{Account: 3, Sets: 2, SetMetrics: 3, Tenants: 1, TenantMetrics: 1},
		Rated:    true, BounceRate: &rate,
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	f := func(change func(*rig), adjust func(*Found)) {
		t.Helper()
		r := counted(t, change)
		want := whole()
		adjust(&want)
		got, err := r.Probe(t.Context())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("(-want +got):\n%s%v", diff, err)
		}
		if got := r.calls["ListMetrics"] + r.calls["GetMetricData"]; got != 2 || r.metrics != 2 || len(r.at) != 4 || len(r.sink.readings) != 0 {
			t.Errorf("%v were called, %d metrics asked for", r.calls, r.metrics)
		}
	}
	f(func(*rig) {}, func(*Found) {})
	f(func(r *rig) {
		r.answers["/v2/email/account"] = `{"EnforcementStatus": "PROBATION", "SendQuota": {"Max24HourSend": -1, "MaxSendRate": 1}}`
	}, func(f *Found) { f.Standing = &Standing{Enforcement: "PROBATION", Max: -1, PerSecond: 1} })
	f(func(r *rig) { clear(r.points) }, func(f *Found) { f.Series, f.BounceRate = &Series{}, nil })
	f(func(r *rig) { r.statuses["Reputation.BounceRate"] = "Forbidden" }, func(f *Found) {
		f.Rated, f.BounceRate, f.Denied = false, nil, []observation.AccountPart{observation.AccountPartMetrics}
	})
	refuse := func(operation string, part observation.AccountPart, adjust func(*Found)) {
		t.Helper()
		f(func(r *rig) { r.refused[operation] = "403/AccessDeniedException" }, func(f *Found) {
			f.Denied = []observation.AccountPart{part}
			adjust(f)
		})
	}
	refuse("/v2/email/account", observation.AccountPartSending, func(f *Found) { f.Standing = nil })
	refuse("/v2/email/tenants/list", observation.AccountPartTenants, func(*Found) {})
	refuse("/v2/email/vdm/recommendations", observation.AccountPartRecommendations, func(*Found) {})
	refuse("/v2/email/reputation/entities", observation.AccountPartEntities, func(*Found) {})
	refuse("ListMetrics", observation.AccountPartSeries, func(f *Found) { f.Series = nil })
	refuse("GetMetricData", observation.AccountPartMetrics, func(f *Found) { f.Rated, f.BounceRate = false, nil })
}

// A service that does not answer is asked no more, and the other all the same.
func TestProbeGoesOn(t *testing.T) {
	t.Parallel()
	lists := []observation.AccountPart{observation.AccountPartTenants, observation.AccountPartRecommendations, observation.AccountPartEntities}
	f := func(operation, code string, reason collectors.Reason, unasked ...observation.AccountPart) {
		t.Helper()
		got, err := counted(t, func(r *rig) { r.refused[operation] = code }).Probe(t.Context())
		if diff := cmp.Diff(unasked, got.Unasked); diff != "" || err != nil || len(got.Faults) != 1 || len(got.Denied) != 0 {
			t.Fatalf("%s: %+v %v\n%s", operation, got, err, diff)
		}
		if e, ok := errors.AsType[*collectors.Error](got.Faults[0]); !ok || e.Reason != reason {
			t.Errorf("%s: got %v", operation, got.Faults[0])
		}
	}
	f("/v2/email/account", "503/ServiceUnavailable", collectors.ReasonUnavailable, lists...)
	f("/v2/email/tenants/list", "429/TooManyRequestsException", collectors.ReasonQuota)
	f("ListMetrics", "503/ServiceUnavailable", collectors.ReasonUnavailable, observation.AccountPartMetrics)
}

// What SES's pace leaves no time for is said, and not waited for.
func TestProbeInTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.RequestsPerSecond = 0.0001 })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	got, err := r.Probe(ctx)
	want := []observation.AccountPart{observation.AccountPartTenants, observation.AccountPartRecommendations, observation.AccountPartEntities}
	if diff := cmp.Diff(want, got.Unasked); diff != "" || err != nil || got.Standing == nil || !got.Rated {
		t.Errorf("%+v %v\n%s", got, err, diff)
	}
}

// With credentials that are no good, and when it is told to, a probe ends.
func TestProbeEnds(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"/v2/email/account", "ListMetrics", "/v2/email/tenants/list"} {
		r := counted(t, func(r *rig) { r.refused[operation] = "403/ExpiredTokenException" })
		got, err := r.Probe(t.Context())
		if e, ok := errors.AsType[*collectors.Error](err); !ok || e.Reason != collectors.ReasonAuth || len(got.Denied)+len(got.Faults) > 0 {
			t.Errorf("%s: %+v %v", operation, got, err)
		}
		if r.calls["/v2/email/reputation/entities"] != 0 {
			t.Errorf("%s: SES was asked on", operation)
		}
	}
	stop := errors.New("told to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	r := counted(t, func(r *rig) {
		r.before = func(operation string) {
			if operation == "ListMetrics" {
				cancel(stop)
			}
		}
	})
	if got, err := r.Probe(ctx); !errors.Is(err, stop) || got.Standing == nil {
		t.Errorf("%+v %v", got, err)
	}
}
