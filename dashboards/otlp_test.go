package dashboards_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/telemetry"
)

// TestPushedIsScraped holds that boards and rules need not know how metrics came to Prometheus: every metric of the table, when
// it is pushed by OTLP and named as Prometheus's receiver names it, has the name, the kind and the labels that it has when it
// is scraped.
func TestPushedIsScraped(t *testing.T) {
	received := make(chan []byte, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		received <- body
	}))
	defer receiver.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	tel, err := telemetry.New(t.Context(), telemetry.Options{
		Prometheus: true, OTLP: true, Env: os.Getenv, Now: time.Now, MaxCampaigns: 5, MaxProviders: 5, CampaignByProvider: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	fill(tel)
	scraped := scrape(t, tel.Handler())
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	pushed := translate(t, <-received)
	if diff := cmp.Diff(scraped, pushed); diff != "" {
		t.Errorf("what is pushed is not what is scraped (-scraped +pushed):\n%s", diff)
	}
	for _, i := range telemetry.Instruments() {
		if name, err := telemetry.PrometheusName(i); err != nil || scraped[name] == "" {
			t.Errorf("%s was not compared: %v", i.Name, err)
		}
	}
}

// fill gives every instrument of the table a value.
func fill(tel *telemetry.Telemetry) {
	cell := &ledger.Cell{
		Campaign: observation.Campaign{Tenant: "acme", Name: "spring-sale"}, Provider: "gmail", Outcome: observation.HardBounced, Reason: "bad_mailbox",
	}
	tel.Counts().Counted(cell)
	tel.KnowReceiptRule(observation.ReceiptRule{Account: "1", Region: "r", RuleSet: "s", Rule: "n"})
	for _, i := range telemetry.Instruments() {
		attributes := make([]string, len(i.Attributes))
		for n := range attributes {
			attributes[n] = "x"
		}
		switch i.Kind {
		case telemetry.Gauge:
			tel.Bind(i.Name, func(emit telemetry.Emit) { emit(1, attributes...) })
		case telemetry.Histogram:
			tel.Record(i.Name, 1, attributes...)
		case telemetry.Counter:
			tel.Add(i.Name, 1, attributes...)
		}
	}
}

// labelled says what kind of metric it is and which labels it has, without those of the scope.
func labelled(kind string, labels []string) string {
	labels = slices.DeleteFunc(labels, func(l string) bool { return strings.HasPrefix(l, "otel_scope_") })
	slices.Sort(labels)
	return kind + " " + strings.Join(labels, ",")
}

// scrape reads what Prometheus would.
func scrape(t *testing.T, h http.Handler) map[string]string {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for name, f := range families {
		if !strings.HasPrefix(name, "mailvane_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		found[name] = labelled(strings.ToLower(f.GetType().String()), labels)
	}
	return found
}

// translate names what was pushed as Prometheus's receiver does by default.
func translate(t *testing.T, body []byte) map[string]string {
	t.Helper()
	var data metricspb.MetricsData // on the wire this is the request
	if err := proto.Unmarshal(body, &data); err != nil {
		t.Fatal(err)
	}
	metrics := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	found := map[string]string{}
	for _, r := range data.GetResourceMetrics() {
		for _, scope := range r.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				var kind string
				var of otlptranslator.MetricType
				attributes := map[string]bool{}
				switch d := m.GetData().(type) {
				case *metricspb.Metric_Gauge:
					kind, of = "gauge", otlptranslator.MetricTypeGauge
					labelNames(t, attributes, d.Gauge.GetDataPoints()[0].GetAttributes())
				case *metricspb.Metric_Sum:
					kind, of = "counter", otlptranslator.MetricTypeMonotonicCounter
					labelNames(t, attributes, d.Sum.GetDataPoints()[0].GetAttributes())
				case *metricspb.Metric_Histogram:
					kind, of = "histogram", otlptranslator.MetricTypeHistogram
					labelNames(t, attributes, d.Histogram.GetDataPoints()[0].GetAttributes())
				}
				name, err := metrics.Build(otlptranslator.Metric{Name: m.GetName(), Unit: m.GetUnit(), Type: of})
				if err != nil {
					t.Fatal(err)
				}
				found[name] = labelled(kind, slices.Collect(maps.Keys(attributes)))
			}
		}
	}
	return found
}

func labelNames(t *testing.T, into map[string]bool, attributes []*commonpb.KeyValue) {
	t.Helper()
	labels := otlptranslator.LabelNamer{}
	for _, a := range attributes {
		name, err := labels.Build(a.GetKey())
		if err != nil {
			t.Fatal(err)
		}
		into[name] = true
	}
}
