// Package structure holds no code, only tests: they check the rules about the whole tree that a compiler does not know, such
// as which package may import which. Each rule carries the reason that a failing test prints. Nothing imports it.
package structure
