// Package gate is what a request to a simulated AWS service passes before it is answered: it finds out who signed it for
// which region and service, and does the faults that tests inject. Services say what it answers in their own protocols.
//
// A Gate is safe for concurrent use. Only the packages of the simulator and tests import it.
package gate
