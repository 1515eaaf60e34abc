package observation

// Other stands for what was folded because a bound was reached: a campaign, tenant, domain or identifier beyond its cap.
const Other = "(other)"

// Unidentified is the name of the campaign of mail in which no rule found a name.
const Unidentified = "(unidentified)"

// OtherProvider is the provider of recipients whose domain is not known.
const OtherProvider = "other"

// Gmail is the provider of personal Gmail addresses, the only ones that Postmaster Tools speaks of.
const Gmail = "gmail"

// Origin is where mail was sent from: the smallest part of an AWS account whose published event types are known.
type Origin struct {
	Account, Region, ConfigurationSet string
}

// Campaign names the sender's unit of work, as found by the identity rules at the mail's send time.
type Campaign struct {
	// Tenant is empty for mail of no tenant; Name is the campaign's name after renaming.
	Tenant, Name string
	// Send is the name before renaming when a rename rule matched (it then parts the campaign into sends), else empty.
	Send string
}

// Stamp is what a mail told Gmail about itself: its From domain and the four fields of its Feedback-ID, each empty when
// absent. (https://support.google.com/mail/answer/6254652)
type Stamp struct {
	FromDomain   string
	A, B, C      string
	FeedbackFrom string
}
