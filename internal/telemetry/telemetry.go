package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/mailvane/mailvane/internal/observation"
)

// Options say what is exported and how.
type Options struct {
	// Prometheus serves a scrape handler; OTLP pushes where the OTEL_* variables of Env say, if they name anything.
	Prometheus, OTLP bool
	// Env looks up an environment variable; only what decides whether to push is read through it, the exporter reads
	// the environment itself.
	Env func(string) string
	// MaxCampaigns is how many campaigns are exported under their names; MaxProviders likewise.
	MaxCampaigns, MaxProviders int
	// CampaignByProvider exports campaign counts by provider too.
	CampaignByProvider bool
	Version            string
	Now                func() time.Time
	// Readers are further readers, for tests.
	Readers []sdk.Reader
}

// maxProviders is how many providers are exported under their names.
const maxProviders = 20

// Telemetry holds every instrument.
type Telemetry struct {
	now        func() time.Time
	byProvider bool
	providers  []*sdk.MeterProvider
	registry   *prometheus.Registry

	counters   map[string]*counter
	gauges     map[string]*gauge
	histograms map[string]*histogram

	campaignSlots, providerSlots *slots
	receiptRules                 receiptRules
	// The counters that every event touches, found once.
	campaignRecipients, campaignProvider, providerRecipients, providerFailures *counter
	receiptEvents                                                              *counter
}

// New makes the instruments and their readers.
func New(ctx context.Context, o Options) (*Telemetry, error) {
	if o.MaxProviders == 0 {
		o.MaxProviders = maxProviders
	}
	t := &Telemetry{
		now:           o.Now,
		byProvider:    o.CampaignByProvider,
		counters:      make(map[string]*counter),
		gauges:        make(map[string]*gauge),
		histograms:    make(map[string]*histogram),
		campaignSlots: newSlots(o.MaxCampaigns, otherName),
		providerSlots: newSlots(o.MaxProviders, name{name: observation.OtherProvider}),
		receiptRules:  receiptRules{known: make(map[observation.ReceiptRule]observation.ReceiptRule)},
	}
	readers, err := t.readers(ctx, o)
	if err != nil {
		return nil, err
	}
	res, err := resource.Merge(resource.NewSchemaless(
		attribute.String("service.name", "mailvane"),
		attribute.String("service.version", o.Version),
	), resource.Environment())
	if err != nil {
		return nil, fmt.Errorf("describe this service to OpenTelemetry: %w", err)
	}
	for _, r := range readers {
		t.providers = append(t.providers, sdk.NewMeterProvider(
			sdk.WithReader(r), sdk.WithResource(res), sdk.WithCardinalityLimit(cardinality(o))))
	}
	if err := t.register(); err != nil {
		return nil, err
	}
	t.campaignRecipients = t.counters[CampaignRecipients]
	t.campaignProvider = t.counters[CampaignProviderRecipients]
	t.providerRecipients = t.counters[ProviderRecipients]
	t.providerFailures = t.counters[ProviderFailures]
	t.receiptEvents = t.counters[ReceiptEvents]
	return t, nil
}

// cardinality is the number of series that the largest instrument can have, so that OpenTelemetry's own limit, which
// would fold series at random, is never met: campaigns are chosen by slots.
func cardinality(o Options) int {
	per := 4 * observation.OutcomeCount
	if o.CampaignByProvider {
		per = (o.MaxProviders + 1) * observation.OutcomeCount
	}
	return max(MaxGmailDomains*MaxGmailIdentifiers+1, (o.MaxCampaigns+2)*per)
}

