package telemetry

import (
	"log/slog"

	"go.opentelemetry.io/otel"
)

// LogErrors writes to log what goes wrong behind the exporters, such as a push that nobody takes. OpenTelemetry knows one place
// for that in a process, and without it writes to standard error in a form of its own: so it is the program that calls this, once.
func LogErrors(log *slog.Logger) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("metrics not exported", "err", err)
	}))
}
