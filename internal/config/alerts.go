package config

// Alerts is the section alerts.
type Alerts struct {
	// How often the rules are evaluated.
	Every Duration `yaml:"every" range:"1s..15m" example:"30s"`
	// Whether the rules of the table "Default rules" are evaluated. A rule under `rules` that has the name of one changes it, or
	// switches it off.
	Defaults bool `yaml:"defaults" example:"true"`
	// Thresholds: those of your own, and changes of default ones. At most 200, default ones included.
	Rules []AlertRule `yaml:"rules" example:"[{name: NewsletterComplaints, signal: complaint_rate, warning: {above: 0.1%}}]"`
	// Who is told of which alerts. All routes that match are taken, in their order, until one says `stop`. At most 200.
	Routes []Route `yaml:"routes" example:"[{match: {severity: critical}, to: oncall}]"`
	// The notifiers of alerts that no route takes at that time: one, or a list.
	CatchAll Names `yaml:"catch_all" example:"oncall"`
	// Where notifications go, each place under a name of your own. At most 100.
	Notifiers Notifiers `yaml:"notifiers" example:"{oncall: {pagerduty: {routing_key_file: pagerduty.key}}}"`
	// An address that is called while the rules are evaluated, so that somebody else notices when they are not.
	Heartbeat *Heartbeat `yaml:"heartbeat"`
}

// AlertRule is a rule of alerts.
type AlertRule struct {
	// The name of the rule. It is part of the key under which notifiers know an alert. A rule with the name of a default one
	// takes from it all that it does not say itself, so that it need not say more than its name and what is different.
	Name string `yaml:"name" required:"true" example:"NewsletterComplaints"`
	// Whether the rule is evaluated.
	Enabled bool `yaml:"enabled" example:"false"`
	// The figure that is watched: one of the table "Signals". Needed unless the rule has the name of a default one.
	Signal SignalName `yaml:"signal" example:"complaint_rate"`
	// What gets an alert of its own, one of those that the table "Signals" names for the signal.
	By ByName `yaml:"by" example:"campaign+provider" unset:"the first that the signal has"`
	// The time that the figure speaks of, for rates and counts.
	Window Window `yaml:"window" example:"24h" unset:"24h for rates, 1h for counts"`
	// Which of them are watched: those with these labels; all must match.
	Where Matchers `yaml:"where" example:"{campaign: \"newsletter-*\", \"provider!\": [other]}"`
	// The line from which on the alert is a warning. A rule needs this line or `critical`.
	Warning *AlertLine `yaml:"warning"`
	// The line from which on it is critical, with the keys of `warning`.
	Critical *AlertLine `yaml:"critical"`
	// How sure it must be that a rate is beyond the line, for the lines that do not say it themselves.
	Confidence Share `yaml:"confidence" range:"50%..99.9999%" example:"99%" unset:"99% for the warning, 99.9% for critical"`
	// On how many of the last reported days a daily figure must be beyond the line, for the lines that do not say it themselves.
	Of DaysOf `yaml:"of" example:"2 of 3" unset:"1 of 1"`
	// How long the figure must stay beyond the line before the alert fires.
	For *Duration `yaml:"for" range:"0s..7d" example:"15m" unset:"0s"`
	// How long it must stay back before the alert ends.
	KeepFiringFor *Duration `yaml:"keep_firing_for" range:"0s..30d" example:"1h" unset:"15m; while late events may still change a rate, its maturity or the window, whichever is shorter"`
	// Labels that go with the alert and that routes can match.
	Labels Labels `yaml:"labels" example:"{team: growth}"`
	// Who answers for the alert where what it is about has no owner of its own.
	Owner string `yaml:"owner" example:"growth"`
	// A template for the line that tells what is the matter; see "Templates".
	Summary Template `yaml:"summary" example:"\"{{.Campaign}}: {{.Value}} complain\"" unset:"signal, subject, value and line"`
	// A template for what else to say.
	Description Template `yaml:"description" example:"\"{{.Numerator}} of {{.Denominator}}\"" unset:"count, interval, age of the data and runbook"`
	// A link to what to do.
	Runbook string `yaml:"runbook" example:"https://wiki.example.com/complaints"`
}