// readers makes one reader for each way out.
func (t *Telemetry) readers(ctx context.Context, o Options) ([]sdk.Reader, error) {
	readers := o.Readers
	if o.Prometheus {
		t.registry = prometheus.NewRegistry()
		t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry), otelprometheus.WithoutScopeInfo())
		if err != nil {
			return nil, fmt.Errorf("make the Prometheus exporter: %w", err)
		}
		readers = append(readers, exporter)
	}
	if o.OTLP && pushes(o.Env) {
		reader, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return nil, fmt.Errorf("make the exporter that the OTEL_* variables ask for: %w", err)
		}
		if !autoexport.IsNoneMetricReader(reader) {
			readers = append(readers, reader)
		}
	}
	return readers, nil
}

// pushes says whether the environment asks for a push. The exporter's own default, a collector on this machine, is not
// taken without being asked for; "prometheus" is served by Handler instead of a server of the exporter's.
func pushes(env func(string) string) bool {
	switch env("OTEL_METRICS_EXPORTER") {
	case "none", "prometheus":
		return false
	case "":
		return env("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") != ""
	default:
		return true
	}
}

// register creates every instrument of the table with every reader's provider.
func (t *Telemetry) register() error {
	var errs []error
	for _, i := range Instruments() {
		switch i.Kind {
		case Counter:
			t.counters[i.Name] = newCounter(i)
		case Gauge:
			t.gauges[i.Name] = &gauge{Instrument: i}
		case Histogram:
			t.histograms[i.Name] = &histogram{Instrument: i, sets: make(map[values]metric.MeasurementOption)}
		}
		for reader, p := range t.providers {
			errs = append(errs, t.create(p.Meter("github.com/mailvane/mailvane"), reader, i))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("create instruments: %w", err)
	}
	return nil
}

func (t *Telemetry) create(m metric.Meter, reader int, i Instrument) error {
	switch i.Kind {
	case Counter:
		c := t.counters[i.Name]
		_, err := m.Int64ObservableCounter(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description),
			metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				c.observe(reader, o)
				return nil
			}))
		return err
	case Gauge:
		g := t.gauges[i.Name]
		_, err := m.Float64ObservableGauge(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description),
			metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
				g.observe(o)
				return nil
			}))
		return err
	default:
		h, err := m.Float64Histogram(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description),
			metric.WithExplicitBucketBoundaries(i.Buckets...))
		t.histograms[i.Name].each = append(t.histograms[i.Name].each, h)
		return err
	}
}

// Add counts n on a counter of the table. Attribute values come in the table's order.
func (t *Telemetry) Add(name string, n int64, attributes ...string) {
	c := t.counters[name]
	c.add(n, valuesOf(&c.Instrument, attributes), len(t.providers))
}

// Record records a value on a histogram of the table.
func (t *Telemetry) Record(name string, value float64, attributes ...string) {
	h := t.histograms[name]
	h.record(value, valuesOf(&h.Instrument, attributes))
}

// Bind says what a gauge of the table is read from at each collection; read must not keep emit.
func (t *Telemetry) Bind(name string, read func(emit Emit)) {
	t.gauges[name].read.Store(&read)
}

// Observe says from where a counter of the table takes its totals, which never fall, instead of from Add.
func (t *Telemetry) Observe(name string, read func(observe Observe)) {
	t.counters[name].read.Store(&read)
}

// check holds that there is a value for each attribute.
func (i *Instrument) check(attributes []string) {
	if len(attributes) != len(i.Attributes) {
		panic(fmt.Sprintf("telemetry: %s takes %d attributes, got %d", i.Name, len(i.Attributes), len(attributes)))
	}
}

func valuesOf(i *Instrument, attributes []string) values {
	i.check(attributes)
	var v values
	copy(v[:], attributes)
	return v
}

// Handler serves the metrics to Prometheus; nil when that is switched off.
func (t *Telemetry) Handler() http.Handler {
	if t.registry == nil {
		return nil
	}
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{
		Registry: t.registry, MaxRequestsInFlight: 4, Timeout: 30 * time.Second,
	})
}

// Shutdown pushes what is left and stops the readers.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var errs []error
	for _, p := range t.providers {
		errs = append(errs, p.Shutdown(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop exporting metrics: %w", err)
	}
	return nil
}
