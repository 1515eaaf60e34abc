package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/watch"
)

const (
	defaultSilences = 1000
	maxSilences     = 5000
	// maxBody bounds what a request may say.
	maxBody = 64 << 10
)

func (s *server) silences(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	all, limit := choice(&p, "all", "true", "false") == "true", p.number("limit", defaultSilences, 1, maxSilences)
	if !p.done(w) {
		return
	}
	list, err := s.Alerts.Silences(r.Context(), all, limit)
	if err != nil {
		s.fault(w, err)
		return
	}
	s.json(w, list)
}

func (s *server) addSilence(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	if !p.done(w) {
		return
	}
	body, ok := readJSON(w, r)
	if !ok {
		return
	}
	wanted, err := parseSilence(body, s.Alerts.o.Now())
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	added, err := s.Alerts.AddSilence(r.Context(), wanted)
	switch {
	case errors.Is(err, watch.ErrSilences):
		problem(w, http.StatusConflict, err.Error())
	case errors.Is(err, watch.ErrSilence):
		problem(w, http.StatusBadRequest, oneLine(err))
	case err != nil:
		s.fault(w, err)
	default:
		s.Log.Info("silence added", "silence", added.ID, "ends_at", added.EndsAt, "by", added.CreatedBy)
		w.Header().Set("Location", "/api/v1/silences/"+added.ID)
		s.jsonStatus(w, http.StatusCreated, added)
	}
}

func (s *server) endSilence(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	if !p.done(w) {
		return
	}
	id := r.PathValue("id")
	if len(id) > maxID {
		problem(w, http.StatusNotFound, watch.ErrNoSilence.Error())
		return
	}
	ended, err := s.Alerts.EndSilence(r.Context(), id)
	switch {
	case errors.Is(err, watch.ErrSilenceEnded):
		problem(w, http.StatusConflict, "the silence has ended already, at "+ended.EndsAt.Format(time.RFC3339))
	case errors.Is(err, watch.ErrNoSilence):
		problem(w, http.StatusNotFound, watch.ErrNoSilence.Error())
	case err != nil:
		s.fault(w, err)
	default:
		s.Log.Info("silence ended", "silence", ended.ID)
		s.json(w, ended)
	}
}

// readJSON reads the body of a request. Only JSON that says so is taken: what a form of another site can send does not.
func readJSON(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		problem(w, http.StatusUnsupportedMediaType, "Content-Type must be application/json")
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		problem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body must not be larger than %d bytes", maxBody))
		return nil, false
	}
	if err != nil {
		problem(w, http.StatusBadRequest, "the body cannot be read to its end")
		return nil, false
	}
	return body, true
}

// silenceJSON is a silence as it is asked for.
type silenceJSON struct {
	Matchers  []json.RawMessage `json:"matchers"`
	StartsAt  string            `json:"starts_at"`
	EndsAt    string            `json:"ends_at"`
	Duration  string            `json:"duration"`
	CreatedBy string            `json:"created_by"`
	Comment   string            `json:"comment"`
}

// parseSilence reads what is to be silenced. Its error says everything that is wrong, each with its field.
func parseSilence(body []byte, now time.Time) (alerts.Silence, error) {
	var in silenceJSON
	if err := strictly(body, &in); err != nil {
		return alerts.Silence{}, err
	}
	var faults []error
	fault := func(field, what string) { faults = append(faults, fmt.Errorf("%s: %s", field, what)) }
	out := alerts.Silence{StartsAt: now, CreatedBy: strings.TrimSpace(in.CreatedBy), Comment: strings.TrimSpace(in.Comment)}
	in.times(&out, fault)
	if out.CreatedBy == "" {
		fault("created_by", "must say who wants it")
	}
	if out.Comment == "" {
		fault("comment", "must say why")
	}
	for i, raw := range in.Matchers {
		m, err := parseMatcher(raw)
		if err != nil {
			fault(fmt.Sprintf("matchers[%d]", i), err.Error())
		}
		out.Matchers = append(out.Matchers, m)
	}
	if len(faults) > 0 {
		return out, errors.New(oneLine(errors.Join(faults...)))
	}
	return out, nil
}

// times reads from when to when the silence is to last.
func (in *silenceJSON) times(out *alerts.Silence, fault func(field, what string)) {
	at := func(field, text string, t *time.Time) {
		var err error
		if *t, err = time.Parse(time.RFC3339, text); err != nil {
			fault(field, "must be a time such as 2026-11-20T08:00:00Z")
		}
	}
	if in.StartsAt != "" {
		at("starts_at", in.StartsAt, &out.StartsAt)
	}
	switch {
	case (in.EndsAt != "") == (in.Duration != ""):
		fault("ends_at", "give either this or duration")
	case in.EndsAt != "":
		at("ends_at", in.EndsAt, &out.EndsAt)
	default:
		span, err := watch.ParseSpan(in.Duration)
		if err != nil {
			fault("duration", err.Error())
		}
		out.EndsAt = out.StartsAt.Add(span)
	}
}

// parseMatcher reads "campaign=promo-*", or an object as answers have it.
func parseMatcher(raw json.RawMessage) (m alerts.Matcher, err error) {
	var text string
	switch {
	case raw[0] == '"':
		if err := strictly(raw, &text); err != nil {
			return m, err
		}
		return alerts.ParseMatcher(text)
	case raw[0] != '{':
		return m, errors.New(`must be a text such as "campaign=promo-*", or an object with name, globs and not`)
	}
	err = strictly(raw, &m)
	return m, err
}

// strictly decodes one JSON value. The error is in words for whoever wrote it.
func strictly(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return fmt.Errorf("must be an object, not a JSON %s", wrong.Value)
		}
		return fmt.Errorf("%s: cannot be a JSON %s", wrong.Field, wrong.Value)
	}
	if err != nil && strings.HasPrefix(err.Error(), "json: unknown field ") {
		return fmt.Errorf("there is no field %.100s here", strings.TrimPrefix(err.Error(), "json: unknown field "))
	}
	if err != nil {
		return errors.New("the body is not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body must hold one JSON object and nothing after it")
	}
	return nil
}

// oneLine puts errors that were joined into one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
