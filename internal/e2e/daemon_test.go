package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// daemon is a running "mailvane run".
type daemon struct {
	url string
	cmd *exec.Cmd
	// ended is closed when its log has ended; then log is the whole of it.
	ended chan struct{}
	log   strings.Builder
}

// built holds the program, once a test has asked for it.
var built = filepath.Join(os.TempDir(), fmt.Sprintf("mailvane-e2e-%d", os.Getpid()))

// TestMain removes the program that the tests have shared.
func TestMain(m *testing.M) {
	status := m.Run()
	_ = os.RemoveAll(built) // what is left of it is in a folder for what is left
	os.Exit(status)
}

var buildOnce = sync.OnceValue(func() error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(built, "mailvane"), "../../cmd/mailvane")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
})

// build compiles the program as it is shipped, for all tests once.
func build(t *testing.T) string {
	t.Helper()
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(built, "mailvane")
}

// startDaemon runs the program until it is stopped, with nothing in its environment but what it is given.
func startDaemon(t *testing.T, program, config string, env ...string) *daemon {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mailvane.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &daemon{ended: make(chan struct{})}
	d.cmd = exec.CommandContext(t.Context(), program, "run", "--config", file, "--listen", "127.0.0.1:0", "--log.format", "json")
	d.cmd.Env = slices.Concat(env, []string{"HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir()})
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	go d.follow(stderr, address)
	select {
	case a := <-address:
		d.url = "http://" + a
	case <-d.ended:
		t.Fatalf("the daemon ended at once: %v\n%s", d.cmd.Wait(), d.log.String())
	case <-time.After(5 * time.Minute):
		t.Fatal("the daemon did not say within five minutes where it listens")
	}
	return d
}

// follow reads the log to its end and tells the address that it names first.
func (d *daemon) follow(log io.Reader, address chan<- string) {
	defer close(d.ended)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		d.log.Write(append(lines.Bytes(), '\n'))
		var line struct{ Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Address != "" {
			select {
			case address <- line.Address:
			default:
			}
		}
	}
}

// stop ends the daemon as a service manager does and returns its log.
func (d *daemon) stop(t *testing.T) string {
	t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.ended
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the daemon ended with %v\n%s", err, d.log.String())
	}
	return d.log.String()
}

// get decodes an answer of the API.
func (d *daemon) get(t *testing.T, path string, into any) {
	t.Helper()
	body := d.open(t, path)
	defer body.Close()
	if err := json.NewDecoder(body).Decode(into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}

// counters sums the samples of a metric by the value of one label. What is 0 is left out.
func (d *daemon) counters(t *testing.T, metric, label string) map[string]int64 {
	t.Helper()
	body := d.open(t, "/metrics")
	defer body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(body)
	if err != nil {
		t.Fatalf("GET /metrics: %v", err)
	}
	sums := make(map[string]int64)
	for _, m := range families[metric].GetMetric() {
		for _, l := range m.GetLabel() {
			if v := m.GetCounter().GetValue(); l.GetName() == label && v != 0 {
				sums[l.GetValue()] += int64(v)
			}
		}
	}
	return sums
}

func (d *daemon) open(t *testing.T, path string) io.ReadCloser {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body) // what can be read of it says enough
		resp.Body.Close()
		t.Fatalf("GET %s: %s: %s", path, resp.Status, text)
	}
	return resp.Body
}
