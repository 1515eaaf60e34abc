package pager

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tolerance is how old, or how far in the future, a webhook may be.
const tolerance = 5 * time.Minute

// Delivery is a webhook that was taken.
type Delivery struct {
	At time.Time
	ID string
	// Repeated says that one of this id was taken before.
	Repeated bool
	Body     []byte
}

// Deliveries lists the webhooks that were taken, the oldest first.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.hooks)
}

// takeHook verifies a webhook: the signature first, then the time that it covers.
func (s *Server) takeHook(r *http.Request, body []byte) (status int, text []byte) {
	id, at := r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp")
	if id == "" || at == "" || strings.Contains(id, ".") {
		return http.StatusBadRequest, []byte(`"no id or timestamp"`)
	}
	if !s.signed(r.Header.Get("Webhook-Signature"), id, at, body) {
		return http.StatusUnauthorized, []byte(`"no signature fits"`)
	}
	now := s.now()
	seconds, err := strconv.ParseInt(at, 10, 64)
	if age := now.Sub(time.Unix(seconds, 0)); err != nil || age > tolerance || age < -tolerance {
		return http.StatusUnauthorized, []byte(`"the timestamp is too old or in the future"`)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repeated := slices.ContainsFunc(s.hooks, func(d Delivery) bool { return d.ID == id })
	s.hooks = keep(s.hooks, Delivery{At: now, ID: id, Repeated: repeated, Body: bytes.Clone(body)})
	return http.StatusOK, nil
}

// signed says whether one of the signatures is by one of the keys.
func (s *Server) signed(header, id, at string, body []byte) bool {
	for _, key := range s.options.WebhookKeys {
		mac := hmac.New(sha256.New, key)
		mac.Write(slices.Concat([]byte(id), []byte{'.'}, []byte(at), []byte{'.'}, body))
		want := mac.Sum(nil)
		for signature := range strings.FieldsSeq(header) {
			version, text, _ := strings.Cut(signature, ",")
			got, err := base64.StdEncoding.DecodeString(text)
			if version == "v1" && err == nil && hmac.Equal(got, want) {
				return true
			}
		}
	}
	return false
}
