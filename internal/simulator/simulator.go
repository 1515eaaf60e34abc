package simulator

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/cloudwatch"
	"github.com/mailvane/mailvane/internal/simulator/pager"
	"github.com/mailvane/mailvane/internal/simulator/postmaster"
	"github.com/mailvane/mailvane/internal/simulator/s3"
	"github.com/mailvane/mailvane/internal/simulator/sesapi"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// The static credentials to use with a simulator.
const (
	AccessKey = "simulator"
	SecretKey = "simulator"
)

// Account owns the queues, and whatever is asked for without assuming a role of another account.
const Account = "123456789012"

// Options says what is simulated.
type Options struct {
	// Listen is the address of the endpoint, 127.0.0.1:0 when empty.
	Listen string
	Story  traffic.Story
	Model  traffic.Options
	// Queues receive the events; an event goes to the first that takes it.
	Queues []Queue
	// Postmaster is what Gmail shows. Its Source is the model, its Seed and clock are those of the rest where it names none.
	Postmaster postmaster.Options
	// CloudWatch is how metrics are shown; its Source is the model, which spells their names by Spelling. SES is what the
	// account says; its Story is the model's, and Sent the mail that the model has sent. Their Account, Seed and clock are
	// those of the rest where they name none.
	CloudWatch cloudwatch.Options
	Spelling   traffic.Spelling
	SES        sesapi.Options
	// Pager is how those are who take notifications. Its Seed and clock are those of the rest where it names none.
	Pager pager.Options
	// S3 is which buckets there are. Its Account, Seed and clock are those of the rest where it names none.
	S3 s3.Options
	// Now is the clock of the queues and of the feed; time.Now when nil.
	Now func() time.Time
}

// Queue is a queue and what is published to it.
type Queue struct {
	Name     string
	Envelope traffic.Envelope
	// Identity takes the notifications of identity topics, and nothing else. Without any such queue they go where the
	// mail's events go.
	Identity bool
	// AllRegions takes the events of every region, not only of the queue's own.
	AllRegions bool
	sqs.QueueOptions
	// Prefill, when not nil, is what the queue holds from the start.
	Prefill *Prefill
}

// Prefill fills a queue with the model's events of a stretch of time, made when they are received.
type Prefill struct {
	From, To time.Time
	// Messages is how many there are at most, duplicates included.
	Messages int
	// Duplicates is the share, 0 to 1, of messages that repeat an earlier one.
	Duplicates float64
}

// Simulator is a running simulation.
type Simulator struct {
	options    Options
	now        func() time.Time
	model      *traffic.Model
	truth      *traffic.Truth
	sqs        *sqs.Server
	postmaster *postmaster.Server
	cloudwatch *cloudwatch.Server
	sesapi     *sesapi.Server
	pager      *pager.Server
	s3         *s3.Server
	http       *http.Server
	url        string

	stop   chan struct{}
	close  sync.Once
	joined sync.WaitGroup
}

// Start listens and fills the queues. The context bounds the start only; Close ends the simulation.
func Start(ctx context.Context, o Options) (*Simulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	s := &Simulator{options: o, now: o.Now, model: traffic.New(o.Story, o.Model), truth: traffic.NewTruth(),
		sqs:  sqs.New(sqs.Options{Account: Account, Region: "us-east-1", Seed: o.Model.Seed, Now: o.Now}),
		stop: make(chan struct{})}
	for i := range o.Queues {
		q := s.sqs.CreateQueue(o.Queues[i].Name, o.Queues[i].QueueOptions)
		if p := o.Queues[i].Prefill; p != nil {
			q.Fill(s.source(&o.Queues[i]), p.Messages)
		}
	}
	s.postmaster = postmaster.New(s.postmasterOptions())
	s.account()
	s.pager = pager.New(s.pagerOptions())
	s.s3 = s3.New(s.s3Options())
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for the simulator: %w", err)
	}
	s.url = "http://" + listener.Addr().String()
	s.http = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	s.joined.Go(func() { _ = s.http.Serve(listener) })
	return s, nil
}

// handler leads requests to their service: by their path, or, as several services of AWS share the path /, by who they are
// signed for. What is signed for none of them is for SQS.
func (s *Simulator) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		// What is wrong with a signature SQS says as well as any other.
		signature, _ := wire.Signed(r)
		switch {
		case signature.Service == "s3":
			s.s3.ServeHTTP(w, r)
		case r.URL.Path == "/" && r.Header.Get("X-Amz-Target") == "" && (signature.Service == "ses" || signature.Service == "sts"):
			s.sesapi.ServeHTTP(w, r)
		default:
			s.sqs.ServeHTTP(w, r)
		}
	})
	mux.Handle("/v1/", s.postmaster)
	mux.Handle("/v2/", s.postmaster)
	mux.Handle(postmaster.TokenPath, s.postmaster)
	mux.Handle(postmaster.AuthPath, s.postmaster)
	mux.Handle(cloudwatch.PathPrefix, s.cloudwatch)
	mux.Handle(sesapi.PathPrefix, s.sesapi)
	for _, path := range []string{pager.EventsPath, pager.WebhookPath, pager.SlackPath} {
		mux.Handle(path, s.pager)
	}
	return mux
}

