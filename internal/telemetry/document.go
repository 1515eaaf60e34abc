package telemetry

import (
	"fmt"
	"strings"

	"github.com/prometheus/otlptranslator"
)

// Document renders the table as the page docs/metrics.md.
func Document() (string, error) {
	var b strings.Builder
	b.WriteString(`# Metrics

Every metric that Mailvane exports, under its OpenTelemetry name and under the name that Prometheus sees. Units are UCUM;
rates are 0 to 1. A figure that is not known is absent: it is never exported as 0.

Counters start at 0 with each process and grow only after what they count was committed; a new series is exported as 0
first. Campaigns beyond ` + "`campaigns.max_exported`" + ` and providers beyond 20 are exported as ` + "`(other)`" + ` and ` + "`other`" + `.
Gauges of cohorts count mail by the time it was *sent*: to join several campaigns, sum recipients first, then divide.

Gmail is one to three days late. A gauge of its figures holds the newest day's value and disappears when that day is over
four days old; ` + "`mailvane.gmail.data.timestamp`" + ` stays and says how old it is. ` + "`source`" + ` is the version of the API,
` + "`postmaster/v2`" + ` or ` + "`postmaster/v1`" + `: their figures for one day differ and are never mixed. At most 500 domains and 100 identifiers of
each are exported, those with the highest rates; what is left out is counted in ` + "`mailvane.gmail.unexported`" + `.

Gauges of SES accounts disappear when SES or CloudWatch has not answered for three hours, those of receipt rules when CloudWatch
has not been read for half an hour. Up to 2,000 receipt rules are exported; what is left out is counted in
` + "`mailvane.receipt.unexported`" + `, and what it did is in ` + "`mailvane.receipt.events`" + ` as ` + "`(other)`" + `.

This page is made from the code by ` + "`make generate`" + `.

| OpenTelemetry | Prometheus | kind | unit | attributes | meaning |
|---|---|---|---|---|---|
`)
	for _, i := range Instruments() {
		prom, err := PrometheusName(i)
		if err != nil {
			return "", err
		}
		unit, attributes := "–", "–"
		if i.Unit != "" {
			unit = "`" + i.Unit + "`"
		}
		if len(i.Attributes) > 0 {
			attributes = "`" + strings.Join(i.Attributes, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s | %s |\n", i.Name, prom, i.Kind, unit, attributes, i.Description)
	}
	return b.String(), nil
}

// PrometheusName is the name under which the Prometheus exporter shows an instrument.
func PrometheusName(i Instrument) (string, error) {
	var kind otlptranslator.MetricType = otlptranslator.MetricTypeGauge
	switch i.Kind {
	case Counter:
		kind = otlptranslator.MetricTypeMonotonicCounter
	case Histogram:
		kind = otlptranslator.MetricTypeHistogram
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: i.Name, Unit: i.Unit, Type: kind})
	if err != nil {
		return "", fmt.Errorf("translate %s for Prometheus: %w", i.Name, err)
	}
	return name, nil
}
