package ses

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/semaphore"
)

const (
	// maxAnswer is the longest answer to a receive that can be honest: ten messages of 1 MiB, the most that SQS takes,
	// each of whose bytes JSON may have escaped to three (two bytes of UTF-8 as \u00e9), and room for receipt handles.
	maxAnswer = 10*3<<20 + 1<<20
	// maxOtherAnswer bounds errors and the answers to all other calls.
	maxOtherAnswer = 256 << 10
)

// Budget bounds the memory of messages in flight, over all passes and queues that share it. An answer takes its length in
// bytes as it is on the wire, before its body is read, and gives it back when the pass ends. Decoding needs about as much
// again for a moment. A Budget may be used from several goroutines.
type Budget struct {
	free *semaphore.Weighted
	size int64
}

// NewBudget returns a Budget of size bytes. One that could not hold the longest possible answer is made to hold it.
func NewBudget(size int64) *Budget {
	size = max(size, maxAnswer)
	return &Budget{free: semaphore.NewWeighted(size), size: size}
}

// tooLargeError is an answer that is longer than SQS can mean it.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the answer is longer than %d bytes", e.limit)
}

// RetryableError tells the SDK that asking again will not help.
func (e *tooLargeError) RetryableError() bool { return false }

// noRoomError is an answer that was not read because the Budget stayed used up.
type noRoomError struct{ waited time.Duration }

func (e *noRoomError) Error() string {
	return fmt.Sprintf("no memory was free for the messages within %s", e.waited)
}

// RetryableError tells the SDK that asking again would only bring more.
func (e *noRoomError) RetryableError() bool { return false }

// reservation is the HTTP client of one receive: it reserves what the answer needs. It belongs to one goroutine.
type reservation struct {
	budget *Budget
	client sqs.HTTPClient
	now    func() time.Time
	// patience is how long an answer waits for memory. Its messages are invisible meanwhile, for no use.
	patience time.Duration
	// answer takes the messages out of what comes.
	answer *answer

	held int64
	// answered is when the newest answer began: its messages have been invisible since shortly before.
	answered time.Time
}

// Do sends the request and reserves the answer's length before anything reads its body.
func (r *reservation) Do(request *http.Request) (*http.Response, error) {
	r.release() // of an attempt that the SDK gave up
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	r.answered = r.now()
	if response.StatusCode != http.StatusOK {
		return limit(response), nil
	}
	if err := r.reserve(request.Context(), response); err != nil {
		return nil, errors.Join(err, response.Body.Close())
	}
	return response, nil
}

// reserve reserves the answer's length. One that is not told is found out by reading within a reservation of the maximum.
func (r *reservation) reserve(ctx context.Context, response *http.Response) error {
	length := response.ContentLength
	if length > maxAnswer {
		return &tooLargeError{maxAnswer}
	}
	if length < 0 {
		length = maxAnswer
	}
	waiting, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	if err := r.budget.free.Acquire(waiting, length); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &noRoomError{r.patience}
	}
	r.held = length
	if response.ContentLength >= 0 {
		r.answer.take(response)
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return err
	}
	if int64(len(body)) > maxAnswer {
		return &tooLargeError{maxAnswer}
	}
	r.budget.free.Release(r.held - int64(len(body)))
	r.held = int64(len(body))
	response.Body = readCloser{bytes.NewReader(body), response.Body}
	return nil
}

// release gives back what is held; messages that were taken are gone with it.
func (r *reservation) release() {
	r.answer.reset()
	r.budget.free.Release(r.held)
	r.held = 0
}

// limited is an HTTP client whose answers are small.
type limited struct{ client sqs.HTTPClient }

// Do sends the request.
func (l limited) Do(request *http.Request) (*http.Response, error) {
	response, err := l.client.Do(request)
	if err != nil {
		return nil, err
	}
	return limit(response), nil
}

// limit makes the answer end early if it is too long to be honest.
func limit(response *http.Response) *http.Response {
	response.Body = readCloser{io.LimitReader(response.Body, maxOtherAnswer), response.Body}
	return response
}

type readCloser struct {
	io.Reader
	io.Closer
}
