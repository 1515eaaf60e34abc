package sqs

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of standard queues (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html).
const (
	// MaxMessageBytes is the largest message, and the largest sum of a batch.
	MaxMessageBytes = 1 << 20
	// MaxInFlight is how many messages may be received and not yet deleted.
	MaxInFlight = 120_000
	maxBatch    = 10
	maxWait     = 20
	// maxVisibility is 12 hours, counted from the receive.
	maxVisibility = 43_200
)

// QueueOptions says how a queue behaves. The zero value is a queue with SQS's defaults that delivers in order and once.
type QueueOptions struct {
	// Region is the region that requests must be signed for; the server's when empty.
	Region string
	// VisibilityTimeout is 30 s when 0; Retention is 4 days when 0.
	VisibilityTimeout, Retention time.Duration
	// WaitTime is the wait of a receive that names none.
	WaitTime time.Duration
	// MaxInFlight is 120,000 when 0.
	MaxInFlight int
	// DeadLetterQueue is the name of the queue that takes what was received MaxReceiveCount times already.
	DeadLetterQueue string
	MaxReceiveCount int
	// Duplicates is the share of deliveries, 0 to 1, after which the message is delivered once more although it was
	// deleted.
	Duplicates float64
	// Shuffle is how many of the oldest messages a receive picks from at random; below 2 the oldest comes first.
	Shuffle int
	// OmitMD5 leaves MD5OfBody out, which costs as much as the rest of an answer. Clients accept that.
	OmitMD5 bool
}

// Source makes messages on demand: it appends the next body to dst and returns the extended slice, or false when there is
// none left. Bodies must be valid UTF-8.
type Source func(dst []byte) (body []byte, ok bool)

// Queue is one standard queue.
type Queue struct {
	server     *Server
	name, arn  string
	options    QueueOptions
	mu         sync.Mutex
	rand       *rand.Rand
	ready      []*message
	head       int
	inFlight   map[uint64]*message
	due        dueHeap
	source     Source
	sourceLeft int
	// drawn and quoted are room for the body that is being made.
	drawn, quoted []byte
	lastSeq       uint64
	handleKey     uint64
	waiters       []chan struct{}
	received      int64
	deleted       int64
	deadLettered  int64
}

// message is one copy of a message: a duplicate has the same id and its own seq.
type message struct {
	seq uint64
	id  string
	// body is the JSON string literal, made once for all deliveries.
	body            string
	md5             string
	sentAt          time.Time
	firstReceived   time.Time
	receives        int
	visibleAt       time.Time
	receivedAt      time.Time
	deadLetterOf    string
	index           int
	duplicateIsMade bool
}

// Stats is what a queue holds and did.
type Stats struct {
	// Visible counts messages that can be received, those of a Source included; InFlight those received and not deleted.
	Visible, InFlight int
	// Received counts deliveries, Deleted messages that were really deleted, DeadLettered those moved away.
	Received, Deleted, DeadLettered int64
}

// Stats returns what the queue holds now.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expire(q.server.now())
	return Stats{Visible: q.visible(), InFlight: len(q.inFlight), Received: q.received, Deleted: q.deleted,
		DeadLettered: q.deadLettered}
}

// Send puts messages into the queue.
func (q *Queue) Send(bodies ...string) error {
	for _, body := range bodies {
		if _, e := q.send(body); e != nil {
			return e
		}
	}
	return nil
}

// Fill lets the queue draw messages from source when what was sent is used up. Left is how many source will make, for the
// queue's attributes. It replaces an earlier source.
func (q *Queue) Fill(source Source, left int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.source, q.sourceLeft = source, left
	q.wake(left)
}

// Draw makes all messages of the source at once, so that later a receive costs no more than it must.
func (q *Queue) Draw() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.source != nil && q.draw() {
	}
}

// ARN returns the queue's ARN.
func (q *Queue) ARN() string { return q.arn }

// visible counts what could be received. The lock is held.
func (q *Queue) visible() int {
	n := len(q.ready) - q.head
	if q.source != nil {
		n += q.sourceLeft
	}
	return n
}

