package sesapi

import (
	"net/http"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// Options says how a Server is.
type Options struct {
	// Account is that of credentials that are of no assumed role.
	Account string
	// Story says which configuration sets, tenants and receipt rules there are.
	Story traffic.Story
	// Sent is how many recipients of an account and region count towards the quota in [from, to); nil means none.
	Sent      func(account, region string, from, to time.Time) float64
	Standings []Standing
	Tenants   []Tenant
	// Recommendations and Entities are what SES finds.
	Recommendations []Recommendation
	Entities        []Entity
	// Limited says that SES answers each question about an account and region once in a second only.
	Limited bool
	// Seed makes the shares of faults.
	Seed uint64
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Place is an account and a region.
type Place struct{ Account, Region string }

// Standing is how an account stands. One that is not listed is healthy, with a quota of 50,000 a day.
type Standing struct {
	Place
	// Enforcement is HEALTHY when empty.
	Enforcement        string
	Paused, Sandbox    bool
	Max24Hour, MaxRate float64
}

// Tenant is the status of a tenant of the story's. One that is not listed is ENABLED.
type Tenant struct {
	Place
	Name string
	// Status is ENABLED, REINSTATED or DISABLED.
	Status string
}

// Recommendation is something that SES advises.
type Recommendation struct {
	Place
	// Resource is the ARN without its head, such as identity/example.com.
	Resource string
	// Type is such as BOUNCE or DMARC, Impact LOW or HIGH.
	Type, Impact, Description string
	// Fixed says that it is no longer open.
	Fixed            bool
	Created, Updated time.Time
}

// Entity is a resource with a reputation.
type Entity struct {
	Place
	// Resource is the ARN without its head, such as tenant/name/id.
	Resource string
	// Impact is LOW or HIGH, empty where nothing is wrong. Status is ENABLED when empty.
	Impact, Status, Cause string
	Updated               time.Time
}

// Server answers requests to SES and STS. It is an http.Handler.
type Server struct {
	*gate.Gate
	now func() time.Time

	mu      sync.Mutex // protects all following fields
	options Options
	last    map[turn]time.Time
}

// turn is a question about an account and region.
type turn struct {
	Place
	op string
}

// New makes a server.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{Gate: gate.New(o.Account, o.Seed, o.Now), now: o.Now, options: o, last: map[turn]time.Time{}}
}

// Change changes what is answered from now on. It may not change Account, Seed or Now, or keep the options.
func (s *Server) Change(do func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do(&s.options)
}

// PathPrefix begins the paths of SES's version 2 API; all other requests are for the path /.
const PathPrefix = "/v2/email/"

// maxRequest bounds a request's body.
const maxRequest = 64 << 10

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	if r.URL.Path == "/" {
		s.serveQuery(w, r)
		return
	}
	s.serveREST(w, r)
}

// tooSoon says whether a question was asked less than a second ago. The lock is held.
func (s *Server) tooSoon(at Place, op string) bool {
	if !s.options.Limited {
		return false
	}
	t := turn{at, op}
	if last, ok := s.last[t]; ok && s.now().Sub(last) < time.Second {
		return true
	}
	s.last[t] = s.now()
	return false
}

// arn is the ARN of a resource of SES.
func (p Place) arn(resource string) string {
	return "arn:aws:ses:" + p.Region + ":" + p.Account + ":" + resource
}

// Standing is how an account stands, and how much of its quota it has used.
func (s *Server) Standing(account, region string) (standing Standing, sent float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.standing(Place{account, region})
}

// standing is Standing. The lock is held.
func (s *Server) standing(at Place) (standing Standing, sent float64) {
	standing = Standing{Place: at}
	for _, other := range s.options.Standings {
		if other.Place == at {
			standing = other
		}
	}
	setDefault(&standing.Enforcement, "HEALTHY")
	setDefault(&standing.Max24Hour, 50_000)
	setDefault(&standing.MaxRate, 14)
	if s.options.Sent != nil {
		sent = s.options.Sent(at.Account, at.Region, s.now().Add(-24*time.Hour), s.now())
	}
	return standing, sent
}

func setDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}
