package replay

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/intake"
)

// counter counts the events that it is given.
type counter int

var _ Sink = (*counter)(nil)

func (c *counter) Replay(_ context.Context, b collectors.Batch) (intake.Summary, error) {
	*c += counter(len(b.Events))
	return intake.Summary{}, nil
}

func TestStreamCountsWhatComesBeforeTheCut(t *testing.T) {
	event, err := os.ReadFile("../../testdata/ses/delivery.json")
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	for range 2 {
		if _, err := z.Write(event); err != nil {
			t.Fatal(err)
		}
		if err := z.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	file.Truncate(file.Len() - 2)
	var counted counter
	sum, err := Stream(t.Context(), &file, Options{Sink: &counted, Name: "saved.gz"})
	if !errors.Is(err, errCutOff) {
		t.Errorf("%v, want %v", err, errCutOff)
	}
	if counted == 0 || int(counted) != sum.Values {
		t.Errorf("%d of %d events were counted", counted, sum.Values)
	}
}
