package config

// Config is a whole configuration file. The order of its fields is the order of the documentation.
type Config struct {
	// Where Mailvane answers: pages, metrics and the API.
	HTTP HTTP `yaml:"http"`
	// Where counts are kept.
	Ledger Ledger `yaml:"ledger"`
	// How mail is told apart into campaigns.
	Campaigns Campaigns `yaml:"campaigns"`
	// How mail is told apart into tenants, for those who send on behalf of others. Without it there are no tenants.
	Tenants Tenants `yaml:"tenants"`
	// How complaint rates are worked out.
	Complaints Complaints `yaml:"complaints"`
	// How replies of receiving servers are turned into reasons.
	Classification Classification `yaml:"classification"`
	// The sources that are read. At least one is needed.
	Collectors Collectors `yaml:"collectors"`
	// When somebody is told, who, and of what.
	Alerts Alerts `yaml:"alerts"`
	// Reports for people who look at no board: what happened last week, campaign by campaign.
	Reports []Report `yaml:"reports" example:"[{schedule: \"Mon 08:00\", to: [{dir: reports}]}]"`
	// What happens to messages that could not be understood.
	Quarantine Quarantine `yaml:"quarantine"`
	// How metrics leave Mailvane.
	Telemetry Telemetry `yaml:"telemetry"`
	// How much memory is used.
	Memory Memory `yaml:"memory"`
}

// HTTP is the section http.
type HTTP struct {
	// The address to answer on. TLS and passwords are set in the file given by `--web.config.file`; without one, keep to an
	// address that only this machine can reach.
	Listen Address `yaml:"listen" example:"127.0.0.1:9464"`
	// The address under which people reach the pages, for links in what Mailvane writes.
	ExternalURL URL `yaml:"external_url" example:"https://mailvane.example.com" unset:"the listen address"`
	// Whether requests that would change something, such as a new silence or a reload, are refused. Commands on this machine and
	// SIGHUP are obeyed all the same.
	ReadOnly bool `yaml:"read_only" example:"true"`
}

// Ledger is the section ledger.
type Ledger struct {
	// The file that holds the counts. It is made at the first start and must be on a local disk. A relative path starts at
	// the configuration file's folder.
	Path Path `yaml:"path" example:"/var/lib/mailvane/ledger.db"`
	// The time zone in which days are cut. It is fixed when the ledger is made.
	Zone Zone `yaml:"zone" example:"Europe/Berlin"`
	// How many events are remembered, so that none is counted twice.
	Budgets Budgets `yaml:"budgets"`
}

// Budgets is the section ledger.budgets.
type Budgets struct {
	// The number of sent, delivered, opened and clicked recipients that are remembered: the newest ones. A million takes about
	// 11 MiB of memory.
	RoutineIDs int `yaml:"routine_ids" range:"100000..1000000000" example:"16000000"`
	// The number of other outcomes that are remembered: bounces, complaints, delays and so on, for 14 days at most.
	ExceptionalIDs int `yaml:"exceptional_ids" range:"100000..1000000000" example:"4000000"`
}

// Campaigns is the section campaigns.
type Campaigns struct {
	// Where the name of a mail's campaign is found. The first rule that finds one decides. A change holds for mail sent after
	// it; what was counted before stays as it is.
	Identify []Rule `yaml:"identify" example:"[{tag: campaign}]"`
	// How names are changed, so that all sends of one campaign have one name. The first rule that matches decides. The name
	// before the change tells the sends apart.
	Rename []Rename `yaml:"rename" example:"[{match: '^(.+)-\\d{8}$', to: '$1'}]"`
	// Campaigns that never end, such as receipts or password resets: they are compared with the same hours of earlier weeks and
	// not cut into sends. `*` stands for any text.
	Streams []Glob `yaml:"streams" example:"[receipts, \"otp-*\"]"`
	// Who is responsible for which campaigns. The first that matches decides.
	Owners []Owner `yaml:"owners" example:"[{match: \"promo-*\", owner: growth}]"`
	// How many campaigns have metrics of their own. The others are exported together as `(other)`.
	MaxExported int `yaml:"max_exported" range:"1..10000" example:"500"`
	// How many campaigns a day are counted on their own. The others are counted together as `(other)`.
	MaxTracked int `yaml:"max_tracked" range:"100..1000000" example:"20000"`
}

