package simulator

import (
	"iter"
	"math/rand/v2"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// History renders the events of [from, to) as SES publishes them, one a line without its end, and counts them as handed
// out. A line is valid until the next. Opens and clicks, which do not say their region themselves, are in the envelope of
// EventBridge, which does: no queue says it here.
func (s *Simulator) History(from, to time.Time) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		stream, renderer := s.model.Stream(from, to), traffic.NewRenderer()
		var line []byte
		for e, ok := stream.Next(); ok; e, ok = stream.Next() {
			envelope := traffic.Raw
			if e.Type == observation.EventOpen || e.Type == observation.EventClick {
				envelope = traffic.EventBridge
			}
			line = renderer.Append(line[:0], &e, envelope)
			s.truth.Add(&e)
			if !yield(line) {
				return
			}
		}
	}
}

// farFuture is when a feed ends by itself.
const farFuture = 10 * 365 * 24 * time.Hour

// Feed starts to publish the events that happen from from on, each when its time has come. It runs until Close.
func (s *Simulator) Feed(from time.Time) {
	s.joined.Go(func() {
		stream, renderer := s.model.Stream(from, from.Add(farFuture)), traffic.NewRenderer()
		timer := time.NewTimer(0)
		defer timer.Stop()
		var body []byte
		for e, ok := stream.Next(); ok; e, ok = stream.Next() {
			for wait := e.At.Sub(s.now()); wait > 0; wait = e.At.Sub(s.now()) {
				timer.Reset(wait)
				select {
				case <-timer.C:
				case <-s.stop:
					return
				}
			}
			select {
			case <-s.stop:
				return
			default:
			}
			body = s.publish(&e, renderer, body)
		}
	})
}

// publish sends an event to its queue. Room is a buffer, which is returned.
func (s *Simulator) publish(e *traffic.Event, renderer *traffic.Renderer, room []byte) []byte {
	q := s.route(e)
	if q == nil {
		return room
	}
	room = renderer.Append(room[:0], e, q.Envelope)
	// Counted first, so that nobody can have counted more than the truth.
	s.truth.Add(e)
	if err := s.sqs.Queue(q.Name).Send(string(room)); err != nil {
		panic(err) // no story makes events that SQS refuses
	}
	return room
}

// route finds the queue that takes an event, nil when there is none.
func (s *Simulator) route(e *traffic.Event) *Queue {
	var otherwise *Queue
	for i := range s.options.Queues {
		q := &s.options.Queues[i]
		region := q.Region
		if region == "" {
			region = "us-east-1"
		}
		switch {
		case !q.AllRegions && region != e.Mail.Send.Campaign.Region:
		case q.Identity == e.Twin:
			return q
		case !q.Identity && otherwise == nil:
			otherwise = q
		}
	}
	return otherwise
}

// repeatAfter is how many messages later a duplicate comes.
const repeatAfter = 100

// source makes the messages of a queue's prefill.
func (s *Simulator) source(q *Queue) sqs.Source {
	p := *q.Prefill
	stream, renderer := s.model.Stream(p.From, p.To), traffic.NewRenderer()
	random := rand.New(rand.NewPCG(s.options.Model.Seed, 2))
	var repeats []traffic.Event
	left, sinceRepeat := p.Messages, 0
	return func(dst []byte) ([]byte, bool) {
		if left == 0 {
			return dst, false
		}
		left--
		sinceRepeat++
		if len(repeats) > 0 && (sinceRepeat >= repeatAfter || left < len(repeats)) {
			e := repeats[0]
			repeats, sinceRepeat = repeats[1:], 0
			s.truth.Duplicate()
			return renderer.Append(dst, &e, q.Envelope), true
		}
		e, ok := stream.Next()
		if !ok {
			left = 0
			return dst, false
		}
		if random.Float64() < p.Duplicates/(1-p.Duplicates) && left > len(repeats) {
			repeats = append(repeats, e)
		}
		s.truth.Add(&e)
		return renderer.Append(dst, &e, q.Envelope), true
	}
}
