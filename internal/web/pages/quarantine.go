package pages

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/replay"
)

// Quarantine holds what was not understood, and tries it again.
type Quarantine interface {
	// List lists messages without their bodies, newest first.
	List(ctx context.Context, limit int) ([]Quarantined, error)
	// Show is one message with its body redacted: no page may show it raw. The error is ErrNotQuarantined when it is not
	// there.
	Show(ctx context.Context, id int64) (Quarantined, error)
	// Replay counts what is understood now. On an error it says what was done before; it is ErrNotQuarantined when a message is
	// not there.
	Replay(ctx context.Context, s replay.Selection) (replay.Summary, error)
}

// ErrNotQuarantined says that a message is not in quarantine.
var ErrNotQuarantined = errors.New("this message is not in quarantine")

// Quarantined is a message that was not understood.
type Quarantined struct {
	ID     int64
	Source string
	At     time.Time
	// Reason is from a closed list, Detail says what is wrong and where.
	Reason, Detail string
	// Bytes is the size of the message.
	Bytes int64
	// Redacted is the message with everything personal replaced; empty in a list, and when its body was not kept.
	Redacted string
}

const (
	// quarantineShown is how many quarantined messages are listed.
	quarantineShown = 100
	// bodyShown is how much of a message is shown.
	bodyShown = 64 << 10
	// replayTime is how long a browser waits for messages to be tried again.
	replayTime = time.Minute
)

func quarantineTable(messages []Quarantined) *table {
	t := &table{ID: "quarantine", Caption: "Quarantine", CSV: "/sources?format=csv&table=quarantine",
		Empty: "Nothing is in quarantine: every message was understood."}
	t.Columns = []column{
		{Title: "Message", fields: []string{"id"}}, {Title: "Came", fields: []string{"at"}},
		{Title: "Source", fields: []string{"source"}}, {Title: "Why it was not understood", Wide: true, fields: []string{"reason", "detail"}},
		{Title: "Size", Numeric: true, fields: []string{"bytes"}},
	}
	for i := range messages {
		m := &messages[i]
		t.Rows = append(t.Rows, row{Cells: []cell{
			{Text: "Message " + count(m.ID), Href: quarantineURL(m.ID), values: []any{m.ID}}, at(&m.At, "not known"), plain(m.Source),
			{Text: stateWord(m.Reason), Notes: []string{m.Detail}, values: []any{m.Reason, m.Detail}}, {Text: bytesWord(m.Bytes), values: []any{m.Bytes}},
		}})
	}
	return t
}

func quarantineURL(id int64) string { return "/quarantine/" + strconv.FormatInt(id, 10) }

// reasonChoices are the reasons of messages, to choose one of which all are to be tried again.
func reasonChoices(messages []Quarantined) (list []choice) {
	for i := range messages {
		c := choice{Value: messages[i].Reason, Text: stateWord(messages[i].Reason)}
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
	return list
}

// quarantinedPage is the page of a message that was not understood.
type quarantinedPage struct {
	frame
	Message  Quarantined
	Facts    []fact
	Body     string
	Cut      bool
	ReadOnly bool
}

func (s *Site) quarantined(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		s.fault(w, r, ErrNotQuarantined)
		return
	}
	m, err := s.Quarantine.Show(r.Context(), id)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	p := quarantinedPage{frame: s.frame("Sources", "Message "+count(m.ID)), Message: m, Body: m.Redacted, ReadOnly: s.ReadOnly}
	if len(p.Body) > bodyShown {
		p.Body, p.Cut = strings.ToValidUTF8(p.Body[:bodyShown], ""), true
	}
	p.Facts = []fact{
		{"Why it was not understood", cell{Text: stateWord(m.Reason), Notes: []string{m.Detail}}}, {"Source", plain(m.Source)},
		{"Came", at(&m.At, "not known")}, {"Size", cell{Text: bytesWord(m.Bytes)}},
	}
	s.render(w, http.StatusOK, "quarantined", p)
}

// replayedPage says what became of messages that were tried again.
type replayedPage struct {
	frame
	Sum      replay.Summary
	Story    []string
	Problems []replay.Problem
	More     int
}

// problemsShown is how many messages that were still not understood are told one by one.
const problemsShown = 20

// replayQuarantine takes the forms that try messages again.
func (s *Site) replayQuarantine(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fault(w, r, &badQuery{[]string{"The form cannot be read"}})
		return
	}
	wanted, err := selectionOf(r.PostForm)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), replayTime)
	defer cancel()
	sum, err := s.Quarantine.Replay(ctx, wanted)
	late := ctx.Err() != nil && r.Context().Err() == nil
	if err != nil && !late {
		s.fault(w, r, err)
		return
	}
	s.Log.Info("quarantine replayed", "messages", sum.Values, "counted", sum.Counted, "not_understood", sum.Unreadable)
	p := replayedPage{frame: s.frame("Sources", "Tried again"), Sum: sum, Story: replayWords(&sum)}
	if late {
		p.Story = append(p.Story, "Then a minute was over, and the rest was left. The command mailvane quarantine replay takes as long as it needs.")
	}
	p.Problems = sum.Problems[:min(len(sum.Problems), problemsShown)]
	p.More = sum.Unreadable - len(p.Problems)
	s.render(w, http.StatusOK, "replayed", p)
}

// selectionOf reads which messages are meant: one by its number, or all of a reason. Meaning all of them must be said.
func selectionOf(form url.Values) (s replay.Selection, err error) {
	switch id, reason := form.Get("id"), form.Get("reason"); {
	case id != "" && reason == "":
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			return s, &badQuery{[]string{"The message must be a number"}}
		}
		s.IDs = []int64{n}
	case reason != "" && id == "":
		s.Reason = reason
	default:
		return s, &badQuery{[]string{"Say which messages are to be tried again: one by its number, or all of a reason"}}
	}
	return s, nil
}

// replayWords say what became of messages.
func replayWords(sum *replay.Summary) (story []string) {
	if sum.Values == 0 {
		return []string{"There was no such message in quarantine any more."}
	}
	understood := max(sum.Values-sum.Unreadable, 0)
	switch {
	case understood == 0 && sum.Values == 1:
		return []string{"The message is still not understood, and stays in quarantine."}
	case understood == 0:
		return []string{"None of the " + count(int64(sum.Values)) + " messages is understood yet; they stay in quarantine."}
	case sum.Values == 1:
		story = append(story, "The message is understood now, and has left quarantine.")
	case sum.Unreadable == 0:
		story = append(story, "All "+count(int64(sum.Values))+" messages are understood now, and have left quarantine.")
	default:
		story = append(story, count(int64(understood))+" of "+count(int64(sum.Values))+" messages are understood now, and have left quarantine.")
	}
	var parts []string
	for _, x := range []struct {
		n    int
		what string
	}{
		{sum.Counted, "counted"}, {sum.Duplicate, "known already"}, {sum.Held, "held until a tagged copy comes"}, {sum.Refused, "refused"},
	} {
		if x.n > 0 {
			parts = append(parts, count(int64(x.n))+" "+x.what)
		}
	}
	if len(parts) == 0 {
		return append(story, "There was nothing in them to count.")
	}
	return append(story, "Recipients: "+strings.Join(parts, ", ")+".")
}
