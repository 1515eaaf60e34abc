// Package ledgertest is the specification of a ledger: the rules that every engine must keep, each a subtest whose name
// reads as the rule. An engine's own test calls Run with a Factory.
//
// The rules use the contract of package ledger only. Time is the harness's clock, and times are compared to the
// millisecond, which is what SES tells. Random walks are compared to a model that is obviously right; their names hold
// their seeds, and SeedVariable picks another. A rule about a fault that an engine cannot cause logs that it was left out.
// Rules run in parallel, each on a ledger of its own. Only tests of ledger engines import this package.
package ledgertest
