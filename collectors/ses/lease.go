package ses

import (
	"context"
	"sync"
	"time"
)

// lease keeps the messages of a pass invisible to others while the pass works on them.
type lease struct {
	collector  *Collector
	messages   []Message
	visibility time.Duration
	cancel     context.CancelFunc
	done       chan struct{}

	mu sync.Mutex // protects until
	// until is when the messages may become visible.
	until time.Time
}

// lease starts extending the visibility of what was received, until end is called or ctx ends.
func (c *Collector) lease(ctx context.Context, got Received, visibility time.Duration) *lease {
	ctx, cancel := context.WithCancel(ctx)
	l := &lease{
		collector: c, messages: got.Messages, visibility: visibility, cancel: cancel,
		done: make(chan struct{}), until: got.At.Add(visibility),
	}
	go l.keep(ctx, got.At)
	return l
}

// keep extends at half the timeout. After a failure it tries again at a quarter, so that one more attempt fits in before
// the messages become visible.
func (l *lease) keep(ctx context.Context, since time.Time) {
	defer close(l.done)
	timer := time.NewTimer(l.visibility/2 - l.collector.now().Sub(since))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		now := l.collector.now()
		if err := l.collector.control.extend(ctx, l.messages, l.visibility); err != nil {
			timer.Reset(l.visibility / 4)
			continue
		}
		l.mu.Lock()
		l.until = now.Add(l.visibility)
		l.mu.Unlock()
		timer.Reset(l.visibility / 2)
	}
}

// lapsed says whether the messages may be visible by now. The queue's clock began a little before ours.
func (l *lease) lapsed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	margin := min(l.visibility/8, time.Second)
	return !l.collector.now().Before(l.until.Add(-margin))
}

// end stops extending and waits until that has ended.
func (l *lease) end() {
	l.cancel()
	<-l.done
}
