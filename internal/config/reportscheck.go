package config

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Bounds of reports. Each is made by itself, and each destination waits for the one before.
const (
	maxReports      = 100
	maxDestinations = 50
	maxReportOwners = 100
)

// checkReports checks how the parts of reports go together.
func (c *Config) checkReports(d *decoder) {
	if len(c.Reports) > maxReports {
		d.fault(d.at("reports"), "reports", fault{fmt.Sprintf("has more than %d reports", maxReports), "write fewer"})
		return
	}
	names := make(map[Name]string)
	for i := range c.Reports {
		if d.full() {
			return
		}
		r, at := &c.Reports[i], indexed("reports", i)
		if first, twice := names[r.name()]; twice && !d.faultsAt(at+".name") {
			d.fault(d.at(at+".name"), at+".name", fault{
				fmt.Sprintf("%s is called %s too", first, quoted(string(r.name()))), fmt.Sprintf("write name: %s-%d", defaultReport, i+1)})
		} else {
			names[r.name()] = at
		}
		c.checkReportOwner(d, at, r)
		r.checkDestinations(d, at+".to")
	}
	if len(c.Reports) > 0 && len(c.Alerts.Notifiers) == 0 && c.HTTP.ExternalURL == "" && !d.faultsBelow("http") {
		d.warning(d.at("http"), "http.external_url", fault{
			"is missing, so the links in reports lead to the listen address", "write the address under which people reach the pages"})
	}
}

func (c *Config) checkReportOwner(d *decoder, at string, r *Report) {
	if d.faultsBelow("campaigns.owners") || d.faultsAt(at+".owner") {
		return
	}
	owners := c.Owners()
	switch {
	case r.Owner != "" && r.PerOwner:
		d.fault(d.at(at+".owner"), at+".owner", fault{"there is per_owner too, which is about all owners", "remove one of the two"})
	case r.Owner != "" && !slices.Contains(owners, string(r.Owner)):
		f := fault{fmt.Sprintf("%s is none of campaigns.owners", quoted(string(r.Owner))), "name one of them"}
		if near := nearest(string(r.Owner), owners); near != "" {
			f.instead = "did you mean " + printable(near) + "?"
		}
		d.fault(d.at(at+".owner"), at+".owner", f)
	case r.PerOwner && len(owners) == 0:
		d.fault(d.at(at+".per_owner"), at+".per_owner", fault{"no campaign has an owner", "write campaigns.owners, or remove it"})
	case r.PerOwner && len(owners) > maxReportOwners:
		d.fault(d.at(at+".per_owner"), at+".per_owner", fault{
			fmt.Sprintf("campaigns.owners names more than %d owners", maxReportOwners), "write a report for each of those that matter, with owner"})
	}
}

func (r *Report) checkDestinations(d *decoder, path string) {
	if len(r.To) > maxDestinations {
		d.fault(d.at(path), path, fault{fmt.Sprintf("has more than %d destinations", maxDestinations), "write fewer"})
		return
	}
	names := make(map[Name]bool)
	for i := range r.To {
		t, at := &r.To[i], indexed(path, i)
		t.check(d, at)
		if d.faultsBelow(at) {
			continue
		}
		if name := t.name(); names[name] {
			d.fault(d.at(at), at+".name", fault{
				fmt.Sprintf("another destination of this report is called %s", quoted(string(name))), fmt.Sprintf("write name: %s-%d", t.Kind(), i+1)})
		}
		names[t.name()] = true
	}
}

func (t *ReportDestination) check(d *decoder, path string) {
	exactlyOne(d, path, []choice{
		{"dir", t.Dir != "" || d.given(path+".dir")}, {"s3", t.S3 != nil}, {"email", t.Email != nil}, {"slack", t.Slack != nil},
		{"webhook", t.Webhook != nil},
	})
	n := Notifier{Email: t.Email, Slack: t.Slack, Webhook: t.Webhook}
	n.checkParts(d, path)
	if len(t.Formats) == 0 {
		return
	}
	if kind := t.Kind(); kind != "dir" && kind != "s3" && !d.faultsBelow(path) {
		d.fault(d.at(path+".formats"), path+".formats", fault{"is for files, and " + kind + " has a form of its own", "remove it"})
	}
	for i, f := range t.Formats {
		if at := indexed(path+".formats", i); slices.Contains(t.Formats[:i], f) && f != "" {
			d.fault(d.at(at), at, fault{f + " is in the list already", "remove one of the two"})
		}
	}
}

// Folder is the path of a folder. After Load it is relative to nothing but the working directory.
type Folder string

func (f *Folder) set(text string) *fault {
	switch {
	case text == "":
		return &fault{"is empty", ""}
	case strings.HasPrefix(text, "~"):
		return &fault{"~ does not stand for a home folder here", "write the whole path"}
	case strings.Contains(text, "://"):
		return &fault{quoted(text) + " is not the path of a folder", "for a bucket, write s3: {bucket: …, region: …}"}
	}
	*f = Folder(path.Clean(text))
	return nil
}

func (*Folder) form() string { return "the path of a folder" }

// BucketName is the name of a bucket of S3.
type BucketName string

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (b *BucketName) set(text string) *fault {
	if name, ok := strings.CutPrefix(text, "s3://"); ok {
		name, _, _ = strings.Cut(name, "/")
		return &fault{"is an address, and not the name of a bucket", "write " + printable(name) + ", and what follows it as prefix"}
	}
	if !bucketForm.MatchString(text) {
		return &fault{quoted(text) + " is not the name of a bucket", ""}
	}
	*b = BucketName(text)
	return nil
}

func (*BucketName) form() string { return "the name of a bucket" }

// KeyPrefix is what the names of objects begin with.
type KeyPrefix string

// Keys have 1,024 bytes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html), of which the name of a file
// takes up to 200.
const maxPrefix = 800

func (p *KeyPrefix) set(text string) *fault {
	switch {
	case len(text) > maxPrefix:
		return &fault{fmt.Sprintf("is longer than %d bytes", maxPrefix), "write less"}
	case strings.HasPrefix(text, "/"):
		return &fault{quoted(text) + " begins with /, which makes a folder without a name", "write it without the first /"}
	}
	*p = KeyPrefix(text)
	return nil
}

func (*KeyPrefix) form() string { return "text" }
