// Package alerts decides when somebody is told, and what. It is pure: signals and time come in, transitions and
// notifications go out; it does no I/O and reads no clock.
//
// Rules say which figure is watched and where its two lines are, warning and critical. Evaluate holds one round of samples
// against them and the State, and returns what changed; an alert is one firing of a rule for one subject. A Planner then
// says which notifications the alerts call for: it mutes, silences, routes and groups. Both leave their input as it is: the
// caller stores what they returned, in one transaction, and goes on from State.With and Groups.With only when that is done.
// So a crash or a lost write repeats a round and loses nothing.
//
// A line is crossed when it is sure: the end of the Wilson interval that is nearer to good lies beyond it, and the floors are
// reached. It is left when the rate itself lies on the good side, for as long as the rule says. In between nothing changes,
// so that a rate at its line does not flap. What is not known neither raises an alert nor ends one at once; but nothing keeps
// an alert for ever: see step.
//
// An alert mutes those of the same cause that are no worse and about a part of what it is about: one about an account or region
// those about the campaigns that were sent from there, one about a domain those about its identifiers and campaigns, and, of
// what Gmail says, the same about its subdomains. One of which nobody hears mutes nothing. The notification of the one lists the
// others. What was told before it was muted is not taken back, and its end is told.
//
// Rules, State, Groups, Router and Silences do not change once made and may be shared. Notifier and Store are contracts; the
// notifiers are in packages below this one. Of the module it imports observation, signal and campaign.
package alerts
