// Package scan reads JSON text in one pass and without allocation, also where it stands inside a string of other JSON. It
// knows a part of JSON only (RFC 8259): whatever it is not sure of (a name with an escape, invalid UTF-8, a lone surrogate, a
// field given twice) it gives up, and whoever uses it falls back on a complete implementation. It may only agree faster,
// which the fuzz tests of its users hold it to.
//
// A Scanner and its Arena are used by one goroutine. The package holds no state. It may be imported by collectors/ses and
// collectors/ses/event.
package scan
