// Package mailbox says whose mailbox a recipient has (the provider) and why mail to it failed (the reason), from reference
// data that is compiled in. It also redacts replies before they may be kept.
//
// Everything here is a pure function of its arguments and of the rules given to New: no I/O, no clock, no YAML at run time.
// A Classifier never changes after New and may be used by any number of goroutines. Input is hostile: texts are cut at 4 kB
// and every answer comes from a closed list.
//
// The tables in rules_gen.go and providers_gen.go are made from data/ by go generate; data/README.md says where the data
// come from, how rules apply and how sure they are.
package mailbox

//go:generate go run ./generate
