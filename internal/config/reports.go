package config

import (
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/schedule/calendar"
)

// Report is a report that is made again and again.
type Report struct {
	// The name of the report in files, metrics, logs and the API, and in the ledger, which knows by it what was made. A second
	// report needs one of its own.
	Name Name `yaml:"name" example:"weekly" unset:"weekly"`
	// When it is made, by the clock of `zone`: days of the week and a time, or the five fields of a cron expression. It speaks of
	// the last whole week, Monday to Sunday, before that. A second time in the same week makes a second edition, which says what
	// has changed since the first: late complaints, Gmail's late days. What falls into a downtime is made up once.
	Schedule Schedule `yaml:"schedule" example:"\"Mon,Thu 08:00\""`
	// The time zone of `schedule`, and that in which weeks and days begin.
	Zone Zone `yaml:"zone" example:"Europe/Berlin" unset:"ledger.zone"`
	// Whose campaigns it speaks of: one of `campaigns.owners`.
	Owner Name `yaml:"owner" example:"growth" unset:"everybody's"`
	// Whether it is made once for each of `campaigns.owners` instead, with their campaigns alone, up to 100.
	PerOwner bool `yaml:"per_owner" example:"true"`
	// Which campaigns it speaks of; `*` stands for any text.
	Campaign Glob `yaml:"campaign" example:"\"promo-*\"" unset:"all"`
	// Where it goes. It is kept in the ledger in any case, where `/api/v1/reports` shows it.
	To []ReportDestination `yaml:"to" required:"true" example:"[{dir: reports}]"`
}

// ReportDestination is where a report goes. Exactly one of Dir, S3, Email, Slack and Webhook is set.
type ReportDestination struct {
	// The name of the destination in the API and in the ledger, which knows by it what was delivered. A second one of a kind
	// needs a name of its own.
	Name Name `yaml:"name" example:"archive" unset:"its kind, such as email"`
	// A folder, to which a file is written. It is made if the folder around it is there. A relative path starts at the
	// configuration file's folder.
	Dir Folder `yaml:"dir" example:"/var/lib/mailvane/reports"`
	// A bucket of S3, into which an object is put.
	S3 *S3 `yaml:"s3"`
	// Mail addresses, with the keys of a notifier's `email`: the report with its charts, in HTML and as text.
	Email *Email `yaml:"email"`
	// A channel of Slack, with the keys of a notifier's `slack`: the report in a few lines, and a link to the whole.
	Slack *Slack `yaml:"slack"`
	// An address of your own, with the keys of a notifier's `webhook`: the report as signed JSON. See docs/webhook.md.
	Webhook *Webhook `yaml:"webhook"`
	// The forms of the files in a folder or a bucket: one, or a list.
	Formats Formats `yaml:"formats" oneof:"html,md,csv,json" example:"[html, csv]" unset:"html"`
}

// S3 is a bucket.
type S3 struct {
	// The name of the bucket.
	Bucket BucketName `yaml:"bucket" required:"true" example:"example-reports"`
	// What the names of the objects begin with.
	Prefix KeyPrefix `yaml:"prefix" example:"mailvane/"`
	// The AWS region of the bucket.
	Region Region `yaml:"region" required:"true" example:"us-east-1"`
	// A role to assume, for example one in another account. It needs the permission `s3:PutObject`.
	RoleARN RoleARN `yaml:"role_arn" example:"arn:aws:iam::123456789012:role/mailvane"`
}

// Formats are forms of a report's files.
type Formats []string

func (Formats) single() {}

// defaultReport is the name of a report that has none.
const defaultReport = "weekly"

func (r *Report) prefill() { r.Schedule = "Mon 08:00" }

// name is the report's name, given or not.
func (r *Report) name() Name {
	if r.Name != "" {
		return r.Name
	}
	return defaultReport
}

// Kind says what a destination is: dir, s3, email, slack or webhook.
func (t *ReportDestination) Kind() string {
	switch {
	case t.S3 != nil:
		return "s3"
	case t.Email != nil:
		return "email"
	case t.Slack != nil:
		return "slack"
	case t.Webhook != nil:
		return "webhook"
	default:
		return "dir"
	}
}

// name is the destination's name, given or not.
func (t *ReportDestination) name() Name {
	if t.Name != "" {
		return t.Name
	}
	return Name(t.Kind())
}

// ReportSchedule is when a report is made.
func (c *Config) ReportSchedule(r *Report) (calendar.Schedule, error) {
	zone := c.Ledger.Zone
	if r.Zone != "" {
		zone = r.Zone
	}
	location, err := time.LoadLocation(string(zone))
	if err != nil {
		return calendar.Schedule{}, err
	}
	return calendar.Parse(string(r.Schedule), location)
}

// ReportOwners are the owners of whom a report is made each; an empty one stands for everybody.
func (c *Config) ReportOwners(r *Report) []string {
	if !r.PerOwner {
		return []string{string(r.Owner)}
	}
	return c.Owners()
}

// Owners lists the owners of campaigns, each once.
func (c *Config) Owners() (owners []string) {
	seen := map[Name]bool{"": true}
	for _, o := range c.Campaigns.Owners {
		if !seen[o.Owner] {
			owners = append(owners, string(o.Owner))
		}
		seen[o.Owner] = true
	}
	return owners
}

// within makes the paths of a report start at folder.
func (r *Report) within(folder string) {
	for i := range r.To {
		t := &r.To[i]
		t.Dir = within(folder, t.Dir)
		n := Notifier{Email: t.Email, Slack: t.Slack, Webhook: t.Webhook}
		n.within(folder)
	}
}

// complete fills what follows from other values.
func (r *Report) complete() {
	r.Name = r.name()
	for i := range r.To {
		t := &r.To[i]
		t.Name = t.name()
		if len(t.Formats) == 0 && (t.Dir != "" || t.S3 != nil) {
			t.Formats = Formats{"html"}
		}
	}
}

// Schedule says when something is made: "Mon 08:00", or a cron expression.
type Schedule string

func (s *Schedule) set(text string) *fault {
	if _, err := calendar.Parse(text, time.UTC); err != nil {
		problem, _, _ := strings.Cut(err.Error(), ": ")
		return &fault{quoted(text) + " " + problem, `write, for example, Mon 08:00, "Mon,Thu 08:00", or "0 8 1 * *" for the first of each month`}
	}
	*s = Schedule(text)
	return nil
}

func (*Schedule) form() string { return "a schedule" }
