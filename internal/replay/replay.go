package replay

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/ses/event"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger"
)

// Sink counts saved events; an intake.Intake is one.
type Sink interface {
	Replay(ctx context.Context, b collectors.Batch) (intake.Summary, error)
}

// Options say what is replayed.
type Options struct {
	Sink Sink
	// Name is the file's name, for what is reported.
	Name string
	// Region is assumed for events that tell none.
	Region string
	// AssumeNew takes events of hours that were already covered live.
	AssumeNew bool
}

// Summary says what became of a stream. It is a wire format: the daemon answers with it.
type Summary struct {
	// Values is how many values the stream held, Setup how many of them were set-up texts, Statuses status events.
	Values   int `json:"values"`
	Setup    int `json:"setup"`
	Statuses int `json:"statuses"`
	// Counted, Duplicate, Held and Refused count recipients (opens, clicks, complaints).
	Counted   int `json:"counted"`
	Duplicate int `json:"duplicate"`
	Held      int `json:"held"`
	Refused   int `json:"refused"`
	// Unreadable is how many values were not understood; Problems tells the first of them.
	Unreadable int       `json:"unreadable"`
	Problems   []Problem `json:"problems,omitempty"`
}

// Problem is a value that was not understood.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// String gives the place first, as compilers do.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Reason, p.Detail)
}

// Plus adds up two summaries.
func (s Summary) Plus(o Summary) Summary {
	s.Values += o.Values
	s.Setup += o.Setup
	s.Statuses += o.Statuses
	s.Counted += o.Counted
	s.Duplicate += o.Duplicate
	s.Held += o.Held
	s.Refused += o.Refused
	s.Unreadable += o.Unreadable
	s.Problems = append(s.Problems, o.Problems...)
	s.Problems = s.Problems[:min(len(s.Problems), maxProblems)]
	return s
}

// count adds what an intake did.
func (s *Summary) count(got intake.Summary) {
	s.Counted += got.Recipients[ledger.Counted]
	s.Duplicate += got.Recipients[ledger.Duplicate]
	s.Held += got.Recipients[ledger.Held]
	s.Refused += got.Recipients[ledger.Refused]
	s.Unreadable += len(got.Unreadable)
}

// problem tells one of the values that were not understood, while there is room.
func (s *Summary) problem(p Problem) {
	if len(s.Problems) < maxProblems {
		s.Problems = append(s.Problems, p)
	}
}

const (
	// batchValues is how many values are counted in one transaction.
	batchValues = 500
	// maxProblems bounds the problems that are told one by one.
	maxProblems = 100
)

// Stream counts the events of a stream. When it returns an error, the events counted so far stay counted: replaying the
// whole stream again is safe, for what is known is dropped.
func Stream(ctx context.Context, r io.Reader, o Options) (Summary, error) {
	split, err := newSplitter(r)
	if err != nil {
		return Summary{}, fmt.Errorf("%s: %w", o.Name, err)
	}
	s := stream{Options: o, split: split, decoder: event.Decoder{Region: o.Region}}
	for {
		more, err := s.batch(ctx)
		if err != nil {
			return s.sum, fmt.Errorf("%s: near line %d: %w", o.Name, split.line, err)
		}
		if !more {
			return s.sum, nil
		}
	}
}

// errCutOff is about a compressed file that ends too early, such as one that is still being copied.
var errCutOff = errors.New("the gzip file is cut off; what comes before is counted")

type stream struct {
	Options
	split   *splitter
	decoder event.Decoder
	lines   []int
	sum     Summary
}

// batch counts the next values; more is false at the end of the stream.
func (s *stream) batch(ctx context.Context) (more bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	b := collectors.Batch{Source: "replay", Replay: &collectors.Replay{AssumeNew: s.AssumeNew}}
	s.lines = s.lines[:0]
	s.decoder.Reset()
	for len(s.lines) < batchValues {
		value, line, err := s.split.next()
		if errors.Is(err, io.EOF) {
			return false, s.count(ctx, b)
		}
		if err != nil && !errors.Is(err, errTooLarge) {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = errCutOff
			}
			return false, errors.Join(err, s.count(ctx, b))
		}
		s.add(&b, value, line, err)
	}
	return true, s.count(ctx, b)
}

func (s *stream) add(b *collectors.Batch, value []byte, line int, err error) {
	index := len(s.lines)
	s.lines = append(s.lines, line)
	s.sum.Values++
	b.Messages = append(b.Messages, collectors.Message{Body: string(value)})
	if err != nil {
		b.Unreadable = append(b.Unreadable, collectors.Unreadable{
			Message: index, Reason: collectors.ReasonTooLarge, Detail: err.Error(),
		})
		return
	}
	switch s.decoder.Decode(index, b.Messages[index].Body, b) {
	case event.KindSetup:
		s.sum.Setup++
	case event.KindStatus:
		s.sum.Statuses++
	}
}

func (s *stream) count(ctx context.Context, b collectors.Batch) error {
	if len(b.Messages) == 0 {
		return nil
	}
	got, err := s.Sink.Replay(ctx, b)
	if err != nil {
		return err
	}
	s.sum.count(got)
	for _, u := range got.Unreadable {
		s.sum.problem(Problem{File: s.Name, Line: s.lines[u.Message], Reason: string(u.Reason), Detail: u.Detail})
	}
	return nil
}
