package config

import (
	"fmt"
	"time"
)

// checkSources checks how the sources go together, and each on its own.
func (c *Config) checkSources(d *decoder) {
	s := c.Collectors
	if len(s.SES)+len(s.Postmaster)+len(s.ReceiptRules)+len(s.Account) == 0 && !d.faultsBelow("collectors") {
		d.fault(d.at("collectors"), "collectors", fault{"names no source, so there is nothing to read",
			"write, for example, collectors: {ses: [{queue_url: \"https://sqs.us-east-1.amazonaws.com/123456789012/ses-events\"}]}"})
	}
	names := make(map[Name]string)
	s.checkQueues(d, names)
	s.checkAccounts(d, names)
	s.checkCloudWatch(d, names)
}

// checkName keeps two sources from having one name: it is what tells them apart in the ledger and in metrics.
func checkName(d *decoder, path string, name Name, names map[Name]string) {
	if first, twice := names[name]; twice && !d.faultsAt(path+".name") {
		d.fault(d.at(path+".name"), path+".name", fault{
			fmt.Sprintf("%s is the name of %s too", quoted(string(name)), first), "give one of them another name"})
	}
	names[name] = path
}

func (s *Collectors) checkQueues(d *decoder, names map[Name]string) {
	urls := make(map[QueueURL]int)
	for i, q := range s.SES {
		path := indexed("collectors.ses", i)
		if q.QueueURL == "" {
			continue
		}
		if first, twice := urls[q.QueueURL]; twice {
			d.fault(d.at(path+".queue_url"), path+".queue_url", fault{fmt.Sprintf("is the queue of collectors.ses[%d] too", first), "remove one of the two"})
			continue
		}
		urls[q.QueueURL] = i
		checkName(d, path, q.name(), names)
		checkRegion(d, path+".region", q)
	}
}

// name is the queue's name, given or from its URL.
func (q *SES) name() Name {
	if q.Name != "" {
		return q.Name
	}
	return Name(q.QueueURL.Name())
}

func checkRegion(d *decoder, path string, q SES) {
	told := q.QueueURL.Region()
	switch {
	case told == "" && q.Region == "" && !d.given(path):
		d.fault(d.at(path), path, fault{"is missing, and the URL does not tell it", "write region: us-east-1, or whichever it is"})
	case told != "" && q.Region != "" && told != q.Region:
		d.fault(d.at(path), path, fault{fmt.Sprintf("is not the region of the URL, which is %s", told), "remove the key, or correct the URL"})
	}
}

// checkAccounts checks the Google accounts.
func (s *Collectors) checkAccounts(d *decoder, names map[Name]string) {
	read := make(map[string]string)
	for i, account := range s.Postmaster {
		path := indexed("collectors.postmaster", i)
		checkName(d, path, account.name(), names)
		account.check(d, path)
		account.checkDomains(d, path+".domains", read)
		if zone := s.Postmaster[0].DayZone; account.DayZone != zone && account.DayZone != "" && zone != "" && !d.faultsAt(path+".day_zone") {
			d.fault(d.at(path+".day_zone"), path+".day_zone", fault{
				fmt.Sprintf("is %s, but that of collectors.postmaster[0] is %s, and Gmail cuts its days in one zone only", account.DayZone, zone),
				"write the same in each"})
		}
	}
}

// name is the account's name, given or the standard one.
func (p *Postmaster) name() Name {
	if p.Name != "" {
		return p.Name
	}
	return "postmaster"
}

// oftenEnough is the cadence below which more passes bring nothing but use up the quota.
const oftenEnough = Duration(5 * time.Minute)

func (p *Postmaster) check(d *decoder, path string) {
	if p.API == "v1" {
		d.warning(d.at(path+".api"), path+".api", fault{"this version is legacy: Google is switching it off", "write v2"})
	}
	for _, k := range []struct {
		key   string
		value Duration
	}{{".window", p.Window}, {".backfill", p.Backfill}} {
		if k.value%Duration(day) != 0 && !d.faultsAt(path+k.key) {
			d.fault(d.at(path+k.key), path+k.key, fault{"must be whole days", "write " + (k.value / Duration(day) * Duration(day)).String()})
		}
	}
	if p.Backfill < p.Window && !d.faultsAt(path+".window") && !d.faultsAt(path+".backfill") {
		d.fault(d.at(path+".backfill"), path+".backfill", fault{
			fmt.Sprintf("is shorter than window, which is %s", p.Window), fmt.Sprintf("write %s or more, or lower window", p.Window)})
	}
	if p.Endpoint == "" && p.Every < oftenEnough && !d.faultsAt(path+".every") {
		d.warning(d.at(path+".every"), path+".every", fault{
			"Gmail's figures change once a day, so asking so often only uses up the quota", "write 1h"})
	}
	if !p.Endpoint.Encrypted() {
		d.warning(d.at(path+".endpoint"), path+".endpoint", fault{
			"is not encrypted, so others on the way can read the account's token", "write https:// instead of http://"})
	}
}

// maxDomains bounds the domains of one account, as its collector does.
const maxDomains = 2000

// checkDomains keeps a domain from being read twice: which account may read it would be hard to tell apart from which may
// not. Figures of the two versions are told apart.
func (p *Postmaster) checkDomains(d *decoder, path string, read map[string]string) {
	if len(p.Domains) > maxDomains {
		d.fault(d.at(path), path, fault{fmt.Sprintf("has more than %d domains", maxDomains), "share them out among several accounts"})
		return
	}
	for i, domain := range p.Domains {
		at, key := indexed(path, i), p.API+"/"+string(domain)
		if domain == "" {
			continue
		}
		if first, twice := read[key]; twice {
			d.fault(d.at(at), at, fault{fmt.Sprintf("%s is at %s already", domain, first), "remove one of the two"})
			continue
		}
		read[key] = at
	}
}
