package postmaster

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The sizes of pages.
const (
	defaultPage = 10
	maxPage     = 200
)

// pageSize applies the default and the maximum, above which a server may return fewer than it is asked for.
func pageSize(asked int) (int, *apiError) {
	switch {
	case asked < 0:
		return 0, invalid("Page size must not be negative.")
	case asked == 0:
		return defaultPage, nil
	default:
		return min(asked, maxPage), nil
	}
}

// page cuts a list by the parameters pageSize and pageToken.
func page[T any](all []T, parameters url.Values) (cut []T, next string, e *apiError) {
	size, from := 0, 0
	if text := parameters.Get("pageSize"); text != "" {
		var err error
		if size, err = strconv.Atoi(text); err != nil {
			return nil, "", invalid("Invalid value at 'page_size' (TYPE_INT32).")
		}
	}
	if size, e = pageSize(size); e != nil {
		return nil, "", e
	}
	if token := parameters.Get("pageToken"); token != "" {
		text, err1 := base64.RawURLEncoding.DecodeString(token)
		offset, err2 := strconv.Atoi(strings.TrimPrefix(string(text), "from/"))
		if err1 != nil || err2 != nil || offset < 0 || offset > len(all) {
			return nil, "", newError("INVALID_ARGUMENT")
		}
		from = offset
	}
	to := min(from+size, len(all))
	if to < len(all) {
		next = base64.RawURLEncoding.EncodeToString([]byte("from/" + strconv.Itoa(to)))
	}
	return all[from:to], next, nil
}

// domainAnswer is a domain as both versions of the API show it.
type domainAnswer struct {
	Name              string `json:"name"`
	CreateTime        string `json:"createTime,omitempty"`
	LastVerifyTime    string `json:"lastVerifyTime,omitempty"`
	Permission        string `json:"permission"`
	VerificationState string `json:"verificationState,omitempty"`
}

func (d *Domain) answer(op string) domainAnswer {
	a := domainAnswer{Name: "domains/" + d.Name, Permission: d.permission()}
	if !d.Created.IsZero() {
		a.CreateTime = d.Created.UTC().Format(time.RFC3339Nano)
	}
	if op == OpListDomainsV1 || op == OpGetDomainV1 {
		if a.Permission == "ADMIN" { // a word of version 2
			a.Permission = "READER"
		}
		return a
	}
	if !d.Verified.IsZero() {
		a.LastVerifyTime = d.Verified.UTC().Format(time.RFC3339Nano)
	}
	a.VerificationState = "VERIFIED"
	if d.Unverified {
		a.VerificationState = "UNVERIFIED"
	}
	return a
}

func (d *Domain) permission() string {
	if d.Permission == "" {
		return "OWNER"
	}
	return d.Permission
}

// listDomains lists what the account has added, by name.
func (s *Server) listDomains(c *call) (any, *apiError) {
	var all []domainAnswer
	for _, name := range s.names {
		if !c.access.stranger {
			all = append(all, s.domains[name].answer(c.op))
		}
	}
	domains, next, e := page(all, c.r.URL.Query())
	return struct {
		Domains       []domainAnswer `json:"domains,omitempty"`
		NextPageToken string         `json:"nextPageToken,omitempty"`
	}{domains, next}, e
}

func (s *Server) getDomain(c *call) (any, *apiError) {
	d := s.domains[c.domain]
	if d == nil || c.access.stranger {
		return nil, newError("NOT_FOUND")
	}
	return d.answer(c.op), nil
}

// open returns a domain whose figures the token may see. One that is not in the account is refused like one that is.
func (s *Server) open(name string, a *access) (*Domain, *apiError) {
	d := s.domains[name]
	if d == nil || d.Unverified || d.permission() == "NONE" || a.stranger {
		return nil, newError("PERMISSION_DENIED")
	}
	return d, nil
}
