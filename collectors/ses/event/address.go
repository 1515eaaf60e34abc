package event

import "strings"

// maxDomain is the longest name of RFC 1035, section 2.3.4, as text.
const maxDomain = 253

// domainOf finds the domain of the first address in a header such as From: a bare address, one in angle brackets behind a
// display name, or a list. It is as lenient as mail is: the address may be odd, the domain must look like one. The result
// is as written, empty when there is none.
func domainOf(from string) string {
	address := firstAddress(from)
	domain := strings.TrimSpace(address[strings.LastIndexByte(address, '@')+1:])
	if len(domain) == len(address) {
		return ""
	}
	domain = strings.TrimSuffix(domain, ".")
	if !isDomain(domain) {
		return ""
	}
	return domain
}

// firstAddress cuts the first address out of a list: what stands in the first angle brackets outside quotes, else what
// stands before the first comma or comment outside quotes (RFC 5322, section 3.4).
func firstAddress(list string) string {
	quoted, address := false, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			inside, _, _ := strings.Cut(list[i+1:], ">")
			return inside
		case c == '@':
			address = true
		case address && (c == ',' || c == '('):
			return list[:i]
		}
	}
	return list
}

// isDomain says whether s can be the name of a domain. Bytes outside ASCII may be (RFC 6532), no dots may adjoin.
func isDomain(s string) bool {
	if s == "" || len(s) > maxDomain || s[0] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c >= 0x80:
		default:
			return false
		}
	}
	return true
}

// placeOf returns the region and account of an ARN such as arn:aws:ses:us-east-1:123456789012:identity/example.com; each is
// empty when it does not look like one.
func placeOf(arn string) (region, account string) {
	rest, found := strings.CutPrefix(arn, "arn:")
	for range 2 { // the partition and the service
		_, rest, _ = strings.Cut(rest, ":")
	}
	region, rest, _ = strings.Cut(rest, ":")
	account, _, _ = strings.Cut(rest, ":")
	if !found {
		return "", ""
	}
	return asRegion(region), asAccount(account)
}

// maxRegion is longer than the name of any AWS region.
const maxRegion = 32

// asRegion returns s when it looks like an AWS region, else nothing.
func asRegion(s string) string {
	if len(s) > maxRegion {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return ""
		}
	}
	return s
}

// asAccount returns s when it is an AWS account, 12 digits, else nothing.
func asAccount(s string) string {
	if len(s) != 12 {
		return ""
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return ""
		}
	}
	return s
}