// Rule says where a name is found. Exactly one of Tag, Header, ConfigurationSet and FromDomain is set.
type Rule struct {
	// The name is the value of this message tag, SES's own (`ses:…`) or yours.
	Tag string `yaml:"tag" example:"campaign"`
	// The name is the value of this mail header. The header Feedback-ID needs a `field` too.
	Header string `yaml:"header" example:"X-Campaign"`
	// Which of the four fields of the header holds the name, for Feedback-ID.
	Field string `yaml:"field" oneof:"a,b,c,sender" example:"a"`
	// The name is the configuration set's: `true` takes it whole, a regular expression as `match` does.
	ConfigurationSet TrueOrRegexp `yaml:"configuration_set" example:"'^tenant-(.+)$'"`
	// The name is the domain of the From address: `true` takes it whole, a regular expression as `match`
	// does.
	FromDomain TrueOrRegexp `yaml:"from_domain" example:"true"`
	// A regular expression that the value must match, else the next rule is tried. The name is its group called `campaign` or
	// `tenant`, else its first group, else all that it matches.
	Match Regexp `yaml:"match" example:"'^campaign_(.+)$'"`
}

// Rename changes a campaign's name.
type Rename struct {
	// The regular expression of the names to change.
	Match Regexp `yaml:"match" required:"true" example:"'^(.+)-\\d{8}$'"`
	// The new name; `$1` stands for the first group of `match`.
	To string `yaml:"to" required:"true" example:"'$1'"`
}

// Owner names who is responsible for campaigns.
type Owner struct {
	// The campaigns; `*` stands for any text.
	Match Glob `yaml:"match" required:"true" example:"\"promo-*\""`
	// Who is responsible: a name of your own.
	Owner Name `yaml:"owner" required:"true" example:"growth"`
}

// Tenants is the section tenants.
type Tenants struct {
	// Where the name of a mail's tenant is found: rules with the keys of `campaigns.identify`. SES is certain to give the tag
	// `ses:tenant-name` with bounces and complaints only, so a rule on the configuration set should come first.
	Identify []Rule `yaml:"identify" example:"[{configuration_set: '^tenant-(.+)$'}]"`
}

// Complaints is the section complaints.
type Complaints struct {
	// The mailbox providers whose complaints reach SES. Complaint rates are worked out from mail to these alone. A change holds
	// for mail sent after it.
	ReportingProviders []string `yaml:"reporting_providers" example:"[yahoo, aol, microsoft]"`
}

// Classification is the section classification.
type Classification struct {
	// A YAML file with rules of your own, which are tried before the built-in ones: a list `rules`, each with the keys of the
	// table "Rules file". A relative path starts at the configuration file's folder.
	RulesFile Path `yaml:"rules_file" example:"smtp-rules.yaml"`
	// Rules are the rules of RulesFile.
	Rules []ReplyRule `yaml:"-"`
}

// Collectors is the section collectors.
type Collectors struct {
	// The SQS queues that receive SES events. Without one, Gmail's figures are shown and belong to no campaign.
	SES []SES `yaml:"ses" example:"[{queue_url: \"https://sqs.us-east-1.amazonaws.com/123456789012/ses-events\"}]"`
	// The Google accounts whose figures of Gmail Postmaster Tools are read: what Gmail's users report as spam, joined to the
	// campaigns that were sent.
	Postmaster []Postmaster `yaml:"postmaster" example:"[{credentials_file: postmaster.json}]"`
	// The AWS accounts and regions whose receipt rules are watched: what became of inbound mail, such as replies, unsubscribes
	// and DMARC reports. Read from CloudWatch, which costs money: see docs/cloudwatch.md.
	ReceiptRules []ReceiptRules `yaml:"receipt_rules" example:"[{region: us-east-1}]"`
	// The AWS accounts and regions whose standing with SES is read: its rates, quota and status, and how much of what was sent
	// has reached Mailvane. Read from CloudWatch, which costs money, and from SES: see docs/cloudwatch.md.
	Account []Account `yaml:"account" example:"[{region: us-east-1}]"`
}

