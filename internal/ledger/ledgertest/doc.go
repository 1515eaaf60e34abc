// Package ledgertest is the specification of a ledger: the rules that every engine must keep, each a subtest whose name reads
// as the rule. An engine's own test calls Run with a Factory.
//
// Times are compared to the millisecond, which is what SES tells. The rules use the contract of package ledger only; time is the harness's clock, and every random walk prints its seed and
// takes another from the environment (see SeedVariable). Rules that need a fault which an engine cannot cause are left out for
// that engine, and say so in the list of subtests by their absence. Only tests of ledger engines import this package.
package ledgertest
