package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/alertmanager"
)

// receiver is where Alertmanagers send their notifications.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	heard []string
}

// newReceiver keeps each notification as a line: its group, and of each alert the status, campaign and severity.
func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		var n struct {
			Status      string
			GroupLabels map[string]string
			Alerts      []struct {
				Status string
				Labels map[string]string
			}
		}
		if err := json.NewDecoder(request.Body).Decode(&n); err != nil {
			t.Error(err)
			return
		}
		lines := make([]string, len(n.Alerts))
		for i, a := range n.Alerts {
			lines[i] = fmt.Sprintf("%s %s %s", a.Labels["campaign"], a.Labels["severity"], a.Status)
		}
		slices.Sort(lines)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heard = append(r.heard, fmt.Sprintf("%s/%s %s: %s", n.GroupLabels["alertname"], n.GroupLabels["tenant"], n.Status, strings.Join(lines, ", ")))
	}))
	t.Cleanup(r.Close)
	return r
}

// last is what was heard last.
func (r *receiver) last() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.heard) == 0 {
		return ""
	}
	return r.heard[len(r.heard)-1]
}

// startAlertmanager runs Debian's Alertmanager, which notifies to, until the test ends, and returns its URL.
func startAlertmanager(t *testing.T, to string) string {
	t.Helper()
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Fatalf("this test talks to a real Alertmanager, Debian's package prometheus-alertmanager: %v", err)
	}
	folder := t.TempDir()
	config := filepath.Join(folder, "alertmanager.yml")
	text := fmt.Sprintf(`
route: {receiver: hook, group_by: [alertname, tenant], group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: %q}]}]
`, to)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.path="+folder, "--web.listen-address=127.0.0.1:0",
		"--cluster.listen-address=")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		listens := regexp.MustCompile(`address=(127\.0\.0\.1:\d+)`)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if m := listens.FindStringSubmatch(lines.Text()); m != nil && len(address) == 0 {
				address <- m[1]
			}
		}
	}()
	t.Cleanup(func() { // the end of the test's context has killed it
		<-ended
		_ = cmd.Wait()
	})
	select {
	case a := <-address:
		return "http://" + a
	case <-ended:
	case <-time.After(5 * time.Minute):
	}
	t.Fatal("Alertmanager did not say where it listens")
	return ""
}

// readNotification reads one of testdata, made now of alerts that fire since then.
func readNotification(t *testing.T, name string, since time.Time) *alerts.Notification {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "notifications", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var n alerts.Notification
	if err := json.Unmarshal(data, &n); err != nil {
		t.Fatal(err)
	}
	n.At = time.Now()
	for _, members := range [][]alerts.Member{n.Members, n.Gone} {
		for i := range members {
			members[i].StartedAt = since
		}
	}
	return &n
}

// TestRealAlertmanager holds that two Alertmanagers that others have written and packaged take what is sent, group it, and
// end what has ended.
func TestRealAlertmanager(t *testing.T) {
	one, other := newReceiver(t), newReceiver(t)
	urls := []string{startAlertmanager(t, one.URL), startAlertmanager(t, other.URL)}
	notifier, err := alertmanager.New(alertmanager.Options{Name: "am", URLs: urls})
	if err != nil {
		t.Fatal(err)
	}
	since := time.Now().Add(-time.Hour)
	odd := "<b>& *win*  `now`</b>"
	for _, c := range []struct{ name, want string }{
		{"opened", "firing: spring-sale warning firing"},
		{"worsened", "firing: spring-sale critical firing, spring-sale warning resolved"},
		{"joined", "firing: " + odd + " warning firing, spring-sale critical firing"},
		{"left", "firing: " + odd + " warning resolved, spring-sale critical firing"},
		{"closed", "resolved: spring-sale critical resolved"},
		{"opened", "firing: spring-sale warning firing"},
	} {
		if err := notifier.Notify(t.Context(), readNotification(t, c.name, since)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for _, r := range []*receiver{one, other} {
			eventually(t, "the receiver hears of "+c.name, func() string { return cmp.Diff("CampaignHardBounceRate/acme "+c.want, r.last()) })
		}
	}
	var held []struct {
		Labels, Annotations map[string]string
		GeneratorURL        string
		EndsAt              time.Time
	}
	answer, err := http.Get(urls[0] + "/api/v2/alerts?active=true")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&held); err != nil {
		t.Fatal(err)
	}
	sent := readNotification(t, "opened", since)
	if len(held) != 1 || held[0].Annotations["summary"] != sent.Summary || held[0].GeneratorURL != sent.Links[0].URL ||
		time.Until(held[0].EndsAt) < 3*notifier.ResendEvery() {
		t.Errorf("Alertmanager holds %+v", held)
	}
}
