// Package app is the composition root: it builds the daemon out of all other packages and runs it, and it holds what the
// commands do. It is the only importer of everything, and only cmd/mailvane imports it.
package app
