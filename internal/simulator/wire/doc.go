// Package wire is what simulated services share of HTTP: it reads what a request's signature is for, and breaks answers on the
// wire, hanging, resetting and truncating them as failing networks and services do.
//
// It has no state. Only the packages of the simulator import it.
package wire