// send checks and stores one body, and returns its message id.
func (q *Queue) send(body string) (id string, e *apiError) {
	switch {
	case body == "":
		return "", errorf("MissingParameter", "The request must contain the parameter MessageBody.")
	case len(body) > MaxMessageBytes:
		return "", errorf("InvalidParameterValue",
			"One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", MaxMessageBytes)
	case !allowedText(body):
		return "", newError("InvalidMessageContents")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.newMessage([]byte(body))
	q.ready = append(q.ready, m)
	q.wake(1)
	return m.id, nil
}

// allowedText says whether SQS takes the text: valid characters of XML 1.0.
func allowedText(s string) bool {
	for _, r := range s {
		switch {
		case r == '\t', r == '\n', r == '\r':
		case r < 0x20, r == 0xFFFE, r == 0xFFFF:
			return false
		}
	}
	return strings.ToValidUTF8(s, "") == s
}

// newMessage makes a message sent now. The lock is held.
func (q *Queue) newMessage(body []byte) *message {
	m := &message{seq: q.nextSeq(), sentAt: q.server.now(), index: -1}
	m.id = fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", q.rand.Uint32(), q.rand.Uint32N(1<<16), q.rand.Uint32N(1<<12),
		q.rand.Uint32N(1<<12), q.rand.Uint64N(1<<48))
	if !q.options.OmitMD5 {
		m.md5 = hexMD5(body)
	}
	// The only error is invalid UTF-8, which send refuses and a Source promises not to make.
	q.quoted, _ = jsontext.AppendQuote(q.quoted[:0], body)
	m.body = string(q.quoted)
	return m
}

func (q *Queue) nextSeq() uint64 {
	q.lastSeq++
	return q.lastSeq
}

// take receives up to n messages, as they are now; full says that the limit of messages in flight kept it from giving
// more. What has to go to the dead-letter queue is returned apart. The lock is held.
func (q *Queue) take(n int, visibility time.Duration) (got []message, dead []*message, full bool) {
	now := q.server.now()
	q.expire(now)
	for len(got) < n {
		if len(q.inFlight) >= q.options.MaxInFlight {
			return got, dead, true
		}
		m := q.next()
		if m == nil {
			break
		}
		if now.Sub(m.sentAt) >= q.options.Retention {
			continue
		}
		if q.options.DeadLetterQueue != "" && m.receives >= q.options.MaxReceiveCount {
			q.deadLettered++
			dead = append(dead, m)
			continue
		}
		m.receives++
		if m.firstReceived.IsZero() {
			m.firstReceived = now
		}
		m.receivedAt, m.visibleAt = now, now.Add(visibility)
		q.inFlight[m.seq] = m
		heap.Push(&q.due, m)
		q.received++
		got = append(got, *m)
		if !m.duplicateIsMade && q.options.Duplicates > 0 && q.rand.Float64() < q.options.Duplicates {
			m.duplicateIsMade = true
			twin := *m
			twin.seq, twin.index = q.nextSeq(), -1
			q.ready = append(q.ready, &twin)
		}
	}
	return got, dead, false
}

// next removes a message that can be received, nil when there is none. The lock is held.
func (q *Queue) next() *message {
	for len(q.ready)-q.head < max(q.options.Shuffle, 1) && q.source != nil {
		if !q.draw() {
			break
		}
	}
	waiting := len(q.ready) - q.head
	if waiting == 0 {
		return nil
	}
	if window := min(waiting, q.options.Shuffle); window > 1 {
		other := q.head + q.rand.IntN(window)
		q.ready[q.head], q.ready[other] = q.ready[other], q.ready[q.head]
	}
	m := q.ready[q.head]
	q.ready[q.head] = nil
	q.head++
	if q.head == len(q.ready) {
		q.ready, q.head = q.ready[:0], 0
	} else if q.head > 1024 && q.head > len(q.ready)/2 {
		q.ready = q.ready[:copy(q.ready, q.ready[q.head:])]
		q.head = 0
	}
	return m
}

// draw takes one message from the source. The lock is held.
func (q *Queue) draw() bool {
	body, ok := q.source(q.drawn[:0])
	if !ok {
		q.source, q.sourceLeft = nil, 0
		return false
	}
	q.drawn, q.sourceLeft = body, max(q.sourceLeft-1, 0)
	q.ready = append(q.ready, q.newMessage(body))
	return true
}

