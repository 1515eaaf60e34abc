package cloudwatch

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// Source knows the metrics. Its methods are called by several goroutines at once, for times that are over.
type Source interface {
	// Metrics lists the series of an account and region that have data in [from, to), always in the same order.
	Metrics(account, region string, from, to time.Time) []traffic.Metric
	// Data returns the minutes in [from, to) of which a series has data, oldest first.
	Data(account, region string, m traffic.Metric, from, to time.Time) []traffic.Datum
}

// Options says how a Server is.
type Options struct {
	// Account is that of credentials that are of no assumed role.
	Account string
	Source  Source
	// Delay is how long after the end of a minute its point appears, 2 minutes when 0; ListDelay how long after its first
	// point a series is listed, 15 minutes when 0.
	Delay, ListDelay time.Duration
	Late             []Late
	// PagePoints is the most points of a page, when not 0, whatever a request asks for.
	PagePoints int
	// Seed makes the shares of faults.
	Seed uint64
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Late is points that come later than others.
type Late struct {
	// Name and Region select series, From and To minutes; empty selects all. Every, when over 1, selects one minute of so
	// many.
	Name, Region string
	From, To     time.Time
	Every        int
	// By is how much later than others their points are whole. Until then Draft, 0 to 1, is the share of the samples that is
	// there; nothing when 0.
	By    time.Duration
	Draft float64
}

// Server answers CloudWatch requests. It is an http.Handler.
type Server struct {
	*gate.Gate
	options Options
	now     func() time.Time

	mu     sync.Mutex // protects all following fields
	spoils []*Spoil
	// queries counts the metrics that GetMetricData was asked for, by which it is priced.
	queries int
}

// New makes a server.
func New(o Options) *Server {
	if o.Delay == 0 {
		o.Delay = 2 * time.Minute
	}
	if o.ListDelay == 0 {
		o.ListDelay = 15 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{Gate: gate.New(o.Account, o.Seed, o.Now), options: o, now: o.Now}
}

// Spoil is a result of GetMetricData that is not whole while it is injected.
type Spoil struct {
	// Name, Region and Value select series by their name, region and the value of any dimension; empty selects all.
	Name, Region, Value string
	// Status is PartialData, which leaves the first half of the points, or InternalError or Forbidden, which leave none.
	Status string
}

// Spoil adds such results until remove is called.
func (s *Server) Spoil(p Spoil) (remove func()) {
	injected := &p
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoils = append(s.spoils, injected)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.spoils = slices.DeleteFunc(s.spoils, func(other *Spoil) bool { return other == injected })
	}
}

// Queries is how many metrics GetMetricData was asked for so far.
func (s *Server) Queries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queries
}

// Sum is the truth about a series in [from, to), whether or not its points have appeared.
func (s *Server) Sum(account, region string, m traffic.Metric, from, to time.Time) (sum float64) {
	for _, d := range s.options.Source.Data(account, region, m, from, to) {
		sum += d.Sum
	}
	return sum
}

// PathPrefix begins the path of every request; the operation follows.
const PathPrefix = "/service/GraniteServiceVersion20100801/operation/"

const contentType = "application/cbor"

// maxRequest bounds a request's body: 500 queries are a tenth of it.
const maxRequest = 1 << 20

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, ok := strings.CutPrefix(r.URL.Path, PathPrefix)
	if !ok || r.Method != http.MethodPost || r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		s.fail(w, gate.NewError("UnknownOperation"))
		return
	}
	caller, e := s.Identify(r, "monitoring")
	if e != nil {
		s.fail(w, e)
		return
	}
	in, err := read(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		s.fail(w, gate.NewError("SerializationException"))
		return
	}
	done, cut, e := s.Admit(w, r, op, "cloudwatch:"+op, caller)
	if e != nil {
		s.fail(w, e)
		return
	}
	if done {
		return
	}
	out, e := s.answer(op, caller, in)
	switch {
	case e != nil:
		s.fail(w, e)
	case cut:
		wire.Truncate(w, contentType, cbor.Encode(out))
	default:
		s.reply(w, http.StatusOK, out)
	}
}

// answer executes an operation.
func (s *Server) answer(op string, caller gate.Caller, in *fields) (out cbor.Value, e *gate.Error) {
	switch op {
	case "ListMetrics":
		out, e = s.listMetrics(caller, in)
	case "GetMetricData":
		out, e = s.getMetricData(caller, in)
	default:
		return nil, gate.NewError("UnknownOperation")
	}
	if in.wrong {
		return nil, gate.NewError("SerializationException")
	}
	return out, e
}

// read reads a request. None has no body.
func read(body io.Reader) (*fields, error) {
	text, err := io.ReadAll(body)
	if err != nil || len(text) == 0 {
		return &fields{}, err
	}
	value, err := cbor.Decode(text)
	if err != nil {
		return nil, err
	}
	in := &fields{}
	in.all, in.wrong = asMap(value)
	return in, nil
}

// reply writes an answer.
func (s *Server) reply(w http.ResponseWriter, status int, v cbor.Value) {
	body := cbor.Encode(v)
	h := w.Header()
	h.Set("Smithy-Protocol", "rpc-v2-cbor")
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Amzn-RequestId", "00000000-0000-4000-8000-000000000000")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// fail answers an error. Its older name, which SDKs report, is in a header.
func (s *Server) fail(w http.ResponseWriter, e *gate.Error) {
	fault := "Receiver"
	if e.Sender() {
		fault = "Sender"
	}
	w.Header().Set("X-Amzn-Query-Error", e.Code+";"+fault)
	wire.RetryAfter(w, e.RetryAfter)
	s.reply(w, e.Status, cbor.Map{"__type": cbor.String(shapeOf(e.Code)), "message": cbor.String(e.Message)})
}

// shapeOf is the type of an error in the CBOR protocol: of CloudWatch's model, or of AWS's service framework.
func shapeOf(code string) string {
	switch code {
	case "InvalidParameterValue", "InvalidParameterCombination":
		return "com.amazonaws.cloudwatch#" + code + "Exception"
	case "InternalFailure":
		return "com.amazonaws.cloudwatch#InternalServiceFault"
	case "ValidationError":
		return "com.amazon.coral.validate#ValidationException"
	case "Throttling":
		return "com.amazon.coral.availability#ThrottlingException"
	case "ServiceUnavailable":
		return "com.amazon.coral.availability#ServiceUnavailableException"
	case "SignatureDoesNotMatch":
		return "com.amazon.coral.service#InvalidSignatureException"
	case "AccessDenied", "ExpiredToken", "MissingAuthenticationToken", "IncompleteSignature", "UnknownOperation":
		return "com.amazon.coral.service#" + code + "Exception"
	case "SerializationException":
		return "com.amazon.coral.service#SerializationException"
	default:
		return "com.amazonaws.cloudwatch#" + code
	}
}
