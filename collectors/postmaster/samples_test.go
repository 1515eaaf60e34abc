package postmaster

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	postmaster "google.golang.org/api/gmailpostmastertools/v2"
)

var update = flag.Bool("update", false, "write golden files")

// TestSamples holds what each body of the corpus becomes: readings, or an error. Rows of the samples are found by what their
// names stand for in the sample requests.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "postmaster", "*.json"))
	if err != nil || len(files) < 25 {
		t.Fatalf("found %d samples, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.Contains(name, "_request") {
			continue // they give the names in the answers their meaning
		}
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) {
				if strings.HasPrefix(name, "v1_") {
					o.API = V1
				}
				if strings.Contains(name, "domains_list") {
					o.Domains = nil
				}
				if strings.Contains(name, "batchquery") {
					o.Domains = []string{"example.com", "notmine.example.org"}
				}
				if strings.Contains(name, "subdomain") {
					o.Domains = []string{"mail.example.com"}
				}
			})
			serveSample(t, r, name)
			err := r.pass(t)
			text := strings.Join(r.sink.lines(), "\n") + "\n"
			if err != nil {
				text += "error: " + err.Error() + "\n"
			}
			golden(t, strings.TrimSuffix(name, ".json")+".golden", text)
		})
	}
}

// serveSample makes the server answer with a sample where it belongs.
func serveSample(t *testing.T, r *rig, name string) {
	body := sample(t, name)
	switch {
	case strings.HasPrefix(name, "error_"):
		code := map[string]int{"400": 400, "401": 401, "403": 403, "404": 404, "429": 429}[name[6:9]]
		r.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			if code == http.StatusTooManyRequests {
				w.Header().Set("Retry-After", "30")
			}
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
			return true
		}
	case strings.HasPrefix(name, "oauth_"):
		s := newGmail(t)
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(body))
		})
		r.file = userFile(t, s.URL)
	case strings.HasPrefix(name, "v1_domains"), strings.HasPrefix(name, "v2_domains"):
		version := name[:2]
		r.bodies["/"+version+"/domains"] = body
		r.bodies["/"+version+"/domains#SYNTHETIC"] = `{"domains": [{"name": "domains/new.example.com", "permission": "OWNER", "verificationState": "UNVERIFIED"}]}`
		for _, d := range []string{"example.com", "mail.example.com"} {
			r.rows[d] = nil
			r.bodies["/v1/domains/"+d+"/trafficStats"] = `{}`
		}
	case strings.HasPrefix(name, "v1_trafficstats_get"):
		body = `{"trafficStats": [` + body + `]}`
		fallthrough
	case strings.HasPrefix(name, "v1_"):
		r.bodies["/v1/domains/example.com/trafficStats"] = body
		r.bodies["/v1/domains/example.com/trafficStats#SYNTHETIC_TOKEN"] = `{}`
	case strings.HasPrefix(name, "v2_compliance"):
		for _, d := range []string{"example.com", "mail.example.com"} {
			r.rows[d] = nil
			r.bodies["/v2/domains/"+d+"/complianceStatus"] = body
		}
	case name == "v2_batchquery_response.json":
		var got struct {
			Results []struct{ Response json.RawMessage }
		}
		decode(t, body, &got)
		r.rows["example.com"] = sampleRows(t, string(got.Results[0].Response))
	default:
		r.rows["example.com"] = sampleRows(t, body)
	}
}

// sampleRows are the rows of an answer, by what was asked.
func sampleRows(t *testing.T, body string) (rows []row) {
	meaning := make(map[string]*postmaster.MetricDefinition)
	for _, name := range []string{"v2_query_request_core.json", "v2_query_request_fbl_spam_rate.json"} {
		var q postmaster.QueryDomainStatsRequest
		decode(t, sample(t, name), &q)
		for _, m := range q.MetricDefinitions {
			meaning[m.Name] = m
		}
	}
	var got struct {
		DomainStats []struct {
			Metric string
			Date   *date
			Value  json.RawMessage
		}
	}
	decode(t, body, &got)
	for _, s := range got.DomainStats {
		m := meaning[s.Metric]
		if m == nil {
			t.Fatalf("no request names %q", s.Metric)
		}
		d, _ := s.Date.day()
		rows = append(rows, row{metric: m.BaseMetric.StandardMetric, filter: m.Filter, day: d, value: string(s.Value)})
		if i := slices.Index([]string{"fbl_0", "fbl_1"}, s.Metric); i >= 0 { // rates are asked for ids that are listed
			id := []string{"welcome-series", "onboarding"}[i]
			rows = append(rows, row{
				metric: "FEEDBACK_LOOP_ID", filter: condition("aggregation_key_type", aggregations()[i]), day: d,
				value: `{"stringList": {"values": ["` + id + `"]}}`,
			})
		}
	}
	return rows
}

func decode(t *testing.T, body string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatal(err)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}
