// Package traffic is a model of an Amazon SES sender that knows the truth about it: campaigns, streams, tenants, accounts
// and recipients at real mailbox providers, what became of every mail, and how often.
//
// A Story says who sends what and what goes wrong. A Model makes it happen: from a seed it derives, for every five minutes
// and campaign, the mails and their fates, so that two models of one story and seed tell the same events and any stretch of
// time can be asked for without the rest. A Stream hands the events of a stretch out in the order of their own time, a
// Renderer writes them as SES publishes them, and Truth counts what was handed out the way it has to be counted.
//
// Recipients are synthetic local parts at real domains: nothing is ever sent. Model and Truth are safe for concurrent use;
// a Stream or a Renderer belongs to one goroutine. The package reads no clock. The simulator, tests, the benchmark and the
// demo import it.
package traffic
