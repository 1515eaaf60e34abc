package telemetry

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maxAttributes is the largest number of attributes of a counter or histogram, whose series are kept.
const maxAttributes = 5

// values are a series' attribute values in the order of its instrument's attributes; unused places are empty.
type values [maxAttributes]string

// set makes the attributes of a series. What is no text is mended: one such value would cost a whole scrape.
func (i *Instrument) set(v []string) attribute.Set {
	pairs := make([]attribute.KeyValue, len(i.Attributes))
	for n, key := range i.Attributes {
		pairs[n] = attribute.String(key, strings.ToValidUTF8(v[n], "\uFFFD"))
	}
	return attribute.NewSet(pairs...)
}

// Observe reports the total of one series of a counter that is counted elsewhere.
type Observe func(total int64, attributes ...string)

// counter holds the series of a counter.
type counter struct {
	Instrument
	// read, when not nil, is where the totals are counted instead.
	read atomic.Pointer[func(Observe)]

	mu     sync.RWMutex
	series map[values]*series
}

type series struct {
	value atomic.Int64
	set   metric.MeasurementOption
	// shown has, for each reader, whether it has seen the series at 0.
	shown []atomic.Bool
}

func newCounter(i Instrument) *counter {
	return &counter{Instrument: i, series: make(map[values]*series)}
}

// add counts n. The strings of v may be reused by the caller afterwards.
func (c *counter) add(n int64, v values, readers int) {
	c.mu.RLock()
	s := c.series[v]
	c.mu.RUnlock()
	if s == nil {
		s = c.create(v, readers)
	}
	s.value.Add(n)
}

func (c *counter) create(v values, readers int) *series {
	for i := range v {
		v[i] = strings.Clone(v[i])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.series[v]; s != nil {
		return s
	}
	s := &series{set: metric.WithAttributeSet(c.set(v[:])), shown: make([]atomic.Bool, readers)}
	c.series[v] = s
	return s
}

// drop forgets the series for which lost says so.
func (c *counter) drop(lost func(values) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for v := range c.series {
		if lost(v) {
			delete(c.series, v)
		}
	}
}

// observe hands the series to a reader's collection. A series is 0 the first time that the reader sees it, so that
// whoever computes an increase sees the whole of it.
func (c *counter) observe(reader int, o metric.Int64Observer) {
	if read := c.read.Load(); read != nil {
		(*read)(func(total int64, attributes ...string) {
			c.check(attributes)
			o.Observe(total, metric.WithAttributeSet(c.set(attributes)))
		})
		return
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, s := range c.series {
		if s.shown[reader].CompareAndSwap(false, true) {
			o.Observe(0, s.set)
			continue
		}
		o.Observe(s.value.Load(), s.set)
	}
}

// histogram holds a histogram of each reader and the attribute sets that were used.
type histogram struct {
	Instrument
	each []metric.Float64Histogram

	mu   sync.RWMutex
	sets map[values]metric.MeasurementOption
}

func (h *histogram) record(value float64, v values) {
	h.mu.RLock()
	set := h.sets[v]
	h.mu.RUnlock()
	if set == nil {
		for i := range v {
			v[i] = strings.Clone(v[i])
		}
		set = metric.WithAttributeSet(h.set(v[:]))
		h.mu.Lock()
		h.sets[v] = set
		h.mu.Unlock()
	}
	for _, each := range h.each {
		each.Record(context.Background(), value, set)
	}
}

// Emit reports one value of a gauge, with its attribute values in the order of the table.
type Emit func(value float64, attributes ...string)

// gauge holds what a gauge is read from; nil shows nothing.
type gauge struct {
	Instrument
	read atomic.Pointer[func(Emit)]
}

func (g *gauge) observe(o metric.Float64Observer) {
	read := g.read.Load()
	if read == nil {
		return
	}
	(*read)(func(value float64, attributes ...string) {
		g.check(attributes)
		o.Observe(value, metric.WithAttributeSet(g.set(attributes)))
	})
}
