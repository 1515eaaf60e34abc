// Package alertmanager notifies Prometheus Alertmanagers by their API v2, which route, group and silence on their own.
//
// Each member of a group is an alert there, known by its labels: alertname, severity, signal, by, cause and owner, the fields
// of its subject, and the labels of its rule. So a member of another severity is another alert, and the one of the old
// severity is ended when the group changes severity. Alertmanager forgets: an alert that it does not hear of again ends
// by itself after some minutes. That also ends what could not be named, such as an alert whose labels were changed.
//
// All addresses get everything, as Alertmanagers in a cluster do not share alerts; one that has taken it will do.
//
// A Notifier keeps nothing between calls and may be used by several goroutines. Credentials are read at each delivery.
//
// The form follows https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml.
package alertmanager