// expire makes messages visible again whose visibility timeout is over. The lock is held.
func (q *Queue) expire(now time.Time) {
	for len(q.due) > 0 && !q.due[0].visibleAt.After(now) {
		m := heap.Pop(&q.due).(*message)
		delete(q.inFlight, m.seq)
		q.ready = append(q.ready, m)
		q.wake(1)
	}
}

// wait blocks until a message may have come, the timer of the next expiry or the deadline fires, or ctx ends.
func (q *Queue) wait(ctx context.Context, deadline <-chan time.Time) (again bool) {
	q.mu.Lock()
	if q.visible() > 0 && len(q.inFlight) < q.options.MaxInFlight {
		q.mu.Unlock()
		return true
	}
	woken := make(chan struct{})
	q.waiters = append(q.waiters, woken)
	var expiry <-chan time.Time
	if len(q.due) > 0 {
		timer := time.NewTimer(max(q.due[0].visibleAt.Sub(q.server.now()), time.Millisecond))
		defer timer.Stop()
		expiry = timer.C
	}
	q.mu.Unlock()
	select {
	case <-woken:
		return true
	case <-expiry:
		again = true
	case <-deadline:
	case <-ctx.Done():
	case <-q.server.closing:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiters {
		if w == woken {
			q.waiters = append(q.waiters[:i], q.waiters[i+1:]...)
			return again
		}
	}
	// It was woken at the same moment: the message that it was woken for is another waiter's.
	q.wake(1)
	return again
}

// wake lets up to n waiting receives look again. The lock is held.
func (q *Queue) wake(n int) {
	for n > 0 && len(q.waiters) > 0 {
		close(q.waiters[0])
		q.waiters = q.waiters[1:]
		n--
	}
}

// remove deletes by receipt handle. As documented for DeleteMessage, a handle of an earlier receive succeeds and deletes
// nothing; so does one of a message that is gone.
func (q *Queue) remove(handle string) *apiError {
	seq, receive, ok := q.parseHandle(handle)
	if !ok {
		return newError("ReceiptHandleIsInvalid")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if m := q.inFlight[seq]; m != nil {
		if m.receives == receive {
			heap.Remove(&q.due, m.index)
			delete(q.inFlight, seq)
			q.deleted++
		}
		return nil
	}
	// A handle is good until its message is received again, even when the visibility timeout is over.
	for i := q.head; i < len(q.ready); i++ {
		if m := q.ready[i]; m.seq == seq && m.receives == receive {
			q.ready = append(q.ready[:i], q.ready[i+1:]...)
			q.deleted++
			break
		}
	}
	return nil
}

// changeVisibility sets when a received message becomes visible again, counted from now.
func (q *Queue) changeVisibility(handle string, timeout time.Duration) *apiError {
	seq, receive, ok := q.parseHandle(handle)
	if !ok {
		return newError("ReceiptHandleIsInvalid")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.server.now()
	q.expire(now)
	m := q.inFlight[seq]
	if m == nil || m.receives != receive {
		return newError("MessageNotInflight")
	}
	if now.Add(timeout).Sub(m.receivedAt) > maxVisibility*time.Second {
		return errorf("InvalidParameterValue", "Value %d for parameter VisibilityTimeout is invalid. "+
			"Reason: Total VisibilityTimeout for the message is beyond the limit [%d seconds].",
			int(timeout.Seconds()), maxVisibility)
	}
	m.visibleAt = now.Add(timeout)
	heap.Fix(&q.due, m.index)
	q.expire(now)
	// Waiting receives have set their timers by the earlier times.
	q.wake(len(q.waiters))
	return nil
}

// takeDead stores a message that another queue gave up. It keeps the time at which it was first sent.
func (q *Queue) takeDead(m *message, from string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	moved := *m
	moved.seq, moved.index, moved.receives, moved.deadLetterOf = q.nextSeq(), -1, 0, from
	moved.firstReceived = time.Time{}
	q.ready = append(q.ready, &moved)
	q.wake(1)
}
