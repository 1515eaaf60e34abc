package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// CSV writes the table of campaigns, one a line, under the API's names. Figures are exact numbers. No cell of text begins
// like a formula (https://owasp.org/www-community/attacks/CSV_Injection).
func CSV(w io.Writer, r *Report) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180, section 2
	if err := out.Write(csvHead()); err != nil {
		return err
	}
	for i := range r.Campaigns {
		if err := out.Write(csvRow(r, &r.Campaigns[i])); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func csvHead() []string {
	head := []string{"from", "to", "tenant", "campaign", "owner", "stream", "level"}
	for _, o := range observation.Outcomes() {
		head = append(head, o.String())
	}
	head = append(head, "complained_possible")
	for _, s := range signal.Signals() {
		head = append(head, s.String(), s.String()+"_low", s.String()+"_high", s.String()+"_state", s.String()+"_before", s.String()+"_verdict")
	}
	return append(head, "complaint_rate_measured_share", "gmail_delivered", "gmail_spam_rate", "gmail_spam_rate_day", "gmail_state",
		"gmail_complaints_upper_bound", "gmail_days_reported", "gmail_days_in_window", "worst_provider", "worst_provider_signal",
		"worst_provider_value", "top_refusal", "top_refusal_n")
}

func csvRow(r *Report, c *Campaign) []string {
	row := []string{r.Period.From, r.Period.To, harmless(c.Tenant), harmless(c.ID), harmless(c.Owner), strconv.FormatBool(c.Stream), string(c.Level)}
	for _, o := range observation.Outcomes() {
		row = append(row, strconv.FormatInt(c.Recipients[o], 10))
	}
	row = append(row, strconv.FormatInt(c.Possible, 10))
	for _, s := range signal.Signals() {
		f := &c.Signals[s]
		value, low, high, before, verdict := "", "", "", "", ""
		if f.Known {
			value, low, high = number(f.Value), number(f.Low), number(f.High)
		}
		if c.Before != nil && c.Before.Signals[s].Known {
			before, verdict = number(c.Before.Signals[s].Value), string(c.Before.Compared[s.String()].Verdict)
		}
		row = append(row, value, low, high, f.State.String(), before, verdict)
	}
	measured := ""
	if f := &c.Signals[signal.ComplaintRate]; f.Measured {
		measured = number(f.MeasuredShare)
	}
	row = append(append(row, measured), csvGmail(c)...)
	return append(row, csvWorst(c)...)
}

func csvGmail(c *Campaign) []string {
	g := c.Gmail
	if g == nil {
		return make([]string, 7)
	}
	rate, day, bound := "", "", ""
	if g.SpamRate != nil {
		rate, day = number(*g.SpamRate), g.Day.String()
	}
	if g.ComplaintsUpperBound != nil {
		bound = number(*g.ComplaintsUpperBound)
	}
	return []string{
		strconv.FormatInt(g.Delivered, 10), rate, day, string(g.State), bound, strconv.Itoa(g.DaysReported), strconv.Itoa(g.DaysInWindow),
	}
}

func csvWorst(c *Campaign) []string {
	row := make([]string, 5)
	if w := c.Worst; w != nil {
		row[0], row[1], row[2] = harmless(w.Provider), w.Signal, number(w.Value)
	}
	if len(c.Refusals) > 0 {
		row[3], row[4] = c.Refusals[0].Reason, strconv.FormatInt(c.Refusals[0].N, 10)
	}
	return row
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// harmless is a text that no program takes for a formula, and that keeps to its line.
func harmless(text string) string {
	text = shown(text, 1000)
	if strings.ContainsAny(firstOf(text), "=+-@＝＋－＠") {
		return "'" + text
	}
	return text
}

// firstOf is the first character that is no blank.
func firstOf(text string) string {
	for _, c := range strings.TrimLeft(text, " ") {
		return string(c)
	}
	return ""
}
