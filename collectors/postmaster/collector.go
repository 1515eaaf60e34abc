package postmaster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/mailvane/mailvane/collectors"
)

// API is a version of the Postmaster Tools API.
type API string

// The versions. V1 is legacy: Google is switching it off, and its figures differ from those of V2 for the same day.
const (
	V2 API = "v2"
	V1 API = "v1"
)

// Source is the Source of readings that come by this version.
func (a API) Source() string { return "postmaster/" + string(a) }

const (
	defaultEndpoint = "https://gmailpostmastertools.googleapis.com/"
	defaultWindow   = 14
	defaultRate     = 1
	// retained is for how many days Gmail keeps figures (https://support.google.com/a/answer/14668346).
	retained = 120
	// callTimeout bounds one call, its answer included.
	callTimeout = time.Minute
	// maxDomains bounds the domains of one account.
	maxDomains = 2000
)

// Options says whose figures to read, and how.
type Options struct {
	// Name is the source's name in batches, errors and positions.
	Name string
	// API is the version to speak, by default V2.
	API API
	// CredentialsFile is an authorized-user or service-account key file; it is read at the start of every pass. When
	// empty, application default credentials are used. Subject is the user for whom a service account acts by domain-wide
	// delegation.
	CredentialsFile, Subject string
	// Domains are the domains to read, in lower case; when empty, all verified ones that the account sees. Only with
	// domains given does the postmaster.domain scope remain unused.
	Domains []string
	// Window is how many days back each pass reads again, by default 14: late days arrive and earlier ones are revised.
	// Backfill is how many the first pass of a domain reads, by default 120, which is all that Gmail keeps.
	Window, Backfill int
	// Zone is where Gmail's days begin, by default UTC.
	Zone *time.Location
	// RequestsPerSecond is the most calls that are made in a second on average, by default 1.
	RequestsPerSecond float64
	// Endpoint is the base address of the API, by default Google's.
	Endpoint string
	// Transport makes the calls, those for tokens included; by default http.DefaultTransport.
	Transport http.RoundTripper
	// Observe, when not nil, is told how far a pass is, after each part of it that was stored. It must not block.
	Observe func(Progress)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Progress is how far a pass is.
type Progress struct {
	Source string
	// Requests are the calls made so far, those for tokens not included; Readings were put so far.
	Requests, Readings int
	// Domains are those that the pass reads; Days are the days of all of them together that were read, of Total.
	Domains, Days, Total int
}

// Collector reads the figures of one Google account. One pass may run at a time.
type Collector struct {
	name      string
	api       API
	file      string
	subject   string
	domains   []string
	window    int
	backfill  int
	zone      *time.Location
	limiter   *rate.Limiter
	endpoint  string
	transport http.RoundTripper
	observe   func(Progress)
	now       func() time.Time
	// timeout is as callTimeout.
	timeout time.Duration
}

var _ collectors.Collector = (*Collector)(nil)

// New returns the Collector of an account. It makes no call and reads no file.
func New(o Options) (*Collector, error) {
	o.API = cmp.Or(o.API, V2)
	o.Window, o.Backfill = cmp.Or(o.Window, defaultWindow), cmp.Or(o.Backfill, retained)
	o.RequestsPerSecond = cmp.Or(o.RequestsPerSecond, defaultRate)
	o.Endpoint = cmp.Or(o.Endpoint, defaultEndpoint)
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("postmaster %s: %w", o.Name, err)
	}
	c := &Collector{
		name: o.Name, api: o.API, file: o.CredentialsFile, subject: o.Subject, domains: slices.Clone(o.Domains),
		window: o.Window, backfill: max(o.Backfill, o.Window), zone: cmp.Or(o.Zone, time.UTC),
		limiter:  rate.NewLimiter(rate.Limit(o.RequestsPerSecond), 1),
		endpoint: strings.TrimSuffix(o.Endpoint, "/") + "/", transport: o.Transport,
		observe: o.Observe, now: o.Now, timeout: callTimeout,
	}
	if c.transport == nil {
		c.transport = http.DefaultTransport
	}
	if c.observe == nil {
		c.observe = func(Progress) {}
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// check says what is wrong with options whose defaults are filled in.
func (o *Options) check() error {
	switch {
	case o.Name == "":
		return errors.New("a source needs a name")
	case o.API != V1 && o.API != V2:
		return fmt.Errorf("api %q is neither v1 nor v2", o.API)
	case o.Window < 1 || o.Window > retained || o.Backfill < 1 || o.Backfill > retained:
		return fmt.Errorf("days to read must be from 1 to %d", retained)
	case o.RequestsPerSecond < 0:
		return errors.New("requests per second must be positive")
	case len(o.Domains) > maxDomains:
		return fmt.Errorf("more than %d domains", maxDomains)
	}
	for _, d := range o.Domains {
		if !validDomain(d) {
			return fmt.Errorf("%q is not a domain in lower case", d)
		}
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil {
		return errors.New("the endpoint is not an http or https address")
	}
	return nil
}

var domainForm = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$`)

func validDomain(name string) bool { return len(name) <= 253 && domainForm.MatchString(name) }

// Collect makes one pass. What was read is put as it comes; a domain's position moves only when all of its days in the batch
// and before were read. Failures of single domains do not end the pass: they are returned when it has gone through the
// others, as one *collectors.Error per reason, joined.
func (c *Collector) Collect(ctx context.Context, from collectors.Positions, sink collectors.Sink) error {
	p, err := c.begin(ctx, sink)
	if err != nil {
		return err
	}
	return p.run(ctx, from)
}
