// Package dashboards holds what an operator of Grafana and Prometheus installs: six boards and two files of rules, as they are
// shipped. They are part of the program, so that a binary always has those that fit its metrics.
//
// The boards in grafana are made by generate from their description in Go; the rules in prometheus are written by hand and
// have promtool's unit tests beside them. The files are plain data: nothing here reads metrics or imports the packages that
// make them. Tests hold every query against the table of instruments, and internal/e2e against a real Prometheus.
package dashboards
