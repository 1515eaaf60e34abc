package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// prometheus is a running Prometheus.
type prometheus struct{ url string }

// startPrometheus runs Debian's Prometheus until the test ends. It scrapes Mailvane at target every second, evaluates the rules
// in folder, and tells alertmanager of alerts.
func startPrometheus(t *testing.T, target, folder, alertmanager string) *prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatalf("this test runs a real Prometheus, Debian's package prometheus: %v", err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs: [{job_name: mailvane, static_configs: [{targets: [%q]}]}]
`, filepath.Join(folder, "*.rules.yaml"), strings.TrimPrefix(alertmanager, "http://"), strings.TrimPrefix(target, "http://"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := runUntilEnd(t, exec.CommandContext(t.Context(), program, "--config.file="+config, "--storage.tsdb.path="+dir,
		"--web.listen-address=127.0.0.1:0"), regexp.MustCompile(`msg="Listening on" address=(127\.0\.0\.1:\d+)`), false)
	p := &prometheus{"http://" + address}
	eventually(t, "Prometheus is ready", func() string {
		if err := p.get(t.Context(), "status/buildinfo", nil, &struct{}{}); err != nil {
			return err.Error()
		}
		return ""
	})
	return p
}

// runUntilEnd starts a program, waits for the place that it names on one of its outputs, and returns that.
func runUntilEnd(t *testing.T, cmd *exec.Cmd, place *regexp.Regexp, stdout bool) string {
	t.Helper()
	pipe := cmd.StderrPipe
	if stdout {
		pipe = cmd.StdoutPipe
	}
	out, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	named, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := place.FindStringSubmatch(lines.Text()); m != nil && len(named) == 0 {
				named <- m[1]
			}
		}
	}()
	t.Cleanup(func() { // the end of the test's context has ended it
		<-ended
		_ = cmd.Wait()
	})
	select {
	case at := <-named:
		return at
	case <-ended:
	case <-time.After(5 * time.Minute):
	}
	t.Fatalf("%s did not say where it listens", cmd)
	return ""
}

// get asks the API; the answer's data is decoded into data.
func (p *prometheus) get(ctx context.Context, path string, query url.Values, data any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/"+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Status, Error string
		Warnings      []string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	if answer.Status != "success" || len(answer.Warnings) > 0 {
		return fmt.Errorf("%s %s %v", answer.Status, answer.Error, answer.Warnings)
	}
	return json.Unmarshal(answer.Data, data)
}

// series counts the series with a known value that a query answers with, over the last half minute or now.
func (p *prometheus) series(ctx context.Context, expr string, over bool) (int, error) {
	now := time.Now()
	path, query := "query", url.Values{"query": {expr}}
	if over {
		path = "query_range"
		query.Set("start", fmt.Sprint(now.Add(-30*time.Second).Unix()))
		query.Set("end", fmt.Sprint(now.Unix()))
		query.Set("step", "5")
	}
	var data struct {
		Result []struct {
			Value  []any
			Values [][]any
		}
	}
	if err := p.get(ctx, path, query, &data); err != nil {
		return 0, err
	}
	n := 0
	for _, s := range data.Result {
		if slices.ContainsFunc(append(s.Values, s.Value), func(v []any) bool { return len(v) == 2 && v[1] != "NaN" }) {
			n++
		}
	}
	return n, nil
}
