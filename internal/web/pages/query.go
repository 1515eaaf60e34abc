package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// badQuery says what is wrong with an address, for people.
type badQuery struct{ faults []string }

func (e *badQuery) Error() string { return strings.Join(e.faults, "; ") + "." }

// query reads the query of an address under the names that the API gives the same things, and remembers what is wrong.
type query struct {
	values url.Values
	faults []string
}

func queryOf(r *http.Request) *query { return &query{values: r.URL.Query()} }

func (q *query) text(name string) string { return strings.TrimSpace(q.values.Get(name)) }

func (q *query) window() signal.Window {
	switch name := q.text("window"); name {
	case "":
		return signal.Week
	default:
		w, ok := signal.ParseWindow(name)
		if !ok || w == signal.Life {
			q.faults = append(q.faults, "The window must be 1h, 24h or 7d")
		}
		return w
	}
}

func (q *query) sort(otherwise string) (view.Sort, string) {
	name := q.text("sort")
	if name == "" {
		name = otherwise
	}
	sort, ok := view.ParseSort(name)
	if !ok {
		q.faults = append(q.faults, "There is no such order")
	}
	return sort, name
}

// match reads a name to look for. One without a star or a question mark may stand anywhere in the campaign's name.
func (q *query) match() (*campaign.Matcher, string) {
	text := q.text("match")
	if text == "" {
		return nil, ""
	}
	if !strings.ContainsAny(text, "*?") {
		text = "*" + text + "*"
	}
	m, err := campaign.NewMatcher([]string{text})
	if err != nil {
		q.faults = append(q.faults, "The name cannot be looked for: "+err.Error())
	}
	return m, text
}

func (q *query) choice(name, otherwise string, of ...string) string {
	text := q.text(name)
	if text == "" {
		return otherwise
	}
	if !slices.Contains(of, text) {
		q.faults = append(q.faults, fmt.Sprintf("%s must be one of %s", name, strings.Join(of, ", ")))
	}
	return text
}

func (q *query) number(name string, otherwise, low, high int) int {
	text := q.text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		q.faults = append(q.faults, fmt.Sprintf("%s must be a whole number from %d to %d", name, low, high))
	}
	return n
}

func (q *query) err() error {
	if len(q.faults) == 0 {
		return nil
	}
	return &badQuery{q.faults}
}

// with is the address with some values of its query set, or taken away where they are empty.
func with(u *url.URL, pairs ...string) string {
	values := u.Query()
	for i := 0; i < len(pairs); i += 2 {
		values.Del(pairs[i])
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	return address(u.EscapedPath(), values)
}

// address is a path, already escaped, with a query, if there is one.
func address(path string, values url.Values) string {
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// campaignURL leads to the page of a campaign. A name may hold anything.
func campaignURL(tenant, id string, w signal.Window) string {
	values := url.Values{}
	if tenant != "" {
		values.Set("tenant", tenant)
	}
	if w != signal.Week {
		values.Set("window", w.String())
	}
	return address("/campaigns/"+url.PathEscape(id), values)
}
