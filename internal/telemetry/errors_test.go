package telemetry

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
)

// TestLogErrors: a push that fails is a line of the program's log, in the form that was asked for.
func TestLogErrors(t *testing.T) {
	var b bytes.Buffer
	LogErrors(slog.New(slog.NewJSONHandler(&b, nil)))
	t.Cleanup(func() { LogErrors(slog.New(slog.DiscardHandler)) })
	otel.Handle(errors.New("connection refused"))
	if line := b.String(); !strings.Contains(line, `"level":"WARN","msg":"metrics not exported","err":"connection refused"`) {
		t.Errorf("the log has %q", line)
	}
}