// SES is one queue of SES events.
type SES struct {
	// The URL of the queue, as `aws sqs get-queue-url` prints it.
	QueueURL QueueURL `yaml:"queue_url" required:"true" example:"https://sqs.us-east-1.amazonaws.com/123456789012/ses-events"`
	// The AWS region of the queue. Needed only when the URL does not tell it.
	Region Region `yaml:"region" example:"us-east-1" unset:"from the URL"`
	// A role to assume for reading the queue, for example one in another account.
	RoleARN RoleARN `yaml:"role_arn" example:"arn:aws:iam::123456789012:role/mailvane"`
	// The name of the queue in metrics, logs and pages.
	Name Name `yaml:"name" example:"ses-events" unset:"from the URL"`
	// How many receives run at the same time when the queue is full. An idle queue has one. Each gets at most about 200 events a
	// second from SQS, which takes 15 ms for a call.
	MaxPasses int `yaml:"max_passes" range:"1..512" example:"128"`
}

// Postmaster is one Google account.
type Postmaster struct {
	// The version of the Postmaster Tools API. `v1` is legacy: Google is switching it off. Its figures differ from those of
	// `v2` for the same day, and the two are never mixed.
	API string `yaml:"api" oneof:"v2,v1" example:"v2"`
	// The file with the account's credentials: what `mailvane auth google` wrote, or the key of a service account. It is read
	// again before each pass. A relative path starts at the configuration file's folder.
	CredentialsFile Path `yaml:"credentials_file" example:"postmaster.json" unset:"Google's application default credentials"`
	// The user for whom a service account acts, by domain-wide delegation.
	Subject Mailbox `yaml:"subject" example:"postmaster@example.com"`
	// The domains to read.
	Domains []Domain `yaml:"domains" example:"[news.example.com]" unset:"all verified domains that the account sees"`
	// How often they are read. Gmail's figures change once a day, at no fixed time.
	Every Duration `yaml:"every" range:"1s..1d" example:"1h"`
	// The time zone in which Gmail cuts its days, which Google does not tell. All accounts must have the same.
	DayZone Zone `yaml:"day_zone" example:"UTC"`
	// The most requests that are made in a second, on average.
	RequestsPerSecond float64 `yaml:"requests_per_second" range:"0.01..1000" example:"0.5"`
	// How far back each pass reads: days arrive late, and earlier ones are revised. In whole days.
	Window Duration `yaml:"window" range:"1d..120d" example:"14d"`
	// How far back the first pass over a domain reads, in whole days and no less than `window`. Gmail keeps 120 days.
	Backfill Duration `yaml:"backfill" range:"1d..120d" example:"120d"`
	// Another base address of the API, such as that of a proxy.
	Endpoint URL `yaml:"endpoint" example:"https://gmailpostmastertools.googleapis.com" unset:"Google's"`
	// The name of the account in metrics, logs and pages. A second account needs one of its own.
	Name Name `yaml:"name" example:"postmaster" unset:"postmaster"`
}

