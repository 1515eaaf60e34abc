// Package fault is what the faults that tests inject into simulated services have in common: when they strike which request,
// and what they do to it on the wire. What a fault says of requests and answers is each service's own.
//
// A Set is safe for concurrent use. Only the packages of the simulator import it.
package fault
