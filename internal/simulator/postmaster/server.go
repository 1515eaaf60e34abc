package postmaster

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/fault"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// Source knows what Gmail saw. Day is called by several goroutines at once, for days that are over; t is the start of the
// day in UTC. What it returns may be kept and changed.
type Source interface {
	Day(domain string, t time.Time) traffic.GmailDay
}

// Options says how a Server is.
type Options struct {
	Domains []Domain
	Quirks  []Quirk
	Source  Source
	// Lag is how long after its end a day appears; 26 hours when 0.
	Lag time.Duration
	// MinInboxed is from how many inboxed mails on a day on a domain is shown, MinValueInboxed an identifier, if
	// MinReports of them were reported; 175, 400 and 2 when 0. Google does not tell its own figures.
	MinInboxed, MinValueInboxed, MinReports int64
	// TokenLife is how long an access token is good; an hour when 0.
	TokenLife time.Duration
	// Testing says that the app's consent screen is in Testing: the consent that a user gives on its page ends after seven
	// days.
	Testing bool
	// Seed makes tokens and the shares of faults.
	Seed uint64
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Domain is a domain that the account has added.
type Domain struct {
	Name string
	// Permission is OWNER, ADMIN, READER or NONE; OWNER when empty.
	Permission string
	Unverified bool
	// Created is when it was added: there is no data of earlier days. Verified, when not zero, is lastVerifyTime; Google
	// sends the epoch for some.
	Created, Verified time.Time
	// NeedsWork lists the requirements that it does not meet, those on unsubscribing with the reason of the verdict.
	NeedsWork map[string]string
	// Deliverability is the reason of the verdict on deliverability, which is only there when it is not empty.
	Deliverability string
}

// Quirk is a day of a domain that does not come as others do.
type Quirk struct {
	Domain string
	// Day is any time on the day in UTC.
	Day time.Time
	// Never keeps the day away for good; Appears, when not zero, is when it appears instead of after Options.Lag.
	Never   bool
	Appears time.Time
	// Revised, when not zero, is when its figures change to the truth. Until then Draft, 0 to 1, is the share of reports
	// that they hold.
	Revised time.Time
	Draft   float64
}

// Server answers Postmaster Tools requests. It is an http.Handler.
type Server struct {
	options Options
	now     func() time.Time
	domains map[string]*Domain
	names   []string
	faults  *fault.Set[Fault]
	tokens  tokens
	closing chan struct{}
	close   sync.Once

	mu       sync.Mutex
	requests map[string]int
}

// New makes a server.
func New(o Options) *Server {
	setDefault(&o.Lag, 26*time.Hour)
	setDefault(&o.MinInboxed, 175)
	setDefault(&o.MinValueInboxed, 400)
	setDefault(&o.MinReports, 2)
	setDefault(&o.TokenLife, time.Hour)
	s := &Server{options: o, now: o.Now, domains: map[string]*Domain{}, closing: make(chan struct{}), requests: map[string]int{}}
	if s.now == nil {
		s.now = time.Now
	}
	for i := range o.Domains {
		s.domains[o.Domains[i].Name] = &o.Domains[i]
	}
	s.names = slices.Sorted(maps.Keys(s.domains))
	s.faults = fault.NewSet[Fault](o.Seed)
	s.tokens = tokens{rand: rand.New(rand.NewPCG(o.Seed, 2)), grants: map[string]*grant{}, access: map[string]*access{}, codes: map[string]*code{}}
	return s
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// Close ends injected hangs. Requests are still answered.
func (s *Server) Close() { s.close.Do(func() { close(s.closing) }) }

// The operations, as Fault.Op selects and Requests counts them.
const (
	OpToken            = "Token"
	OpAuthorize        = "Authorize"
	OpListDomains      = "ListDomains"
	OpGetDomain        = "GetDomain"
	OpComplianceStatus = "ComplianceStatus"
	OpQuery            = "Query"
	OpBatchQuery       = "BatchQuery"
	OpListDomainsV1    = "v1.ListDomains"
	OpGetDomainV1      = "v1.GetDomain"
	OpListTrafficStats = "v1.ListTrafficStats"
	OpGetTrafficStats  = "v1.GetTrafficStats"
)

// Requests is how many requests of each operation there were, those that failed included.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

// TokenPath is the path of the token endpoint.
const TokenPath = "/token"

// maxRequest bounds a request's body.
const maxRequest = 8 << 20

// call is a request that was routed.
type call struct {
	op string
	// domain is the one of the path, date the day of version 1.
	domain, date string
	r            *http.Request
	body         []byte
	access       *access
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := call{r: r}
	c.op, c.domain, c.date = route(r.Method, r.URL.Path)
	if c.op == "" {
		s.fail(w, newError("NOT_FOUND"))
		return
	}
	s.mu.Lock()
	s.requests[c.op]++
	s.mu.Unlock()
	struck := s.pick(c.op, c.domain, false)
	if !s.before(w, r, c.op, struck) {
		return
	}
	if c.op == OpAuthorize {
		s.authorization(w, r)
		return
	}
	answer, ok := s.execute(w, &c)
	if !ok {
		return
	}
	body := encode(answer)
	if struck != nil && struck.Kind == FaultTruncate {
		wire.Truncate(w, contentType, body)
		return
	}
	write(w, http.StatusOK, body)
}

// execute answers a call, or says why not and returns false.
func (s *Server) execute(w http.ResponseWriter, c *call) (answer any, ok bool) {
	if c.op == OpToken {
		answer, e := s.token(w, c.r)
		if e != nil {
			s.refuse(w, e)
		}
		return answer, e == nil
	}
	e := s.authorize(c)
	if e == nil {
		e = c.readBody(w)
	}
	if e == nil {
		answer, e = s.answer(c)
	}
	if e != nil {
		s.fail(w, e)
	}
	return answer, e == nil
}

// route finds the operation of a path.
func route(method, path string) (op, domain, date string) {
	if path == TokenPath && method == http.MethodPost {
		return OpToken, "", ""
	}
	if path == AuthPath && method == http.MethodGet {
		return OpAuthorize, "", ""
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) > 2 {
		domain, parts[2] = parts[2], "*"
	}
	if len(parts) > 4 {
		date, parts[4] = parts[4], "*"
	}
	op = map[string]string{
		"GET v2/domains":                      OpListDomains,
		"GET v2/domains/*":                    OpGetDomain,
		"GET v2/domains/*/complianceStatus":   OpComplianceStatus,
		"POST v2/domains/*/domainStats:query": OpQuery,
		"POST v2/domainStats:batchQuery":      OpBatchQuery,
		"GET v1/domains":                      OpListDomainsV1,
		"GET v1/domains/*":                    OpGetDomainV1,
		"GET v1/domains/*/trafficStats":       OpListTrafficStats,
		"GET v1/domains/*/trafficStats/*":     OpGetTrafficStats,
	}[method+" "+strings.Join(parts, "/")]
	return op, domain, date
}

func (s *Server) answer(c *call) (any, *apiError) {
	switch c.op {
	case OpListDomains, OpListDomainsV1:
		return s.listDomains(c)
	case OpGetDomain, OpGetDomainV1:
		return s.getDomain(c)
	case OpComplianceStatus:
		return s.complianceStatus(c.domain, c.access)
	case OpQuery:
		return s.queryOne(c)
	case OpBatchQuery:
		return s.batchQuery(c)
	case OpListTrafficStats:
		return s.listTrafficStats(c)
	default:
		return s.getTrafficStats(c)
	}
}

const contentType = "application/json; charset=UTF-8"

// encode never fails: the answers are made of plain values.
func encode(answer any) []byte {
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return body
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// fail answers an error of the API, refuse one of the token endpoint.
func (s *Server) fail(w http.ResponseWriter, e *apiError) {
	if e.http == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	write(w, e.http, encode(e.body()))
}

func (s *Server) refuse(w http.ResponseWriter, e *tokenError) { write(w, e.http, encode(e)) }
