// Package ruletest holds rules against series that people made up, and the alerts and notifications that follow against those
// that they expect: unit tests of rules, as promtool has them.
//
// A Suite is one file of tests. Each Test runs from nothing, by a clock of its own: every series has its values one interval
// apart, the rules are evaluated round after round, and what is expected at a time is compared with what the last round up to
// that time led to. The same code decides as in a daemon, package alerts; only samples and time are made up.
//
// The package is pure: no I/O, no clock. Nothing in it changes once made, and a Suite may be run by several goroutines.
// internal/config decodes the files, and internal/app runs them.
package ruletest
