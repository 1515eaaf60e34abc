package view

import (
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
)

// WalkDomains calls see with every domain that Gmail tells about, those with the highest of the newest rates first, until see
// returns false. A Domain has all its identifiers, those with the highest rates first, and nothing about a window. It must
// not be changed.
func (v *View) WalkDomains(see func(*Domain) bool) {
	g := v.gmail.Load()
	if g == nil {
		return
	}
	for _, d := range g.worst {
		if !see(&d.shown) {
			return
		}
	}
}

// GmailFresh says whether what Gmail said about a day may still be shown at a time, however long ago the last RefreshGmail
// was.
func (v *View) GmailFresh(day campaign.Day, now time.Time) bool {
	g := v.gmail.Load()
	return g != nil && campaign.Fresh(day, campaign.DayOf(now, g.zone))
}

// GmailFolded is how much use could not be told apart because there was too much of it, in rows of a day.
func (v *View) GmailFolded() int {
	if g := v.gmail.Load(); g != nil {
		return g.folded
	}
	return 0
}

// GmailSubject is a campaign whose mail Gmail may have said something about.
type GmailSubject struct {
	Tenant, Campaign string

	g *gmail
}

// Rate is the newest rate that is the campaign's own; ok is false when there is none.
func (s *GmailSubject) Rate() (own campaign.Identifier, ok bool) {
	if own, _ := ownRate(s.g.join.Identifiers(s.name())); own != nil {
		return *own, true
	}
	return own, false
}

// Bound is how many complaints there can have been at most on the days of a rolling window that were reported.
func (s *GmailSubject) Bound(w signal.Window) campaign.Bound {
	first, last := s.g.gmailWindow(w)
	return s.g.join.Bound(s.name(), first, last)
}

func (s *GmailSubject) name() campaign.Name {
	return campaign.Name{Tenant: s.Tenant, Campaign: s.Campaign}
}

// WalkGmail calls see with every campaign that used an identifier in the last days, in no order, until see returns false.
func (v *View) WalkGmail(see func(*GmailSubject) bool) {
	g := v.gmail.Load()
	if g == nil {
		return
	}
	for _, n := range g.join.Names() {
		if !see(&GmailSubject{n.Tenant, n.Campaign, g}) {
			return
		}
	}
}
