package telemetry

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

var update = flag.Bool("update", false, "rewrite docs/metrics.md")

func noEnv(string) string { return "" }

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func start(t *testing.T, o Options) (*Telemetry, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	o.Now, o.Env = c.now, noEnv
	if o.MaxCampaigns == 0 {
		o.MaxCampaigns = 10
	}
	tel, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Shutdown(context.Background()) })
	return tel, c
}

func cell(tenant, campaign, provider string, o observation.Outcome, reason string) *ledger.Cell {
	return &ledger.Cell{
		Campaign: observation.Campaign{Tenant: tenant, Name: campaign}, Provider: provider, Outcome: o, Reason: reason,
	}
}

// collect reads one instrument through a reader, as "attribute=value,… " to value.
func collect(t *testing.T, r *sdk.ManualReader, name string) map[string]float64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := r.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					got[p.Attributes.Encoded(attribute.DefaultEncoder())] = float64(p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					got[p.Attributes.Encoded(attribute.DefaultEncoder())] = p.Value
				}
			default:
				t.Fatalf("%s is %T", name, d)
			}
		}
	}
	return got
}

func scrape(t *testing.T, tel *Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("scrape answered %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestScrapeShowsANewSeriesAtZeroFirst(t *testing.T) {
	tel, _ := start(t, Options{Prometheus: true})
	tel.Counts().Counted(cell("acme", "spring-sale", "gmail", observation.Sent, ""))
	line := `mailvane_campaign_recipients_total{campaign="spring-sale",outcome="sent",tenant="acme"} `
	for _, want := range []string{"0", "1", "1"} {
		if body := scrape(t, tel); !strings.Contains(body, line+want+"\n") {
			t.Fatalf("no %q in\n%s", line+want, body)
		}
	}
}

func TestEachReaderSeesZeroFirst(t *testing.T) {
	one, two := sdk.NewManualReader(), sdk.NewManualReader()
	tel, _ := start(t, Options{Readers: []sdk.Reader{one, two}})
	tel.Counts().Counted(cell("", "a", "gmail", observation.Sent, ""))
	for _, r := range []*sdk.ManualReader{one, two} {
		for _, want := range []float64{0, 1} {
			got := collect(t, r, ProviderRecipients)
			if diff := cmp.Diff(map[string]float64{"outcome=sent,provider=gmail": want}, got); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestCampaignsBeyondTheLimitAreOther(t *testing.T) {
	r := sdk.NewManualReader()
	tel, _ := start(t, Options{MaxCampaigns: 2, Readers: []sdk.Reader{r}})
	for i := range 5 {
		tel.Counts().Counted(cell("", fmt.Sprintf("c%d", i), "gmail", observation.Sent, ""))
	}
	collect(t, r, CampaignRecipients)
	want := map[string]float64{
		"campaign=c0,outcome=sent,tenant=": 1, "campaign=c1,outcome=sent,tenant=": 1, "campaign=(other),outcome=sent,tenant=": 3,
	}
	if diff := cmp.Diff(want, collect(t, r, CampaignRecipients)); diff != "" {
		t.Error(diff)
	}
}

func TestAPlaceIsKeptForADayAndThenGoesToTheLarger(t *testing.T) {
	r := sdk.NewManualReader()
	tel, clock := start(t, Options{MaxCampaigns: 2, Readers: []sdk.Reader{r}})
	counts := tel.Counts()
	counts.Counted(cell("", "small", "gmail", observation.Sent, ""))
	counts.Counted(cell("", "steady", "gmail", observation.Sent, ""))
	ranking := []observation.Campaign{{Name: "large"}, {Name: "steady"}}
	names := func() []string {
		var names []string
		for _, c := range []string{"small", "steady", "large"} {
			if _, n, ok := tel.CampaignName(observation.Campaign{Name: c}); ok {
				names = append(names, n)
			}
		}
		return names
	}
	clock.t = clock.t.Add(23 * time.Hour)
	tel.Rebalance(ranking, nil)
	if got := names(); !slices.Equal(got, []string{"small", "steady"}) {
		t.Fatalf("within a day the places went to %v", got)
	}
	clock.t = clock.t.Add(2 * time.Hour)
	tel.Rebalance(ranking, nil)
	if got := names(); !slices.Equal(got, []string{"steady", "large"}) {
		t.Fatalf("after a day the places are held by %v", got)
	}
	if got := collect(t, r, CampaignRecipients); len(got) != 1 {
		t.Errorf("the series of the campaign that lost its place is still there: %v", got)
	}
}

func TestAProviderThatBecameSmallLosesItsPlace(t *testing.T) {
	r := sdk.NewManualReader()
	tel, clock := start(t, Options{MaxCampaigns: 2, MaxProviders: 2, CampaignByProvider: true, Readers: []sdk.Reader{r}})
	for _, p := range []string{"small", "steady", "large"} {
		tel.Counts().Counted(cell("", "a", p, observation.HardBounced, "bad_mailbox"))
	}
	ranking := []string{observation.OtherProvider, "large", "steady", "small"}
	exported := func() (names []string) {
		for _, p := range []string{"small", "steady", "large"} {
			if name, ok := tel.ProviderName(p); ok {
				names = append(names, name)
			}
		}
		return names
	}
	clock.t = clock.t.Add(23 * time.Hour)
	tel.Rebalance(nil, ranking)
	if got := exported(); !slices.Equal(got, []string{"small", "steady"}) {
		t.Fatalf("within a day the places went to %v", got)
	}
	clock.t = clock.t.Add(2 * time.Hour)
	tel.Rebalance(nil, ranking)
	if got := exported(); !slices.Equal(got, []string{"steady", "large"}) {
		t.Fatalf("after a day the places are held by %v", got)
	}
	for _, name := range []string{ProviderRecipients, ProviderFailures, CampaignProviderRecipients} {
		for series := range collect(t, r, name) {
			if strings.Contains(series, "provider=small") {
				t.Errorf("%s still has the provider that lost its place: %s", name, series)
			}
		}
	}
}

func TestGaugesShowWhatTheyAreBoundTo(t *testing.T) {
	r := sdk.NewManualReader()
	tel, _ := start(t, Options{Readers: []sdk.Reader{r}})
	tel.Bind(DedupeHorizon, func(emit Emit) {
		emit(3600, "routine")
		emit(7200, "exceptional")
	})
	want := map[string]float64{"class=routine": 3600, "class=exceptional": 7200}
	if diff := cmp.Diff(want, collect(t, r, DedupeHorizon)); diff != "" {
		t.Error(diff)
	}
}

func TestProvidersBeyondTwentyAreOther(t *testing.T) {
	r := sdk.NewManualReader()
	tel, _ := start(t, Options{Readers: []sdk.Reader{r}})
	for i := range 25 {
		tel.Counts().Counted(cell("", "a", fmt.Sprintf("p%02d", i), observation.HardBounced, "bad_mailbox"))
	}
	collect(t, r, ProviderFailures)
	got := collect(t, r, ProviderFailures)
	if len(got) != 21 || got["outcome=hard_bounced,provider=other,reason=bad_mailbox"] != 5 {
		t.Errorf("got %d series: %v", len(got), got)
	}
}

func TestEveryInstrumentFitsItsTable(t *testing.T) {
	seen := make(map[string]bool)
	for _, i := range Instruments() {
		if seen[i.Name] {
			t.Errorf("%s stands in the table twice", i.Name)
		}
		seen[i.Name] = true
		if len(i.Attributes) > maxAttributes && i.Kind != Gauge || i.Unit == "" && i.Kind != Gauge || i.Description == "" {
			t.Errorf("%s is incomplete: %+v", i.Name, i)
		}
		if (i.Kind == Histogram) != (i.Buckets != nil) {
			t.Errorf("%s: only histograms have buckets", i.Name)
		}
	}
}

func TestDocumentIsCurrent(t *testing.T) {
	got, err := Document()
	if err != nil {
		t.Fatal(err)
	}
	const path = "../../docs/metrics.md"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/metrics.md is not current, run make generate:\n%s", diff)
	}
}

func TestPushesOnlyWhenAsked(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"OTEL_METRICS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, false},
		{map[string]string{"OTEL_METRICS_EXPORTER": "prometheus"}, false},
		{map[string]string{"OTEL_METRICS_EXPORTER": "otlp"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, true},
	} {
		if got := pushes(func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("pushes(%v) = %v", c.env, got)
		}
	}
}

// TestPushesByOTLP takes what is pushed at a stop, as the variables of the environment ask for it.
func TestPushesByOTLP(t *testing.T) {
	pushed := make(chan []byte, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/metrics" || r.Header.Get("X-Key") != "k" {
			t.Errorf("pushed to %s with header %q: %v", r.URL, r.Header.Get("X-Key"), err)
		}
		pushed <- body
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=k")
	t.Setenv("OTEL_SERVICE_NAME", "mail-of-acme")
	tel, err := New(t.Context(), Options{OTLP: true, Env: os.Getenv, Now: time.Now, MaxCampaigns: 5})
	if err != nil {
		t.Fatal(err)
	}
	if tel.Handler() != nil {
		t.Error("there is a handler for scrapes that were not asked for")
	}
	tel.Counts().Counted(cell("acme", "spring-sale", "gmail", observation.Sent, ""))
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	body := string(<-pushed)
	for _, want := range []string{"mailvane.campaign.recipients", "spring-sale", "mail-of-acme"} {
		if !strings.Contains(body, want) {
			t.Errorf("what was pushed holds no %q", want)
		}
	}
}

func BenchmarkCounted(b *testing.B) {
	tel, err := New(b.Context(), Options{Prometheus: true, Env: noEnv, Now: time.Now, MaxCampaigns: 500})
	if err != nil {
		b.Fatal(err)
	}
	counts := tel.Counts()
	c := cell("acme", "spring-sale", "gmail", observation.Sent, "")
	b.ReportAllocs()
	for b.Loop() {
		counts.Counted(c)
	}
}

func BenchmarkScrape10000Series(b *testing.B) {
	tel, err := New(b.Context(), Options{Prometheus: true, Env: noEnv, Now: time.Now, MaxCampaigns: 600})
	if err != nil {
		b.Fatal(err)
	}
	counts := tel.Counts()
	for i := range 600 {
		for _, o := range observation.Outcomes() {
			counts.Counted(cell("acme", fmt.Sprintf("campaign-%d", i), "gmail", o, ""))
		}
	}
	h := tel.Handler()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
