package faults

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/mailvane/mailvane/internal/web"
)

// patience is how long a condition is waited for: much longer than it takes, because machines differ and may be busy.
const patience = 6 * time.Minute

// eventually waits until what holds: until a call of check returns nothing that is wrong.
func eventually(t *testing.T, what string, check func() (wrong string)) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		wrong := check()
		if wrong == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("in vain waited until %s: %s", what, wrong)
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// daemon is a process that runs "mailvane run".
type daemon struct {
	url string
	cmd *exec.Cmd
	log *logged
	// ended is closed when the process has ended; its state may be read then.
	ended chan struct{}
}

// logged is what a process has logged so far.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) add(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(line)
	l.text.WriteByte('\n')
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// command is the program with arguments, in the surroundings of the rig.
func (r *rig) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program(), args...)
	cmd.Dir = r.dir
	cmd.Env = []string{
		"HOME=" + r.dir, "TMPDIR=" + os.TempDir(), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_SQS=" + r.sim.URL(), "AWS_ACCESS_KEY_ID=simulator", "AWS_SECRET_ACCESS_KEY=simulator",
	}
	cmd.Env = append(cmd.Env, r.env...)
	if r.credential != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: r.credential}
	}
	return cmd
}

// launch starts the daemon and does not wait for it.
func (r *rig) launch(t *testing.T) (d *daemon, address <-chan string) {
	t.Helper()
	d = &daemon{log: new(logged), ended: make(chan struct{})}
	d.cmd = r.command(context.Background(), "run", "--config", r.file, "--listen", "127.0.0.1:0", "--log.format", "json")
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 1)
	go func() {
		defer close(d.ended)
		d.follow(stderr, told)
		_ = d.cmd.Wait() // the state tells
	}()
	t.Cleanup(func() {
		running := d.running()
		d.kill()
		if t.Failed() && running {
			t.Logf("the daemon logged:\n%s", tail(d.log.String()))
		}
	})
	return d, told
}

// follow takes in the log to its end and tells the address that it names.
func (d *daemon) follow(log io.Reader, told chan<- string) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		d.log.add(lines.Bytes())
		var line struct{ Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Address != "" {
			select {
			case told <- line.Address:
			default:
			}
		}
	}
}

// start starts the daemon and waits until it works.
func (r *rig) start(t *testing.T) *daemon {
	t.Helper()
	d, address := r.launch(t)
	if !d.opened(t, address) {
		t.Fatalf("the daemon ended at once: %v\n%s", d.cmd.ProcessState, d.log)
	}
	return d
}

// opened waits until the daemon has opened its ledger, which it logs with what it reads; false when it has ended instead.
func (d *daemon) opened(t *testing.T, address <-chan string) bool {
	t.Helper()
	select {
	case a := <-address:
		d.url = "http://" + a
	case <-d.ended:
		return false
	case <-time.After(patience):
		t.Fatal("the daemon does not say where it listens")
	}
	eventually(t, "the daemon runs", func() string {
		if log := d.log.String(); d.running() && !strings.Contains(log, `"msg":"running"`) {
			return log
		}
		return ""
	})
	return d.running()
}

// refused starts the daemon, which must end by itself with status 1, and returns what it said.
func (r *rig) refused(t *testing.T) string {
	t.Helper()
	d, _ := r.launch(t)
	select {
	case <-d.ended:
	case <-time.After(patience):
		t.Fatal("the daemon runs although it should have refused")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("the daemon ended with status %d, want 1:\n%s", code, d.log)
	}
	return d.log.String()
}

func (d *daemon) running() bool {
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// kill ends the process as kill -9 does.
func (d *daemon) kill() {
	_ = d.cmd.Process.Kill() // it may have ended by itself
	<-d.ended
}

// signal sends a signal to the process.
func (d *daemon) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// stopLimit is how long a clean stop may take. The daemon gives itself less than ten seconds and says so when they are over;
// the rest is for a busy machine. Waiting for a queue that does not answer would take longer than this.
const stopLimit = 25 * time.Second

// stop ends the process as a service manager does. It must be quick and clean.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	began := time.Now()
	d.signal(t, syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(patience):
		t.Fatalf("the daemon does not stop:\n%s", tail(d.log.String()))
	}
	if took := time.Since(began); took > stopLimit {
		t.Errorf("the stop took %v, more than %v", took, stopLimit)
	}
	if !d.cmd.ProcessState.Success() {
		t.Errorf("the daemon ended with %v:\n%s", d.cmd.ProcessState, tail(d.log.String()))
	}
}

func tail(s string) string { return s[max(0, len(s)-8000):] }

// ask makes a request and returns the status and the body.
func (d *daemon) ask(t *testing.T, method, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer.StatusCode, string(text)
}

// get decodes an answer of the API.
func (d *daemon) get(t *testing.T, path string, into any) {
	t.Helper()
	status, body := d.ask(t, http.MethodGet, path)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

// sources is what the daemon says of what it reads.
func (d *daemon) sources(t *testing.T) web.Sources {
	t.Helper()
	var s web.Sources
	d.get(t, "/api/v1/sources", &s)
	return s
}

// source is what it says of one queue.
func (d *daemon) source(t *testing.T, queue string) web.Source {
	t.Helper()
	for _, s := range d.sources(t).Sources {
		if s.Name == "ses/"+queue {
			return s
		}
	}
	t.Fatalf("no source ses/%s", queue)
	return web.Source{}
}

// metric sums the samples of a metric that have these labels: name, value, name, value … It is -1 when there is no such metric.
func (d *daemon) metric(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	status, body := d.ask(t, http.MethodGet, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("GET /metrics: %d %s", status, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatalf("GET /metrics: %v", err)
	}
	if families[name] == nil {
		return -1
	}
	sum := 0.0
	for _, m := range families[name].GetMetric() {
		has := make(map[string]string)
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		fits := true
		for i := 0; i < len(labels); i += 2 {
			fits = fits && has[labels[i]] == labels[i+1]
		}
		if fits {
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return sum
}

// shows waits until a metric has a value. The first scrape shows a new series of a counter as 0.
func (d *daemon) shows(t *testing.T, want int, name string, labels ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s%q is %d", name, labels, want), func() string {
		if n := d.metric(t, name, labels...); n != float64(want) {
			return fmt.Sprint(n)
		}
		return ""
	})
}

// ready waits until the daemon says that it can work.
func (d *daemon) ready(t *testing.T) {
	t.Helper()
	eventually(t, "the daemon is ready", func() string {
		status, body := d.ask(t, http.MethodGet, "/-/ready")
		if status == http.StatusOK {
			return ""
		}
		return body
	})
}

// memory is how much memory the process has used at most, in bytes.
func (d *daemon) memory(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(d.cmd.Process.Pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("the system does not tell how much memory a process has used")
	return 0
}

// run runs another command of the program to its end and returns its status and all that it printed.
func (r *rig) run(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	text, err := r.command(t.Context(), append(args, "--config", r.file)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode(), string(text)
	}
	return 0, string(text)
}
