package sesapi

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// now is what the clock says at first.
var now = time.Date(2026, time.November, 22, 14, 0, 0, 0, time.UTC)

var (
	us = Place{"123456789012", "us-east-1"}
	eu = Place{"210987654321", "eu-west-1"}
)

const roleEU = "arn:aws:iam::210987654321:role/ops/mailvane"

// world is a server with the configuration of the SDK's clients.
type world struct {
	*testing.T
	*Server
	config aws.Config

	mu    sync.Mutex // protects clock
	clock time.Time
}

// newWorld starts a server that knows the demo's story.
func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	w := &world{T: t, clock: now}
	o.Account, o.Story, o.Now = us.Account, traffic.Demo(now), w.now
	w.Server = New(o)
	server := httptest.NewServer(w.Server)
	t.Cleanup(server.Close)
	t.Cleanup(w.Close)
	w.config = aws.Config{Region: us.Region, BaseEndpoint: &server.URL, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("simulator", "simulator", ""),
		HTTPClient:  &http.Client{Transport: plainBodies{http.DefaultTransport}}}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// in is the configuration for the second account, by its role.
func (w *world) in(role string) aws.Config {
	c := w.config.Copy()
	c.Region = eu.Region
	c.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(w.config), role,
		func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "test" }))
	return c
}

// plainBodies hides the WriteTo of request bodies; the tests of package simulator say why.
type plainBodies struct{ http.RoundTripper }

func (p plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.RoundTripper.RoundTrip(r)
}

// code is that of an error of the SDK.
func code(err error) string {
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	return e.ErrorCode()
}

func TestAccountStands(t *testing.T) {
	asked := map[Place]time.Duration{}
	w := newWorld(t, Options{
		Sent: func(account, region string, from, to time.Time) float64 {
			asked[Place{account, region}] = to.Sub(from)
			return 123
		},
		Standings: []Standing{{Place: eu, Enforcement: "PROBATION", Paused: true, Sandbox: true, Max24Hour: -1, MaxRate: 2}},
	})
	f := func(c aws.Config, status string, sending, production bool, quota types.SendQuota) {
		t.Helper()
		out, err := sesv2.NewFromConfig(c).GetAccount(t.Context(), &sesv2.GetAccountInput{})
		if err != nil {
			t.Fatal(err)
		}
		if *out.EnforcementStatus != status || out.SendingEnabled != sending || out.ProductionAccessEnabled != production || *out.SendQuota != quota {
			t.Errorf("%s %v %v %+v", *out.EnforcementStatus, out.SendingEnabled, out.ProductionAccessEnabled, *out.SendQuota)
		}
	}
	f(w.config, "HEALTHY", true, true, types.SendQuota{Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 123})
	f(w.in(roleEU), "PROBATION", false, false, types.SendQuota{Max24HourSend: -1, MaxSendRate: 2, SentLast24Hours: 123})
	if diff := cmp.Diff(map[Place]time.Duration{us: 24 * time.Hour, eu: 24 * time.Hour}, asked); diff != "" {
		t.Errorf("asked for what was sent (-want +got):\n%s", diff)
	}
	w.Change(func(o *Options) { o.Standings = []Standing{{Place: us, Enforcement: "SHUTDOWN"}} })
	f(w.config, "SHUTDOWN", true, true, types.SendQuota{Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 123})
	if standing, sent := w.Standing(us.Account, us.Region); standing.Enforcement != "SHUTDOWN" || sent != 123 {
		t.Errorf("the truth: %+v %v", standing, sent)
	}
}

