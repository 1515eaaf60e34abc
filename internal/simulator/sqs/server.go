package sqs

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulator/fault"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// Options says how a Server is.
type Options struct {
	// Account is the 12 digits in queue URLs and ARNs; Region the region of queues that name none.
	Account, Region string
	// Seed makes ids, receipt handles, duplicates and shuffling; equal seeds make equal servers.
	Seed uint64
	// Now is the clock of visibility and retention; time.Now when nil.
	Now func() time.Time
}

// Server answers SQS requests. It is an http.Handler.
type Server struct {
	options Options
	now     func() time.Time
	faults  *fault.Set[Fault]
	buffers sync.Pool
	closing chan struct{}
	close   sync.Once

	mu     sync.RWMutex
	queues map[string]*Queue
	lastID uint64
}

// New makes a server without queues.
func New(o Options) *Server {
	s := &Server{options: o, now: o.Now, faults: fault.NewSet[Fault](o.Seed), closing: make(chan struct{}), queues: map[string]*Queue{}}
	if s.now == nil {
		s.now = time.Now
	}
	s.buffers.New = func() any { return new([]byte) }
	return s
}

// CreateQueue makes a queue, in place of one of the same name.
func (s *Server) CreateQueue(name string, o QueueOptions) *Queue {
	setDefault(&o.Region, s.options.Region)
	setDefault(&o.VisibilityTimeout, 30*time.Second)
	setDefault(&o.Retention, 4*24*time.Hour)
	setDefault(&o.MaxInFlight, MaxInFlight)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	q := &Queue{server: s, name: name, options: o, inFlight: map[uint64]*message{},
		arn:  "arn:aws:sqs:" + o.Region + ":" + s.options.Account + ":" + name,
		rand: rand.New(rand.NewPCG(s.options.Seed, 1+s.lastID))}
	q.handleKey = q.rand.Uint64()
	s.queues[name] = q
	return q
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// Queue returns the queue of that name, nil when there is none.
func (s *Server) Queue(name string) *Queue {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.queues[name]
}

// queueOf finds the queue of a URL by its last two parts, the account and the name.
func (s *Server) queueOf(url string) *Queue {
	slash := strings.LastIndexByte(url, '/')
	if slash < 0 || !strings.HasSuffix(url[:slash], "/"+s.options.Account) {
		return nil
	}
	return s.Queue(url[slash+1:])
}

// QueuePath is the path of the queue's URL.
func (s *Server) QueuePath(name string) string { return "/" + s.options.Account + "/" + name }

// Close ends waiting receives and injected hangs. Requests are still answered.
func (s *Server) Close() { s.close.Do(func() { close(s.closing) }) }

// request is every request that the server understands.
type request struct {
	QueueURL                                    string `json:"QueueUrl"`
	QueueName, QueueNamePrefix                  string
	MaxNumberOfMessages, WaitTimeSeconds        *int
	VisibilityTimeout                           *int
	DelaySeconds                                int
	AttributeNames, MessageSystemAttributeNames []string
	ReceiptHandle, MessageBody                  string
	MessageAttributes                           jsontext.Value
	Entries                                     []entry
	// base is the address that the request was sent to.
	base string
}

// entry is one entry of a batch.
type entry struct {
	ID                         string `json:"Id"`
	ReceiptHandle, MessageBody string
	VisibilityTimeout          *int
	DelaySeconds               int
	MessageAttributes          jsontext.Value
}

// maxRequest bounds a request: a batch of 1 MiB whose text is escaped.
const maxRequest = 8 * MaxMessageBytes

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if r.Method != http.MethodPost || !ok {
		s.fail(w, newError("UnknownOperation"))
		return
	}
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), maxRequest)) + bytes.MinRead)
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxRequest)); err != nil {
		s.fail(w, newError("SerializationException"))
		return
	}
	in := request{base: "http://" + r.Host}
	if err := json.Unmarshal(body.Bytes(), &in); err != nil {
		s.fail(w, errorf("SerializationException", "The request is not valid JSON for %s.", op))
		return
	}
	q := s.queueOf(in.QueueURL)
	if e := s.authorize(r, q); e != nil {
		s.fail(w, e)
		return
	}
	struck := s.pick(op, q)
	if !s.before(w, r, struck) {
		return
	}
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	out, e := s.answer(r.Context(), (*buffer)[:0], op, q, &in, struck)
	*buffer = out
	switch {
	case struck != nil && struck.Kind == FaultLostAnswer:
		s.fail(w, newError("InternalFailure"))
	case e != nil:
		s.fail(w, e)
	case struck != nil && struck.Kind == FaultTruncate:
		wire.Truncate(w, contentType, out)
	default:
		s.header(w, len(out))
		_, _ = w.Write(out)
	}
}

// authorize refuses requests that are not signed for the queue's region. It does not verify the signature. Unsigned
// requests are those of an anonymous user, to whom SQS denies access.
func (s *Server) authorize(r *http.Request, q *Queue) *apiError {
	signature, err := wire.Signed(r)
	region := s.options.Region
	if q != nil {
		region = q.options.Region
	}
	switch {
	case errors.Is(err, wire.ErrUnsigned):
		return errorf("AccessDenied", "Access to the resource https://sqs.%s.amazonaws.com/ is denied.", s.options.Region)
	case errors.Is(err, wire.ErrIncomplete):
		return newError("IncompleteSignature")
	case err != nil || signature.Service != "sqs" || q != nil && signature.Region != region:
		return newError("SignatureDoesNotMatch")
	}
	return nil
}

const contentType = "application/x-amz-json-1.0"

// header writes the headers of a good answer.
func (s *Server) header(w http.ResponseWriter, size int) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(size))
	h.Set("X-Amzn-RequestId", "00000000-0000-4000-8000-000000000000")
}

// fail answers an error.
func (s *Server) fail(w http.ResponseWriter, e *apiError) {
	body, _ := json.Marshal(struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{e.shape, e.message})
	w.Header().Set("X-Amzn-Query-Error", e.code+";"+e.fault)
	s.header(w, len(body))
	w.WriteHeader(e.status)
	_, _ = w.Write(body)
}

// names lists the queues with that prefix.
func (s *Server) names(prefix string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	for name := range s.queues {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}
