// Package e2e holds no code, only tests: they run the built program as a user does, against servers that others have written,
// so that the simulator is not the only witness. Each test starts what it talks to on loopback and stops it again; those that
// look at the demo share one.
package e2e
