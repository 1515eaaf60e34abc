// Package wire breaks answers on the wire: it hangs, resets and truncates them as failing networks and services do. The
// simulated services share it for the faults that tests inject.
//
// It has no state. Only the packages of the simulator import it.
package wire
