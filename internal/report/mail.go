package report

// Message is a report as a mail, which has the HTML with the images that it shows, and a text for those who see none.
type Message struct {
	Subject    string
	HTML, Text string
	Images     []Image
}

// Image is an image that the HTML names as cid:CID.
type Image struct {
	CID string
	Alt string
	PNG []byte
}

// Mail makes a mail of a report. Subject has no line breaks.
func Mail(r *Report) (Message, error) {
	return Message{Subject: "Mail report, " + r.Period.String()}, nil
}

// Brief is a report in a few lines, for chats and webhooks. Nothing in it is escaped.
type Brief struct {
	Title string `json:"title"`
	// Stop names the campaigns that should be stopped, the worst first; Sentences are the period in three sentences.
	Stop      []string      `json:"stop"`
	Sentences []string      `json:"sentences"`
	Actions   []BriefAction `json:"actions"`
	Figures   []BriefFigure `json:"figures"`
}

// BriefAction is something that should be done; Level is stop, act or watch.
type BriefAction struct {
	Level string `json:"level"`
	Title string `json:"title"`
	Do    string `json:"do"`
}

// BriefFigure is a figure in words.
type BriefFigure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Summary makes a brief of a report.
func Summary(r *Report) Brief {
	return Brief{Title: "Mail report, " + r.Period.String(), Sentences: r.Sentences}
}
