package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// seldomEnough is the cadence below which CloudWatch costs more and says little more: its points are minutes late.
const seldomEnough = Duration(time.Minute)

// placeInAWS is an account in a region. The account is empty where it is that of the credentials, which only AWS knows.
type placeInAWS struct {
	account string
	region  Region
}

// checkCloudWatch checks the sources that are read from CloudWatch.
func (s *Collectors) checkCloudWatch(d *decoder, names map[Name]string) {
	read := make(map[placeInAWS]string)
	for i, r := range s.ReceiptRules {
		path := indexed("collectors.receipt_rules", i)
		if checkPlace(d, path, placeInAWS{r.RoleARN.Account(), r.Region}, read, "") {
			checkName(d, path, r.name(), names)
		}
		checkEvery(d, path, r.Every)
		r.checkRules(d, path+".rules")
	}
	clear(read)
	for i, account := range s.Account {
		path := indexed("collectors.account", i)
		if checkPlace(d, path, placeInAWS{account.RoleARN.Account(), account.Region}, read, ", and SES answers one request a second") {
			checkName(d, path, account.name(), names)
		}
		checkEvery(d, path, account.Every)
	}
}

// checkPlace keeps an account and region from being read twice. It says whether there is one of which the name can be told.
func checkPlace(d *decoder, path string, at placeInAWS, read map[placeInAWS]string, why string) bool {
	if at.region == "" || d.faultsAt(path+".role_arn") {
		return false
	}
	if first, twice := read[at]; twice {
		d.fault(d.at(path), path, fault{"reads the account and region of " + first + " too" + why, "remove one of the two"})
		return false
	}
	read[at] = path
	return true
}

func checkEvery(d *decoder, path string, every Duration) {
	if every < seldomEnough && !d.faultsAt(path+".every") {
		d.warning(d.at(path+".every"), path+".every", fault{
			"CloudWatch asks for money each time, and its figures come minutes late", "write 5m"})
	}
}

// name is the source's name, given or made of the account and the region, so that it stays what it is when other entries come
// and go.
func (r *ReceiptRules) name() Name {
	return nameInAWS(r.Name, "receipt-rules", placeInAWS{r.RoleARN.Account(), r.Region})
}

// name is as that of ReceiptRules.
func (a *Account) name() Name {
	return nameInAWS(a.Name, "account", placeInAWS{a.RoleARN.Account(), a.Region})
}

func nameInAWS(given Name, kind string, at placeInAWS) Name {
	if given != "" {
		return given
	}
	parts := slices.DeleteFunc([]string{kind, at.account, string(at.region)}, func(part string) bool { return part == "" })
	return Name(strings.Join(parts, "-"))
}

// checkRules checks what receipt rules are for.
func (r *ReceiptRules) checkRules(d *decoder, path string) {
	first := make(map[Regexp]int)
	for i, rule := range r.Rules {
		at := indexed(path, i) + ".match"
		if rule.Match == "" {
			continue
		}
		if before, twice := first[rule.Match]; twice {
			d.fault(d.at(at), at, fault{fmt.Sprintf("is the match of %s too, which decides", indexed(path, before)), "remove one of the two"})
			continue
		}
		first[rule.Match] = i
		if strange := strangeGroup(rule.Match); strange != "" {
			d.fault(d.at(at), at, fault{fmt.Sprintf("names a group %s, which means nothing", quoted(strange)), "call the group campaign"})
		}
	}
}

// strangeGroup finds a named group that is not called campaign.
func strangeGroup(match Regexp) string {
	for _, group := range regexp.MustCompile(string(match)).SubexpNames() {
		if group != "" && group != "campaign" {
			return group
		}
	}
	return ""
}
