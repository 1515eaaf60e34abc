package account

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

// access is the key of the access to a part in the first hour.
func access(p observation.AccountPart) string {
	return p.Source() + " 123456789012/us-east-1 11-20T10 access " + string(p)
}

// A part without a permission is a state of that part; the others are read.
func TestPartialPermissions(t *testing.T) {
	t.Parallel()
	f := func(operation, code string, denied ...observation.AccountPart) {
		t.Helper()
		r := busy(t)
		r.refused[operation] = code
		r.passOK(t)
		for _, p := range observation.AccountParts() {
			want := "none ok"
			switch {
			case slices.Contains(denied, p):
				want = "none denied"
			case operation == "ListMetrics" && (p == observation.AccountPartSets || p == observation.AccountPartTenantMetrics):
				want = "absent" // nobody knows which there are
			}
			r.want(t, access(p), want)
		}
	}
	f("/v2/email/account", "403/AccessDeniedException", observation.AccountPartSending)
	f("/v2/email/tenants/list", "403/AccessDeniedException", observation.AccountPartTenants)
	f("/v2/email/vdm/recommendations", "403/AccessDeniedException", observation.AccountPartRecommendations)
	f("/v2/email/reputation/entities", "403/AccessDeniedException", observation.AccountPartEntities)
	f("ListMetrics", "AccessDenied", observation.AccountPartSeries)
	f("GetMetricData", "AccessDenied", observation.AccountPartMetrics, observation.AccountPartSets, observation.AccountPartTenantMetrics)
}

// Where the series may not be listed, the account's own are asked for by all names that they are known to have.
func TestSeriesNotListed(t *testing.T) {
	t.Parallel()
	r := busy(t)
	r.refused["ListMetrics"] = "AccessDenied"
	r.passOK(t)
	r.want(t, metric(1, observation.AccountSend, ""), "1001")
	r.want(t, metric(1, observation.AccountOpen, ""), "300")
	r.want(t, metric(1, observation.AccountSend, "promo"), "absent")
	if r.metrics != 8*len(accountNames()) {
		t.Errorf("%d metrics were asked for, want all names in each of eight steps", r.metrics)
	}
	r.change(func() { delete(r.refused, "ListMetrics") })
	r.after(5 * time.Minute)
	r.passOK(t)
	if r.known == nil || len(r.known.sets) != 2 {
		t.Errorf("series %+v, want those of a set: they may be listed now", r.known)
	}
}

// Without any permission the pass fails and names every action that is missing.
func TestNoPermissionAtAll(t *testing.T) {
	t.Parallel()
	r := busy(t)
	for _, o := range []string{"/v2/email/account", "/v2/email/tenants/list", "/v2/email/vdm/recommendations", "/v2/email/reputation/entities"} {
		r.refused[o] = "403/AccessDeniedException"
	}
	r.refused["ListMetrics"], r.refused["GetMetricData"] = "AccessDenied", "AccessDenied"
	err := r.pass(t)
	if err == nil {
		t.Fatal("pass succeeded without any permission")
	}
	for _, p := range observation.AccountParts() {
		if !strings.Contains(err.Error(), p.Action()) {
			t.Errorf("the error does not name %s: %v", p.Action(), err)
		}
	}
	if e, ok := errors.AsType[*collectors.Error](err); !ok || e.Reason != collectors.ReasonAuth {
		t.Errorf("error %v, want one of reason auth", err)
	}
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	r := busy(t)
	r.refused["/v2/email/account"] = "429/TooManyRequestsException"
	e := r.failure(t)
	if e.Reason != collectors.ReasonQuota {
		t.Errorf("failure %v, want quota", e)
	}
	if r.calls["/v2/email/account"] != 1 || r.calls["/v2/email/tenants/list"] != 0 {
		t.Errorf("calls %v, want SES to be left alone after its refusal", r.calls)
	}
	r.want(t, metric(1, observation.AccountSend, ""), "1001")

	r = busy(t)
	r.refused["GetMetricData"] = "Throttling"
	if e := r.failure(t); e.Reason != collectors.ReasonQuota {
		t.Errorf("failure %v, want quota", e)
	}
	if got := r.sink.positions["metrics"]; got != "" {
		t.Errorf("position %s, want none", got)
	}
	r.want(t, access(observation.AccountPartSending), "none ok")
	r.change(func() { clear(r.refused) })
	r.passOK(t)
	r.want(t, metric(1, observation.AccountSend, ""), "1001")
}

// SES is asked no faster than it allows, second attempts included.
func TestPace(t *testing.T) {
	t.Parallel()
	const perSecond = 50
	r := newRig(t, func(o *Options) { o.RequestsPerSecond = perSecond })
	began := time.Now() // not when the first call arrives, which may be late
	r.refused["/v2/email/tenants/list"] = "503/InternalServiceErrorException"
	if e := r.failure(t); e.Reason != collectors.ReasonUnavailable {
		t.Errorf("failure %v, want unavailable", e)
	}
	if r.calls["/v2/email/tenants/list"] != 2 {
		t.Errorf("%d calls, want a second attempt", r.calls["/v2/email/tenants/list"])
	}
	r.change(func() { clear(r.refused) })
	r.passOK(t)
	took := r.at[len(r.at)-1].Sub(began)
	if least := time.Duration(len(r.at)-1) * time.Second / perSecond * 9 / 10; took < least {
		t.Errorf("%d calls in %v, want %v at least", len(r.at), took, least)
	}
}