// account makes the services that tell how an account does.
func (s *Simulator) account() {
	metrics, seed := s.model.Metrics(s.options.Spelling), s.options.Model.Seed
	c, a := s.options.CloudWatch, s.options.SES
	c.Account, a.Account = cmp.Or(c.Account, Account), cmp.Or(a.Account, Account)
	c.Seed, a.Seed = cmp.Or(c.Seed, seed), cmp.Or(a.Seed, seed)
	if c.Now == nil {
		c.Now = s.now
	}
	if a.Now == nil {
		a.Now = s.now
	}
	if c.Source == nil {
		c.Source = metrics
	}
	if a.Story.Campaigns == nil && a.Story.RuleSets == nil {
		a.Story = s.options.Story
	}
	if a.Sent == nil {
		a.Sent = metrics.Judged
	}
	s.cloudwatch, s.sesapi = cloudwatch.New(c), sesapi.New(a)
}

// postmasterOptions completes what Gmail shows.
func (s *Simulator) postmasterOptions() postmaster.Options {
	o := s.options.Postmaster
	if o.Source == nil {
		o.Source = s.model.Gmail()
	}
	if o.Now == nil {
		o.Now = s.now
	}
	if o.Seed == 0 {
		o.Seed = s.options.Model.Seed
	}
	return o
}

// s3Options completes what buckets there are.
func (s *Simulator) s3Options() s3.Options {
	o := s.options.S3
	o.Account, o.Seed = cmp.Or(o.Account, Account), cmp.Or(o.Seed, s.options.Model.Seed)
	if o.Now == nil {
		o.Now = s.now
	}
	return o
}

func (s *Simulator) pagerOptions() pager.Options {
	o := s.options.Pager
	if o.Now == nil {
		o.Now = s.now
	}
	o.Seed = cmp.Or(o.Seed, s.options.Model.Seed)
	return o
}

// URL is the endpoint to configure, for example as AWS_ENDPOINT_URL_SQS or as the endpoint of Postmaster.
func (s *Simulator) URL() string { return s.url }

// QueueURL is the URL of the queue of that name.
func (s *Simulator) QueueURL(name string) string { return s.url + s.sqs.QueuePath(name) }

// SQS gives access to queues and faults.
func (s *Simulator) SQS() *sqs.Server { return s.sqs }

// Postmaster gives access to what Gmail shows and to its faults.
func (s *Simulator) Postmaster() *postmaster.Server { return s.postmaster }

// CloudWatch gives access to metrics, the truth about them, and faults.
func (s *Simulator) CloudWatch() *cloudwatch.Server { return s.cloudwatch }

// SESAPI gives access to what SES and STS say about accounts, and to their faults.
func (s *Simulator) SESAPI() *sesapi.Server { return s.sesapi }

// Pager gives access to what notifications came in, and to faults.
func (s *Simulator) Pager() *pager.Server { return s.pager }

// S3 gives access to what was put into buckets, and to faults.
func (s *Simulator) S3() *s3.Server { return s.s3 }

// WriteAuthorizedUser gives consent, to all scopes that are needed when none are named, and writes the credentials file of
// the user who gave it.
func (s *Simulator) WriteAuthorizedUser(path string, scopes ...string) error {
	return writeCredentials(path, s.postmaster.AuthorizedUser(s.url, scopes...))
}

// WriteServiceAccount delegates the domain to a service account and writes its credentials file. It may act for
// postmaster.Subject.
func (s *Simulator) WriteServiceAccount(path string, scopes ...string) error {
	file, err := s.postmaster.ServiceAccount(s.url, scopes...)
	if err != nil {
		return err
	}
	return writeCredentials(path, file)
}

// WriteClient writes the file of an OAuth client, with which a user can be asked for consent.
func (s *Simulator) WriteClient(path string) error {
	return writeCredentials(path, s.postmaster.Client(s.url))
}

func writeCredentials(path string, file []byte) error {
	if err := os.WriteFile(path, file, 0o600); err != nil {
		return fmt.Errorf("write simulated credentials: %w", err)
	}
	return nil
}

// Truth is what was handed out so far, through queues and History.
func (s *Simulator) Truth() *traffic.Truth { return s.truth }

// Close ends the feed and the endpoint and waits for them.
func (s *Simulator) Close() error {
	var err error
	s.close.Do(func() {
		close(s.stop)
		s.sqs.Close()
		s.postmaster.Close()
		s.cloudwatch.Close()
		s.sesapi.Close()
		s.pager.Close()
		s.s3.Close()
		err = s.http.Close()
		s.joined.Wait()
	})
	return err
}
