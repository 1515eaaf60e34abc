package view

import (
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
)

// WalkDomains calls see with every domain that Gmail tells about, until see returns false: those of which something came
// lately first, and of them those with the highest of the newest rates. A Domain has all its identifiers, those with the
// highest rates first, and nothing about a window. It must not be changed.
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

// GmailSubject is a campaign whose mail Gmail said something about in the last days.
type GmailSubject struct {
	Tenant, Campaign string
	// Own is the identifier with the newest rate that is the campaign's own, nil when there is none.
	Own *campaign.Identifier
	// Bounds are those of the rolling windows in which some day was reported.
	Bounds []GmailBound
}

// GmailBound is how many complaints there can have been at most on the reported days of a rolling window.
type GmailBound struct {
	Window signal.Window
	campaign.Bound
}

// WalkGmail calls see with every campaign whose mail Gmail said something about, in no order, until see returns false.
func (v *View) WalkGmail(see func(*GmailSubject) bool) {
	g := v.gmail.Load()
	if g == nil {
		return
	}
	subjects := g.subjects()
	for i := range subjects {
		if !see(&subjects[i]) {
			return
		}
	}
}

// walkable makes what WalkGmail shows.
func (g *gmail) walkable() []GmailSubject {
	var all []GmailSubject
	for _, n := range g.join.Names() {
		s := GmailSubject{Tenant: n.Tenant, Campaign: n.Campaign}
		if s.Own, _ = ownRate(g.join.Identifiers(n)); s.Own != nil {
			s.Own.Rate = shortly(s.Own.Rate)
		}
		for _, w := range signal.Windows() {
			first, last := g.gmailWindow(w)
			if bound := g.join.Bound(n, first, last); bound.Days > 0 {
				bound.Complaints = short(bound.Complaints)
				s.Bounds = append(s.Bounds, GmailBound{w, bound})
			}
		}
		if s.Own != nil || s.Bounds != nil {
			all = append(all, s)
		}
	}
	return all
}
