package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/replay"
	"github.com/mailvane/mailvane/internal/simulator"
)

// DemoOptions say how the demo runs.
type DemoOptions struct {
	Environment
	// Listen is the address to answer on.
	Listen string
	// Out is where the demo says what to open.
	Out io.Writer
}

const (
	// demoHistory is how far back the demo's sender has sent: streams are compared with the four weeks before this one.
	demoHistory = 35 * 24 * time.Hour
	// demoSurge is how many times as much mail is sent while somebody looks, so that figures move.
	demoSurge = 100
	demoSeed  = 1
)

// Demo runs the daemon against the built-in simulator until ctx ends. It needs no account and no network, takes no
// credentials from its surroundings, and leaves nothing behind.
func Demo(ctx context.Context, o DemoOptions) (err error) {
	dir, err := os.MkdirTemp("", "mailvane-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo's ledger: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began := o.Now()
	sim, err := simulator.Start(ctx, simulator.Demo(began, demoSeed, demoSurge))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sim.Close()) }()

	file, err := writeDemo(dir, o.Listen, sim)
	if err != nil {
		return err
	}
	load := func() (*config.Config, []config.Problem) { return config.LoadFile(file) }
	c, problems := load()
	if config.Failed(problems) {
		return &ProblemsError{problems}
	}
	o.AWS = simulatorAWS(sim.URL())
	fmt.Fprintf(o.Out, "Mailvane demo: reading five weeks of a made-up sender's mail, which takes up to half a minute …\n")
	d, err := newDaemon(ctx, o.Environment, c, setup{load: load, file: file})
	if err != nil {
		return err
	}
	sum, err := d.readHistory(ctx, sim.History(began.Add(-demoHistory), began))
	if err != nil {
		return errors.Join(err, d.stop())
	}
	sim.Feed(began)
	fmt.Fprintf(o.Out, demoText, sum.Values, o.Now().Sub(began).Seconds(), localURL(d.listener.Addr()), file)
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	beside.Go(func() { printEvents(ctx, o.Out, sim.Pager()) })
	beside.Go(func() { demoOutage(ctx, sim, demoOutageAfter, demoOutageFor) })
	beside.Go(func() { d.demoReport(ctx) })
	return d.run(ctx)
}

// writeDemo writes what the demo's sender would: the configuration, whose path it returns, and the files that it names.
func writeDemo(dir, listen string, sim *simulator.Simulator) (file string, err error) {
	file = filepath.Join(dir, "demo.yaml")
	err = errors.Join(
		sim.WriteAuthorizedUser(filepath.Join(dir, demoCredentials)),
		os.WriteFile(filepath.Join(dir, demoRoutingKey), []byte(strings.Repeat("0", 32)), 0o600),
		os.WriteFile(file, demoConfig(listen, sim), 0o600))
	if err != nil {
		return "", fmt.Errorf("write the demo's configuration: %w", err)
	}
	return file, nil
}

// readHistory counts saved events, and shows them before it returns.
func (d *Daemon) readHistory(ctx context.Context, lines iter.Seq[[]byte]) (replay.Summary, error) {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for line := range lines {
			if _, err := w.Write(append(line, '\n')); err != nil {
				return
			}
		}
		w.Close()
	}()
	sum, err := replay.Stream(ctx, r, replay.Options{Sink: d.intake, Name: "history", Region: "us-east-1"})
	r.Close()
	<-done
	if err != nil {
		return sum, err
	}
	_, err = d.fold(ctx)
	return sum, err
}

// simulatorAWS leads every AWS call to the simulator, whatever the environment says.
func simulatorAWS(endpoint string) func(context.Context, string) (aws.Config, error) {
	return func(_ context.Context, region string) (aws.Config, error) {
		return aws.Config{
			Region:       region,
			BaseEndpoint: &endpoint,
			Credentials: credentials.NewStaticCredentialsProvider(
				simulator.AccessKey, simulator.SecretKey, ""),
		}, nil
	}
}

// demoCredentials is the file with the credentials of the demo's Google account, beside its configuration.
const demoCredentials = "postmaster.json"

// demoConfig is the configuration that the demo's sender would write. Gmail and CloudWatch are asked much more often than is
// of use, so that what arrives while somebody looks does.
func demoConfig(listen string, sim *simulator.Simulator) []byte {
	return fmt.Appendf(nil, `
http:      {listen: %q}
ledger:    {path: ledger.db}
campaigns:
  rename:  [{match: '^(.+)-\d{8}$', to: '$1'}]
  streams: [receipts, password-reset, "otp-*"]
  owners:  [{match: "otp-*", owner: identity}, {match: "*-digest", owner: editorial}, {match: "*", owner: growth}]
tenants:
  identify: [{configuration_set: '^tenant-(.+)$'}]
telemetry: {otlp: false, campaign_by_provider: true}
collectors:
  ses:
    - {queue_url: %q, region: us-east-1}
    - {queue_url: %q, region: eu-west-1}
    - {queue_url: %q, region: us-east-1}
  postmaster:
    - {credentials_file: %s, endpoint: %q, every: 15s, requests_per_second: 100}
  receipt_rules:
    - region: us-east-1
      every: 15s
      rules:
        - {match: '^unsub-(?P<campaign>.+)$', purpose: unsubscribe}
        - {match: '^replies-acme$', purpose: reply, campaigns: ["acme-*"]}
        - {match: '^replies$', purpose: reply}
        - {match: '^dmarc-', purpose: dmarc}
    - {region: eu-west-1, role_arn: %[7]q, every: 15s, rules: [{match: '^replies$', purpose: reply}, {match: '^dmarc-', purpose: dmarc}]}
  account:
    - {region: us-east-1, every: 15s, requests_per_second: 100}
    - {region: eu-west-1, role_arn: %[7]q, every: 15s, requests_per_second: 100}
`+demoAlerts+demoReports, listen, sim.QueueURL(simulator.EventsQueue), sim.QueueURL(simulator.EventsQueueEU),
		sim.QueueURL(simulator.IdentityQueue), demoCredentials, sim.URL(), simulator.RoleEU, demoRoutingKey)
}

const demoText = `
Ready: %d events of the last five weeks were counted in %.1f s, and mail is being sent now. The figures of Gmail, CloudWatch
and SES are a few seconds behind; within three minutes one of Gmail's days is revised, a late one arrives, and CloudWatch fails
in one region for a while: a warning that becomes critical and is resolved. What PagerDuty is told is printed below.

  %[3]s/                                           what needs attention, and why
  %[3]s/campaigns/acme-news?tenant=acme            a campaign: the tenant whose mail Microsoft blocks
  %[3]s/gmail                                      what Gmail's users report, and whose mail it was
  %[3]s/inbound                                    the receipt rule that loses unsubscribes
  %[3]s/alerts                                     what people are told of, and why
  %[3]s/reports                                    last week, for people who look at no board: in half a minute
  %[3]s/sources                                    what is read, late and missing
  %[3]s/api/v1/campaigns?window=7d&sort=complaint_rate    the same as JSON: /api/v1/openapi.yaml tells it all
  %[3]s/metrics                                    all of it for Prometheus

To try the commands, in another terminal:

  mailvane rules explain CampaignComplaintRate --config %[4]s
  mailvane silence add --match campaign=flash-friday --for 1h --comment "looked at" --config %[4]s

Stop with Ctrl-C. Nothing is left behind.
`
