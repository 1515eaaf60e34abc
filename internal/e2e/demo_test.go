package e2e

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/mailvane/mailvane/internal/simulator"
)

// TestDemo shows one demo to those who look at it: a Prometheus that others have written and packaged, and people with a browser.
func TestDemo(t *testing.T) {
	program := build(t)
	d := startDemo(t, program)
	t.Run("looked at", func(t *testing.T) {
		t.Run("by Prometheus", func(t *testing.T) {
			t.Parallel()
			watchedByPrometheus(t, program, d.url)
		})
		t.Run("in a browser", func(t *testing.T) {
			t.Parallel()
			seenInABrowser(t, d)
		})
	})
}

// demo is a running "mailvane demo".
type demo struct {
	url string
	// dir is where it keeps its files.
	dir string
}

// startDemo runs a demo until the test ends, and returns it once it is ready.
func startDemo(t *testing.T, program string) *demo {
	t.Helper()
	d := &demo{dir: t.TempDir()}
	cmd := exec.CommandContext(t.Context(), program, "demo", "--listen", "127.0.0.1:0")
	cmd.Env = []string{"HOME=" + t.TempDir(), "TMPDIR=" + d.dir}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	d.url = runUntilEnd(t, cmd, regexp.MustCompile(`(http://127\.0\.0\.1:\d+)/metrics`), true)
	return d
}

// send puts a message on the demo's first queue.
func (d *demo) send(t *testing.T, body string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.dir, "*", "demo.yaml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the demo's configuration is in %v, %v", files, err)
	}
	config, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`queue_url: "(http://[^"]+)"`).FindSubmatch(config)
	if m == nil {
		t.Fatalf("there is no queue in\n%s", config)
	}
	queue := string(m[1])
	at, err := url.Parse(queue)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{sqs: sqs.New(sqs.Options{
		Region: region, BaseEndpoint: new(at.Scheme + "://" + at.Host),
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(simulator.AccessKey, simulator.SecretKey, "")),
	})}
	p.send(t, queue, body)
}

// quarantine brings an event into quarantine that is understood some time later. Should it take so long that it is believed at
// once, another follows.
func (d *demo) quarantine(t *testing.T) {
	t.Helper()
	for lead := 20 * time.Second; ; lead *= 2 {
		d.send(t, early(lead))
		believed := false
		eventually(t, "the early event is in quarantine", func() string {
			var sources struct{ Quarantine struct{ Messages int64 } }
			(&daemon{url: d.url}).get(t, "/api/v1/sources", &sources)
			var campaigns struct{ Total int }
			(&daemon{url: d.url}).get(t, "/api/v1/campaigns?match=zz-early", &campaigns)
			if believed = campaigns.Total > 0; believed || sources.Quarantine.Messages > 0 {
				return ""
			}
			return "it is nowhere yet"
		})
		if !believed {
			return
		}
	}
}

// early is an event that Mailvane cannot believe until so long is over: it lies too far in the future.
func early(lead time.Duration) string {
	sent := time.Now().Add(10*time.Minute + lead).UTC().Format(time.RFC3339)
	return fmt.Sprintf(`{"eventType":"Delivery","mail":{"timestamp":%[1]q,"messageId":"early-%[2]d","source":"news@example.com",`+
		`"destination":["jane.doe@example.net"],"tags":{"ses:feedback-id-a":["zz-early"]}},`+
		`"delivery":{"timestamp":%[1]q,"recipients":["jane.doe@example.net"]}}`, sent, lead/time.Second)
}
