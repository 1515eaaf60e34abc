// Package sampler turns what a view knows, and what a daemon tells of itself, into the samples that rules are held against.
//
// It decides nothing: each sample has the state that the figure has where it comes from, and what is not known is never a
// zero. Where a state says that there is a value and there is none, it is no_data; what a view should long have renewed is
// stale.
//
//	signal                        from                           states beside ok
//	rates of mail                 View.Walk                      those of the figure: error, no_data, stale, idle,
//	                                                             not_reported, insufficient, immature
//	gmail_spam_rate, gmail_*_rate View.WalkGmailDays             error: the domain cannot be read; stale: it was not asked
//	                                                             lately, or says nothing new although there was mail; idle:
//	                                                             there was none; no_data: it never said anything. A day
//	                                                             without the figure is a day that was not reported
//	gmail_compliance              View.WalkDomains               error, as above; stale: not asked for over four days;
//	                                                             no_data: Gmail says neither
//	account_bounce_rate,          View.Accounts                  not_reported: SES has none yet; idle, stale: none for a day,
//	account_complaint_rate                                       without mail or with; error: a permission is missing;
//	                                                             no_data
//	account_enforcement,          View.Accounts                  error, stale, no_data, as the part that was asked; no_data
//	account_sending_paused,                                      also for a verdict that is new; idle: there is no quota
//	account_quota_used,
//	tenant_paused,
//	tenant_findings
//	event_coverage                View.Accounts                  idle, no_data; insufficient: too few to tell; error: we
//	                                                             counted more than CloudWatch. That one type is deaf is no
//	                                                             error of the sum
//	feedback_id_coverage          View.Accounts                  idle, no_data, insufficient
//	deaf_loop                     View.Accounts                  idle: nothing, or too little, was counted of it; no_data
//	receipt_failures              View.Inbound                   idle: the rule did nothing; stale, no_data. 0 unless the
//	                                                             failing goes on and is of more than one period
//	receipt_expired               View.Inbound                   idle, stale, no_data
//	receipt_silent                View.Inbound                   idle: never any mail; insufficient: no habit yet; stale,
//	                                                             no_data
//	source_failing                Daemon.Sources                 no_data: no pass has ended yet
//	source_stale                  Daemon.Sources, of Google      no_data; idle: no domain has mail; stale: it fails, and how
//	                              accounts View.WalkGmailDays    far it reaches is not known
//	queue_lag, receiving_stopped  Daemon.Sources                 stale: the queue is not read, which says nothing of its lag
//	quarantine_growth,            Daemon.Sources, .Floods        immature: the window began before the count, so that it is
//	campaign_flood                                               at least as much; insufficient: nothing was counted since
//	dedupe_horizon,               Daemon                         no_data: the quarantine's bound is not known
//	quarantine_used,
//	notifier_failing
//
// By account, a figure is that of the worst region: the highest, of coverage the lowest. A region that has no value any more
// keeps the place of the one it last had, with its state, so that an account does not look well because its worst region
// cannot be read.
//
// A sample's labels are the owner of a campaign and the domains, accounts and regions that its mail was sent from; of an
// identifier the campaign that alone uses it, with the same; of a receipt rule its purpose and its campaigns.
//
// A Sampler is used by one goroutine, and what Samples returned is written over by the next; Fork makes another one. Observe
// may be called by any. It reads no ledger: its view is kept up to date by others. It may be imported by internal/app.
package sampler
