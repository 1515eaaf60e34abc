// Package faults holds no code, only tests: each really causes a fault (a kill, a full disk, a damaged file, a server that
// misbehaves, a flood) against the built program as a child process, and then holds its counts against the truth, one by one.
// Expectations come from the simulator that the process reads from, or from a list of events that the test itself made.
//
// The tests run beside each other; each has a simulator, a ledger and a process of its own. Those that need a file system of
// their own run in a mount namespace of their own. Nothing imports this package.
package faults
