// Package report makes the report about a closed period, a week as a rule: what campaign owners and managers read on
// Monday.
//
// Build reads the ledger and makes a Report, which is plain data: all of its figures come from package view, and all of its
// words are made here. The same ledger and period give the same report, apart from MadeAt. HTML, Markdown, CSV, JSON, Mail
// and Brief show one. What JSON wrote, Parse reads back, and what is made of that equals what was made of the first:
// whoever keeps a report keeps its JSON alone.
//
// Nothing here has a clock, a goroutine or a network. A Report does not change after Build, so that it may be shown from
// several goroutines.
package report
