// Package pages is Mailvane for people: server-rendered HTML over the same answers that the JSON API gives. Everything but the
// charts works without JavaScript.
//
// A page is made in three steps: a query is read from the URL, a handler turns answers of view into tables and sentences, and
// a template lays them out. A table is described once and shown as HTML or CSV. Nothing is decided here: what is beyond a line
// is so by the lines of the rules, and what is not known carries the word of its state and is never drawn as zero.
//
// Pages run under a strict Content-Security-Policy: no inline script and no inline style, so that a campaign's name can never
// become code. Handlers are safe for concurrent use. Only internal/app imports this package.
package pages
