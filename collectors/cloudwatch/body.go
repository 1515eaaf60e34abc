package cloudwatch

import (
	"fmt"
	"io"
)

// maxAnswer is the longest answer that can be honest: a page of GetMetricData holds 100,800 points of about 20 bytes and
// 500 labels.
const maxAnswer = 8 << 20

// boundedBody fails when more is read from it than an answer can hold.
type boundedBody struct {
	body io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, &tooLargeError{maxAnswer}
	}
	n, err := b.body.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// Close implements io.Closer.
func (b *boundedBody) Close() error { return b.body.Close() }

// tooLargeError is an answer that is longer than the service can mean it.
type tooLargeError struct{ limit int }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the answer is longer than %d bytes", e.limit)
}

// RetryableError tells the SDK that asking again will not help.
func (e *tooLargeError) RetryableError() bool { return false }