// AlertLine is a threshold. Exactly one of Above and Below is set.
type AlertLine struct {
	// The line is crossed above this value: a percentage of rates and other parts (`0.1%` or `0.001`; the value itself crosses
	// the line too), a length of time, or a number, as the signal's unit is.
	Above Threshold `yaml:"above" example:"0.1%"`
	// The line is crossed below this value.
	Below Threshold `yaml:"below" example:"95%"`
	// What the figure must at least rest on. A number alone is the denominator.
	AtLeast Floors `yaml:"at_least"`
	// How sure it must be that a rate is beyond the line.
	Confidence Share `yaml:"confidence" range:"50%..99.9999%" example:"99.9%" unset:"that of the rule"`
	// On how many of the last reported days a daily figure must be beyond the line.
	Of DaysOf `yaml:"of" example:"2 of 3" unset:"that of the rule"`
}

// Floors are the least that a figure must rest on.
type Floors struct {
	// Recipients, or for daily figures of Gmail its deliveries of the day.
	Denominator *int `yaml:"denominator" range:"1..1000000000" example:"1000" unset:"1000"`
	// Recipients of whom the figure speaks, such as complaints. For a line below: those missing in the rate.
	Numerator *int `yaml:"numerator" range:"0..1000000000" example:"10" unset:"10"`
}

// Route sends alerts to notifiers.
type Route struct {
	// The alerts that take the route: those with these labels; all must match. Without it every alert does.
	Match Matchers `yaml:"match" example:"{severity: critical, owner: [growth, sales]}"`
	// The notifiers: one, or a list.
	To Names `yaml:"to" required:"true" example:"oncall"`
	// When the route is there: spans of the week. Outside them it is as if there were no such route.
	Hours Hours `yaml:"hours" example:"Mon-Fri 08:00-18:00" unset:"always"`
	// The time zone of `hours`.
	Zone Zone `yaml:"zone" example:"Europe/Berlin" unset:"ledger.zone"`
	// Whether alerts that take this route take no later one.
	Stop bool `yaml:"stop" example:"true"`
}

// Notifier is where notifications go. Exactly one is set.
type Notifier struct {
	// A service of PagerDuty, by its Events API v2.
	PagerDuty *PagerDuty `yaml:"pagerduty"`
	// The Alertmanagers of one cluster.
	Alertmanager *Alertmanager `yaml:"alertmanager"`
	// A channel of Slack, by an incoming webhook.
	Slack *Slack `yaml:"slack"`
	// An address of your own that takes signed JSON: see docs/webhook.md.
	Webhook *Webhook `yaml:"webhook"`
	// Mail addresses. Exactly one of `smtp` and `ses` says how mails get there.
	Email *Email `yaml:"email"`
}

// PagerDuty is a service of PagerDuty.
type PagerDuty struct {
	// The file that holds the integration key of the service, 32 letters and digits. As all such files it is read again for each
	// notification, and a relative path starts at the configuration file's folder.
	RoutingKeyFile SecretFile `yaml:"routing_key_file" example:"pagerduty.key"`
	// The environment variable that holds it, instead of a file.
	RoutingKeyEnv Variable `yaml:"routing_key_env" example:"PAGERDUTY_ROUTING_KEY"`
	// The address of the API. Accounts of the European service region have another one.
	URL URL `yaml:"url" example:"https://events.eu.pagerduty.com" unset:"https://events.pagerduty.com"`
}

// Alertmanager is a cluster of Alertmanagers.
type Alertmanager struct {
	// The addresses of all members, without `/api/v2/alerts`: one, or a list.
	URL URLs `yaml:"url" required:"true" example:"http://127.0.0.1:9093"`
	// The user for basic authentication, with the file that holds its password or the environment variable that does.
	User string `yaml:"user" example:"mailvane"`
	// The file that holds the password.
	PasswordFile SecretFile `yaml:"password_file" example:"alertmanager.password"`
	// The environment variable that holds the password.
	PasswordEnv Variable `yaml:"password_env" example:"ALERTMANAGER_PASSWORD"`
	// The file that holds a bearer token.
	TokenFile SecretFile `yaml:"token_file" example:"alertmanager.token"`
	// The environment variable that holds a bearer token.
	TokenEnv Variable `yaml:"token_env" example:"ALERTMANAGER_TOKEN"`
	// Whether a password or token may go unencrypted to another machine.
	AllowHTTP bool `yaml:"allow_http" example:"false"`
}

