package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/mailvane/mailvane/internal/simulator"
)

// daemon is the process that is measured.
type daemon struct {
	cmd    *exec.Cmd
	url    string
	ledger string
}

func startDaemon(ctx context.Context, s setup, dir, queueURL string) (*daemon, error) {
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	d := &daemon{url: "http://" + listen, ledger: filepath.Join(dir, "ledger.db")}
	endpoint := queueURL[:strings.Index(queueURL[8:], "/")+8]
	file := filepath.Join(dir, "mailvane.yaml")
	text := fmt.Sprintf(`
http: {listen: %q}
ledger: {path: %q}
campaigns: {rename: [{match: '^(.+)-\d{8}$', to: '$1'}]}
tenants: {identify: [{configuration_set: '^tenant-(.+)$'}]}
telemetry: {otlp: false}
collectors: {ses: [{queue_url: %q, region: us-east-1, max_passes: %d}]}
`, listen, d.ledger, queueURL, s.passes)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	d.cmd = exec.CommandContext(ctx, s.daemon, "run", "--config", file)
	d.cmd.Stdout, d.cmd.Stderr = os.Stderr, os.Stderr
	d.cmd.Env = append(os.Environ(),
		"AWS_ACCESS_KEY_ID="+simulator.AccessKey, "AWS_SECRET_ACCESS_KEY="+simulator.SecretKey,
		"AWS_ENDPOINT_URL_SQS="+endpoint, "AWS_EC2_METADATA_DISABLED=true")
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the daemon: %w", err)
	}
	return d, nil
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// metrics scrapes the daemon.
func (d *daemon) metrics(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(io.LimitReader(resp.Body, 64<<20))
}

// profile writes a CPU profile of ten seconds, taken through the control socket, to a file; an empty name asks for nothing.
func (d *daemon) profile(ctx context.Context, file string) error {
	if file == "" {
		return nil
	}
	for _, err := os.Stat(d.ledger + ".sock"); err != nil; _, err = os.Stat(d.ledger + ".sock") {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", d.ledger+".sock")
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://mailvane/debug/pprof/profile?seconds=10", nil)
	if err != nil {
		return fmt.Errorf("profile the daemon: %w", err)
	}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("profile the daemon: %w", err)
	}
	defer resp.Body.Close()
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("profile the daemon: %w", err)
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}

// stop ends the daemon cleanly and returns what it used.
func (d *daemon) stop() (*syscall.Rusage, error) {
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return nil, fmt.Errorf("stop the daemon: %w", err)
	}
	if err := d.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("the daemon: %w", err)
	}
	usage, ok := d.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return nil, errors.New("this system does not tell what a process used")
	}
	return usage, nil
}

// quantile estimates a quantile of a histogram, as Prometheus does: linear within the bucket. In seconds.
func quantile(h *dto.Histogram, q float64) float64 {
	rank := q * float64(h.GetSampleCount())
	lower, below := 0.0, 0.0
	for _, b := range h.GetBucket() {
		count := float64(b.GetCumulativeCount())
		if count >= rank && count > below {
			return lower + (b.GetUpperBound()-lower)*(rank-below)/(count-below)
		}
		lower, below = b.GetUpperBound(), count
	}
	return lower
}

func cpu(u *syscall.Rusage) time.Duration {
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
