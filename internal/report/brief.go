package report

// Brief is a report in a few lines, for chats and webhooks. Nothing in it is escaped for any markup; each text is one line.
type Brief struct {
	Title string `json:"title"`
	// Verdict says in a few words how it stands; Urgent that something cannot wait.
	Verdict string `json:"verdict"`
	Urgent  bool   `json:"urgent"`
	// Stop names the campaigns that should be stopped, the worst first; Sentences are the period in three sentences.
	Stop      []string      `json:"stop"`
	Sentences []string      `json:"sentences"`
	Actions   []BriefAction `json:"actions"`
	// MoreActions is how many are left out.
	MoreActions int           `json:"more_actions,omitempty"`
	Figures     []BriefFigure `json:"figures"`
}

// BriefAction is something that should be done. Badge is Stop, Urgent, Mend or Watch.
type BriefAction struct {
	Level Level  `json:"level"`
	Badge string `json:"badge"`
	Name  string `json:"name"`
	Title string `json:"title"`
	Do    string `json:"do"`
}

// BriefFigure is a figure in words.
type BriefFigure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Note  string `json:"note,omitempty"`
}

// maxBriefActions is how many actions a brief has.
const maxBriefActions = 6

// Summary makes a brief of a report. Things to be watched are only counted.
func Summary(r *Report) Brief {
	b := Brief{
		Title: "Mail report, " + r.Period.String(), Verdict: shown(r.headline(), maxSubject), Stop: []string{}, Sentences: []string{},
		Actions: []BriefAction{}, Figures: []BriefFigure{},
	}
	if r.Owner != "" || r.Campaign != "" {
		b.Title += ", " + shown(r.scope(), maxSubject)
	}
	stop, _, _ := r.duties((*Action).named)
	for _, name := range stop {
		b.Stop = append(b.Stop, shown(name, maxSubject))
	}
	for _, s := range r.Sentences {
		b.Sentences = append(b.Sentences, shown(s, 1000))
	}
	for _, a := range r.Actions {
		b.Urgent = b.Urgent || a.Level == LevelUrgent
		if len(b.Actions) == maxBriefActions || a.Level == LevelWatch {
			b.MoreActions++
			continue
		}
		c := newCard(a)
		b.Actions = append(b.Actions, BriefAction{a.Level, c.Badge, shown(c.Name, maxSubject), c.Title, c.Do})
	}
	for _, t := range r.tiles() {
		b.Figures = append(b.Figures, BriefFigure(t))
	}
	return b
}