// Slack is a channel of Slack.
type Slack struct {
	// The file that holds the address of the incoming webhook. Who knows the address can post to the channel.
	URLFile SecretFile `yaml:"url_file" example:"slack.url"`
	// The environment variable that holds it, instead of a file.
	URLEnv Variable `yaml:"url_env" example:"SLACK_WEBHOOK_URL"`
}

// Webhook is an address that takes signed JSON.
type Webhook struct {
	// The file that holds the address.
	URLFile SecretFile `yaml:"url_file" example:"webhook.url"`
	// The environment variable that holds it, instead of a file.
	URLEnv Variable `yaml:"url_env" example:"MAILVANE_WEBHOOK_URL"`
	// The file that holds the key of the signature: 24 to 64 bytes in base64, such as `openssl rand -base64 32` makes. Several
	// keys, one on each line, all sign.
	KeyFile SecretFile `yaml:"key_file" example:"webhook.key"`
	// The environment variable that holds the key, instead of a file.
	KeyEnv Variable `yaml:"key_env" example:"MAILVANE_WEBHOOK_KEY"`
	// Whether notifications may go unencrypted to another machine.
	AllowHTTP bool `yaml:"allow_http" example:"false"`
}

// Email is some mail addresses and the way to them. Exactly one of SMTP and SES is set.
type Email struct {
	// The sender's address, with or without a name.
	From MailAddress `yaml:"from" required:"true" example:"Mailvane <mailvane@example.com>"`
	// The recipients: one, or a list. They see each other.
	To MailAddresses `yaml:"to" required:"true" example:"[oncall@example.com]"`
	// A server that takes the mails by SMTP.
	SMTP *SMTP `yaml:"smtp"`
	// An SES account that sends them, by its API.
	SES *SESMail `yaml:"ses"`
}

// SMTP is a mail server.
type SMTP struct {
	// The server's host and port.
	Server Address `yaml:"server" required:"true" example:"smtp.example.com:587"`
	// How the connection is protected: `starttls` (port 587) begins in the clear and sends nothing before TLS, `tls` (port 465)
	// begins with TLS, `none` is for a relay on the same machine or network and has no password.
	Security string `yaml:"security" oneof:"starttls,tls,none" example:"starttls"`
	// The user to log in as, with the file that holds its password or the environment variable that does.
	User string `yaml:"user" example:"mailvane"`
	// The file that holds the password.
	PasswordFile SecretFile `yaml:"password_file" example:"smtp.password"`
	// The environment variable that holds the password.
	PasswordEnv Variable `yaml:"password_env" example:"SMTP_PASSWORD"`
	// The name by which Mailvane introduces itself to the server.
	Hello Domain `yaml:"hello" example:"mailvane.example.com" unset:"the machine's IP address"`
}

// SESMail is an SES account that sends mails.
type SESMail struct {
	// The AWS region.
	Region Region `yaml:"region" required:"true" example:"us-east-1"`
	// A role to assume, for example one in another account.
	RoleARN RoleARN `yaml:"role_arn" example:"arn:aws:iam::123456789012:role/mailvane"`
	// The configuration set to send with. Mailvane should not read its events, or alerts count among the mail they are about.
	ConfigurationSet Name `yaml:"configuration_set" example:"internal"`
}

// Heartbeat is the section alerts.heartbeat.
type Heartbeat struct {
	// The file that holds the address. It is called with GET.
	URLFile SecretFile `yaml:"url_file" example:"heartbeat.url"`
	// The environment variable that holds it, instead of a file.
	URLEnv Variable `yaml:"url_env" example:"MAILVANE_HEARTBEAT_URL"`
	// How often it is called.
	Every Duration `yaml:"every" range:"10s..1h" example:"1m"`
}
