// Package schedule runs passes. A Job says what a pass does and how often; a Runner owns everything about time that a
// collector must not: cadence and jitter, the timeout of a pass, back-off after a failure, and how many passes run at once.
//
// Each job has one goroutine that owns its state and has its passes made by others, which it keeps while they are needed.
// The number of passes at once grows by one with each pass that says there is more, up to MaxConcurrent, and shrinks by one
// with each that says there is not; so a busy queue doubles its passes each round and an idle one costs a single long poll.
// The first failure takes it back to one, which then tests the water after a growing pause.
//
// A Runner may be used from several goroutines. It knows the contract of collectors and nothing of any collector, of
// configuration or of metrics; internal/app gives it jobs and reads their states.
package schedule