// ReceiptRules is an AWS account and region in which mail is received.
type ReceiptRules struct {
	// The AWS region.
	Region Region `yaml:"region" required:"true" example:"us-east-1"`
	// A role to assume, for example one in another account.
	RoleARN RoleARN `yaml:"role_arn" example:"arn:aws:iam::123456789012:role/mailvane"`
	// How often CloudWatch is asked. Its figures are for periods of five minutes and come some minutes late.
	Every Duration `yaml:"every" range:"10s..15m" example:"5m"`
	// What the receipt rules are for, and whose mail it is. The first that matches a receipt rule's name decides. Receipt rules
	// that none matches are `other` and shared by all campaigns.
	Rules []ReceiptPurpose `yaml:"rules" example:"[{match: '^unsub-(?P<campaign>.+)$', purpose: unsubscribe}]"`
	// The name of the source in metrics, logs and pages, and in the ledger, which knows by it how far was read.
	Name Name `yaml:"name" example:"receipt-rules-us-east-1" unset:"receipt-rules-, the account of role_arn if there is one, and the region"`
}

// ReceiptPurpose says what some receipt rules are for.
type ReceiptPurpose struct {
	// The names of the receipt rules. What the group called `campaign` matches, if there is one, is the campaign that uses the
	// receipt rule.
	Match Regexp `yaml:"match" required:"true" example:"'^unsub-(?P<campaign>.+)$'"`
	// What the mail is for that they take.
	Purpose string `yaml:"purpose" required:"true" oneof:"unsubscribe,reply,dmarc,other" example:"unsubscribe"`
	// The campaigns that use them, besides the one that `match` finds. `*` stands for any text. Where no campaign is named the
	// receipt rules are shared by all.
	Campaigns []Glob `yaml:"campaigns" example:"[\"promo-*\"]"`
}

// Account is an SES account: an AWS account in one region.
type Account struct {
	// The AWS region.
	Region Region `yaml:"region" required:"true" example:"us-east-1"`
	// A role to assume, for example one in another account.
	RoleARN RoleARN `yaml:"role_arn" example:"arn:aws:iam::123456789012:role/mailvane"`
	// How often the account is read. Lists of tenants and recommendations, and the figures of configuration sets and tenants,
	// are read every hour, and when SES tells of a change.
	Every Duration `yaml:"every" range:"10s..1h" example:"5m"`
	// The most calls that are made to SES in a second, on average. SES refuses more than one, unless it has raised the limit.
	RequestsPerSecond float64 `yaml:"requests_per_second" range:"0.01..100" example:"0.5"`
	// The name of the source in metrics, logs and pages, and in the ledger, which knows by it how far was read.
	Name Name `yaml:"name" example:"account-us-east-1" unset:"account-, the account of role_arn if there is one, and the region"`
}

// Quarantine is the section quarantine.
type Quarantine struct {
	// Whether the bodies of messages that could not be understood are kept, to be looked at and tried again. They may hold
	// addresses of recipients.
	Bodies bool `yaml:"bodies" example:"false"`
	// How much room the bodies may take. When it is full, such messages stay in their queue.
	MaxBytes Size `yaml:"max_bytes" range:"1MiB..1GiB" example:"256MiB"`
	// How long they are kept.
	Keep Duration `yaml:"keep" range:"1h..30d" example:"14d"`
}

// Telemetry is the section telemetry.
type Telemetry struct {
	// Whether `/metrics` answers.
	Prometheus bool `yaml:"prometheus" example:"true"`
	// Whether metrics are pushed by OTLP. Where to, and how, is told by the environment variables `OTEL_EXPORTER_OTLP_…`.
	OTLP *bool `yaml:"otlp" example:"true" unset:"true when OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is set"`
	// Whether campaigns are exported by provider too. It multiplies the number of series by about ten.
	CampaignByProvider bool `yaml:"campaign_by_provider" example:"true"`
}

// Memory is the section memory.
type Memory struct {
	// The memory that the program tries to stay under. The environment variable `GOMEMLIMIT` goes before it.
	Limit Size `yaml:"limit" range:"128MiB..64GiB" example:"1GiB" unset:"worked out from the budgets"`
	// The size of messages that are received and not yet counted, over all queues.
	InFlight Size `yaml:"in_flight" range:"4MiB..1GiB" example:"64MiB"`
}
