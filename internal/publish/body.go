package publish

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/mailvane/mailvane/internal/report"
)

// maxJSON bounds a report before it is compressed: what a ledger took cannot become more in memory.
const maxJSON = 256 << 20

// encode writes a report as the ledger keeps it: its JSON, compressed.
func encode(r *report.Report) ([]byte, error) {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if err := report.JSON(z, r); err != nil {
		return nil, fmt.Errorf("write a report: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress a report: %w", err)
	}
	return body.Bytes(), nil
}

// decode reads what encode wrote.
func decode(body []byte) (*report.Report, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("uncompress a report: %w", err)
	}
	return report.Parse(io.LimitReader(z, maxJSON))
}
