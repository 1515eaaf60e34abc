package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/publish"
	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/simulator/pager"
	"github.com/mailvane/mailvane/internal/simulator/s3"
	"github.com/mailvane/mailvane/internal/simulator/smtp"
)

// everyDestination is a section with one of each kind: of the bucket's folder, of mail, and of the address of Slack and webhooks.
const everyDestination = `
reports:
  - name: weekly
    owner: growth
    to:
      - {dir: reports, formats: [html, md, csv, json]}
      - {s3: {bucket: reports, prefix: mail, region: us-east-1}, formats: csv}
      - email: {from: Mailvane <mailvane@example.com>, to: grace@example.com, smtp: {server: %q, security: none}}
      - {slack: {url_file: slack.url}}
      - {webhook: {url_file: hook.url, key_file: hook.key}}
`

// kept lists the reports that the API shows.
func (r *run) kept(t *testing.T) []publish.Kept {
	t.Helper()
	var got struct{ Reports []publish.Kept }
	if err := json.NewDecoder(r.get(t, "/api/v1/reports").Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	return got.Reports
}

// TestReportsGoEverywhere has a daemon make the report of last week and deliver it to a place of each kind, over the real wire.
func TestReportsGoEverywhere(t *testing.T) {
	o := quietDemo(morning, "flash-friday")
	o.Story.Campaigns[0].Sends[0].Mails = 1000
	o.S3.Buckets = []s3.Bucket{{Name: "reports"}}
	o.Pager = pager.Options{WebhookKeys: [][]byte{bytes.Repeat([]byte{1}, 32)}}
	mails, err := smtp.Start(t.Context(), smtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mails.Close)
	r := startWith(t, o, func(whole string) string {
		return without(whole, "  postmaster:", "") + fmt.Sprintf(everyDestination, mails.Address())
	})
	// While a queue has not said what it holds, nobody knows.
	silent := jobOf(kindSES, "silent")
	err = r.daemon.passes.Add(schedule.Job{Name: silent, MaxConcurrent: 1, Run: func(ctx context.Context) (bool, error) {
		<-ctx.Done()
		return false, ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.daemon.reportable(); err == nil {
		t.Error("a report could be made before the queues were read")
	}
	if err := r.daemon.passes.Remove(t.Context(), silent); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"slack.url": r.sim.URL() + pager.SlackPath + "T0/B0/secret", "hook.url": r.sim.URL() + pager.WebhookPath,
		"hook.key": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)),
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(r.file), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.daemon.readHistory(t.Context(), r.sim.History(morning.AddDate(0, 0, -6), morning)); err != nil {
		t.Fatal(err)
	}
	if err := r.daemon.reports.publisher.MakeNow(t.Context(), "weekly"); err != nil {
		t.Fatal(err)
	}
	r.daemon.chores.Trigger(deliveriesJob)
	var open []publish.Delivery
	defer func() {
		if t.Failed() {
			t.Logf("not delivered: %+v", open)
		}
	}()
	r.until(t, "delivered", func() bool {
		open = slices.DeleteFunc(r.kept(t)[0].Deliveries, func(d publish.Delivery) bool { return d.State == "delivered" })
		return len(open) == 0
	})
	r.checkDelivered(t, mails)
	r.checkAfterRestart(t, mails)
}

// checkDelivered holds that each place has the report that the API shows.
func (r *run) checkDelivered(t *testing.T, mails *smtp.Server) {
	t.Helper()
	kept := r.kept(t)[0]
	id := report.Week(morning, time.UTC).Previous().ID()
	if kept.Period != id || kept.Owner != "growth" || len(kept.Deliveries) != 5 {
		t.Errorf("kept: %+v", kept)
	}
	shown := make(map[string][]byte)
	for _, f := range report.Formats() {
		body, err := io.ReadAll(r.get(t, "/api/v1/reports/1?format="+string(f)).Body)
		if err != nil {
			t.Fatal(err)
		}
		shown[string(f)] = body
		file, err := os.ReadFile(filepath.Join(filepath.Dir(r.file), "reports", "weekly_"+id+"_growth."+string(f)))
		if diff := cmp.Diff(string(body), string(file)); err != nil || diff != "" {
			t.Errorf("the %s in the folder is another: %v %.500s", f, err, diff)
		}
	}
	if !strings.Contains(string(shown["md"]), "flash-friday") {
		t.Errorf("the report does not know the campaign:\n%.2000s", shown["md"])
	}
	if object := r.sim.S3().Object("reports", "mail/weekly_"+id+"_growth.csv"); !bytes.Equal(object.Data, shown["csv"]) || object.Puts != 1 {
		t.Errorf("the bucket has %q with %d bytes", r.sim.S3().Keys("reports"), len(object.Data))
	}
	if all := mails.Mails(); len(all) != 1 || all[0].To[0] != "grace@example.com" {
		t.Errorf("%d mails", len(all))
	} else {
		checkImages(t, strings.ReplaceAll(string(all[0].Data), "=\r\n", "")) // lines as they were
	}
	link := r.url + "/api/v1/reports/1?format=html"
	if posts := r.sim.Pager().Posts(); len(posts) != 1 || !strings.Contains(strings.Join(posts[0].Texts, "\n"), link) {
		t.Errorf("Slack has %+v", posts)
	}
	var hook struct {
		Link   string
		Report json.RawMessage
	}
	hooks := r.sim.Pager().Deliveries()
	if len(hooks) != 1 || json.Unmarshal(hooks[0].Body, &hook) != nil || hook.Link != link || len(hook.Report) == 0 {
		t.Errorf("the webhook took %d deliveries, the last with %s", len(hooks), hook.Link)
	}
	metrics := r.metrics(t)
	for _, kind := range []string{"dir", "s3", "email", "slack", "webhook"} {
		if !strings.Contains(metrics, fmt.Sprintf(`mailvane_reports_total{destination=%q,report="weekly",result="success"`, kind)) ||
			!strings.Contains(metrics, fmt.Sprintf(`mailvane_reports_waiting_duration_seconds{destination=%q`, kind)) {
			t.Errorf("metrics do not tell of %s", kind)
		}
	}
}

var contentID = regexp.MustCompile(`(?mi)^Content-Id: <([^>]+)>`)

// checkImages holds that a mail has charts, and shows all of them.
func checkImages(t *testing.T, mail string) {
	t.Helper()
	images := contentID.FindAllStringSubmatch(mail, -1)
	if shown := strings.Count(mail, "cid:"); len(images) == 0 || shown != len(images) {
		t.Errorf("a mail with %d images shows %d", len(images), shown)
	}
	for _, image := range images {
		if !strings.Contains(mail, "cid:"+image[1]) {
			t.Errorf("the image %s is not shown", image[1])
		}
	}
}

// checkAfterRestart holds that neither a start nor a reload makes or delivers anything again.
func (r *run) checkAfterRestart(t *testing.T, mails *smtp.Server) {
	t.Helper()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r.restart(t)
	r.write(t, strings.Replace(r.text(t), "name: weekly", "name: weekly\n    schedule: 03:00", 1))
	r.reload(t)
	for range 2 {
		if err := r.daemon.reports.publisher.MakeDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.daemon.reports.publisher.DeliverDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.kept(t)); n != 1 || len(mails.Mails()) != 1 {
		t.Errorf("%d reports, %d mails", n, len(mails.Mails()))
	}
}