// Lists that could not be read are asked for again in the next pass.
func TestListsAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.refused["/v2/email/vdm/recommendations"] = "400/BadRequestException"
	if e := r.failure(t); e.Reason != collectors.ReasonConfig {
		t.Errorf("failure %v, want config", e)
	}
	if got := r.sink.positions["lists"]; got != "" {
		t.Errorf("position %s, want none", got)
	}
	r.want(t, access(observation.AccountPartEntities), "none ok")
	r.change(func() { clear(r.refused) })
	r.after(time.Minute)
	r.passOK(t)
	r.want(t, access(observation.AccountPartRecommendations), "none ok")
}

// An answer that is none must not read as an account that may not send.
func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	f := func(body string, want collectors.Reason) {
		t.Helper()
		r := newRig(t, nil)
		r.answers["/v2/email/account"] = body
		if e := r.failure(t); e.Reason != want {
			t.Errorf("answer %q: %v, want %s", body, e, want)
		}
		r.want(t, "account/ses 123456789012/us-east-1 11-20T10 sending_enabled", "absent")
		r.want(t, access(observation.AccountPartSending), "absent")
	}
	f(`{}`, collectors.ReasonMalformed)
	f(`{"EnforcementStatus": "HEALTHY"}`, collectors.ReasonMalformed)
	f(`<html>`, collectors.ReasonMalformed)
	f(`{"SendQuota": {"Max24HourSend": "lots"}}`, collectors.ReasonMalformed)
}

func TestQuota(t *testing.T) {
	t.Parallel()
	f := func(quota string, want map[string]string) {
		t.Helper()
		r := newRig(t, nil)
		r.answers["/v2/email/account"] = `{"EnforcementStatus": "SHUTDOWN", "SendQuota": ` + quota + `}`
		r.passOK(t)
		for name, value := range want {
			r.want(t, "account/ses 123456789012/us-east-1 11-20T10 "+name, value)
		}
	}
	f(`{"Max24HourSend": -1, "MaxSendRate": 500, "SentLast24Hours": 1e7}`,
		map[string]string{"quota_max": "none unlimited", "quota_sent": "1e+07", "rate_max": "500", "sending_enabled": "0", "enforcement_status": "none SHUTDOWN"})
	f(`{"Max24HourSend": 200, "MaxSendRate": 1, "SentLast24Hours": 0}`, map[string]string{"quota_max": "200", "quota_sent": "0", "production_access": "0"})
	f(`{"Max24HourSend": "NaN", "MaxSendRate": "Infinity", "SentLast24Hours": -2}`,
		map[string]string{"quota_max": "absent", "quota_sent": "absent", "rate_max": "absent"})
}

// Many more resources than are kept: their number is told, and the worst come first.
func TestLongLists(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var items []string
	for range 150 {
		items = append(items, `{"ResourceArn": "arn:low", "Impact": "LOW", "Status": "OPEN", "Description": "a\nb `+strings.Repeat("x", 4000)+`"}`)
	}
	items = append(items, `{"ResourceArn": "arn:high", "Impact": "HIGH", "Status": "OPEN"}`)
	r.answers["/v2/email/vdm/recommendations"] = `{"Recommendations": [` + strings.Join(items, ",") + `]}`
	r.passOK(t)
	text := r.sink.readings["account/ses 123456789012/us-east-1 11-20T00+24h0m0s recommendations"]
	value, list, _ := strings.Cut(text, " ")
	got, err := observation.ParseAccountItems(list)
	if err != nil || value != "151" || len(got) != maxItems || got[0].Resource != "arn:high" || got[1].Description != "a" {
		t.Errorf("%s items, %d kept, %v", value, len(got), err)
	}
}

// A list whose pages have no end ends.
func TestEndlessList(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.answers["/v2/email/vdm/recommendations"] = `{"Recommendations": [], "NextToken": "0"}`
	r.passOK(t)
	if n := r.calls["/v2/email/vdm/recommendations"]; n != maxPages {
		t.Errorf("%d calls, want %d", n, maxPages)
	}
}

// When the ledger does not take what was read the pass ends and nothing counts as read.
func TestLedgerRefuses(t *testing.T) {
	t.Parallel()
	r := busy(t)
	r.sink.fail = errors.New("disk full")
	if e := r.failure(t); e.Reason != collectors.ReasonLedger {
		t.Errorf("failure %v, want ledger", e)
	}
	if len(r.sink.positions) != 0 || r.sink.puts != 1 {
		t.Errorf("positions %v after %d puts", r.sink.positions, r.sink.puts)
	}
}

// Credentials that are no good end the pass: every part would fail alike.
func TestBadCredentials(t *testing.T) {
	t.Parallel()
	r := busy(t)
	r.refused["/v2/email/account"] = "403/ExpiredTokenException"
	if e := r.failure(t); e.Reason != collectors.ReasonAuth {
		t.Errorf("failure %v, want auth", e)
	}
	if r.calls["GetMetricData"] != 0 {
		t.Errorf("calls %v, want none after the refusal", r.calls)
	}
	r = busy(t)
	r.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if e := r.failure(t); e.Reason != collectors.ReasonUnavailable {
		t.Errorf("failure %v, want unavailable", e)
	}
}