func TestTenants(t *testing.T) {
	w := newWorld(t, Options{Tenants: []Tenant{{us, "initech", "DISABLED"}}})
	client := sesv2.NewFromConfig(w.config)
	f := func(filter map[string]string, want ...string) {
		t.Helper()
		var names []string
		pages := sesv2.NewListTenantsPaginator(client, &sesv2.ListTenantsInput{Filter: filter, PageSize: aws.Int32(1)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, tenant := range page.Tenants {
				names = append(names, *tenant.TenantName+" "+string(tenant.SendingStatus))
			}
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f(nil, "globex ENABLED", "initech DISABLED")
	f(map[string]string{"SENDING_STATUS": "DISABLED"}, "initech DISABLED")
	f(map[string]string{"TENANT_NAME_CONTAINS": "lobe"}, "globex ENABLED")
	f(map[string]string{"TENANT_NAME_CONTAINS": "lobe", "SENDING_STATUS": "DISABLED"})
	got, err := client.GetTenant(t.Context(), &sesv2.GetTenantInput{TenantName: aws.String("globex")})
	if err != nil || *got.Tenant.TenantId != traffic.TenantID(us.Account, us.Region, "globex") ||
		!strings.HasPrefix(*got.Tenant.TenantArn, "arn:aws:ses:us-east-1:123456789012:tenant/globex/tn-") || got.Tenant.CreatedTimestamp.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := client.GetTenant(t.Context(), &sesv2.GetTenantInput{TenantName: aws.String("acme")}); code(err) != "NotFoundException" {
		t.Errorf("a tenant of the other account: %v", err)
	}
	_, err = client.ListTenants(t.Context(), &sesv2.ListTenantsInput{Filter: map[string]string{"COLOUR": "red"}})
	if code(err) != "BadRequestException" {
		t.Errorf("a strange filter: %v", err)
	}
}

func TestFindings(t *testing.T) {
	at := now.Add(-time.Hour).Truncate(time.Second)
	w := newWorld(t, Options{
		Recommendations: []Recommendation{
			{Place: us, Resource: "identity/example.com", Type: "DMARC", Impact: "LOW", Description: "no policy", Created: at, Updated: now},
			{Place: us, Resource: "tenant/globex/x", Type: "BOUNCE", Impact: "HIGH", Fixed: true},
			{Place: eu, Resource: "identity/example.net", Type: "SPF", Impact: "LOW"},
		},
		Entities: []Entity{
			{Place: us, Resource: "tenant/globex/x", Impact: "LOW", Cause: "bounces", Updated: at},
			{Place: us, Resource: "tenant/initech/y", Status: "DISABLED"},
			{Place: eu, Resource: "tenant/acme/z", Impact: "HIGH"},
		},
	})
	client := sesv2.NewFromConfig(w.config)
	recommendations := func(filter map[string]string, want ...string) {
		t.Helper()
		out, err := client.ListRecommendations(t.Context(), &sesv2.ListRecommendationsInput{Filter: filter})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range out.Recommendations {
			got = append(got, strings.Join([]string{string(r.Type), string(r.Impact), string(r.Status), *r.ResourceArn}, " "))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("recommendations (-want +got):\n%s", diff)
		}
		if len(filter) == 0 && (!out.Recommendations[0].CreatedTimestamp.Equal(at) || *out.Recommendations[0].Description != "no policy") {
			t.Errorf("%+v", out.Recommendations[0])
		}
	}
	const open, fixed = "DMARC LOW OPEN arn:aws:ses:us-east-1:123456789012:identity/example.com",
		"BOUNCE HIGH FIXED arn:aws:ses:us-east-1:123456789012:tenant/globex/x"
	recommendations(nil, open, fixed)
	recommendations(map[string]string{"STATUS": "OPEN"}, open)
	recommendations(map[string]string{"IMPACT": "HIGH", "TYPE": "BOUNCE"}, fixed)
	recommendations(map[string]string{"RESOURCE_ARN": "arn:aws:ses:us-east-1:123456789012:identity/example"})
	entities := func(filter map[string]string, want ...string) {
		t.Helper()
		out, err := client.ListReputationEntities(t.Context(), &sesv2.ListReputationEntitiesInput{Filter: filter})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range out.ReputationEntities {
			got = append(got, strings.Join([]string{string(e.ReputationImpact), string(e.SendingStatusAggregate), aws.ToString(e.AwsSesManagedStatus.Cause)}, " "))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entities (-want +got):\n%s", diff)
		}
	}
	entities(nil, "LOW ENABLED bounces", " DISABLED ")
	entities(map[string]string{"SENDING_STATUS": "DISABLED"}, " DISABLED ")
	entities(map[string]string{"REPUTATION_IMPACT": "HIGH"})
	entities(map[string]string{"ENTITY_REFERENCE_PREFIX": "arn:aws:ses:us-east-1:123456789012:tenant/globex"}, "LOW ENABLED bounces")
}
