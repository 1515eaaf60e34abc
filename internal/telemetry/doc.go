// Package telemetry exports what Mailvane knows as OpenTelemetry metrics: scraped by Prometheus, pushed by OTLP, or both.
//
// Every instrument stands in one table (Instruments), from which docs/metrics.md and the checks of boards and rules are
// made. Counts live in maps of this package and are handed to OpenTelemetry when somebody collects, because its own
// instruments cost several times as much per event and never forget a series. Each reader (scrape, push) has a meter
// provider of its own, so that each sees a new series at 0 before it sees it grow.
//
// All methods are safe for concurrent use. The composition root binds the gauges to what they show.
package telemetry
