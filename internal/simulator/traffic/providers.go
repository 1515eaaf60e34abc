package traffic

// provider is a mailbox provider as the model needs it.
type provider struct {
	// id is the provider's id in the classification data.
	id      string
	domains []string
	// share weighs it among recipients.
	share float64
	// reports says that its feedback loop reaches SES.
	reports bool
	// accept is its reply to mail that it takes.
	accept string
	// hard and soft refuse for the recipient's sake, delay slows down.
	hard, soft, delay reply
}

// reply is an SMTP reply and what it means. %R stands for the recipient.
type reply struct {
	status, text, reason string
	// kind is SES's sub-type of the bounce or type of the delay.
	kind string
}

// The replies of platforms, worded as they are.
var (
	gmailHard = reply{"5.1.1", "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. For more information, go to 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser 4fb4d7f45d1cf-5c3a.412 - gsmtp", "bad_mailbox", "General"}
	gmailSoft = reply{"4.2.2", "smtp; 452-4.2.2 The recipient's inbox is out of storage space. Please direct the 452 4.2.2 recipient to https://support.google.com/mail/?p=OverQuotaTemp 4fb4d7f45d1cf-5c3a.77 - gsmtp", "mailbox_full", "MailboxFull"}
	gmailSlow = reply{"4.7.28", "smtp; 421-4.7.28 Gmail has detected an unusual rate of mail originating from your SPF domain. To protect our users, mail has been temporarily rate limited. 421 4.7.28 https://support.google.com/mail/?p=UnsolicitedRateLimitError 4fb4d7f45d1cf-5c3a.90 - gsmtp", "rate_limited", "General"}

	microsoftHard  = reply{"5.5.0", "smtp; 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [AM4PEPF00027A65.eurprd04.prod.outlook.com 2026-11-20T10:15:32.456Z 08DE27F1]", "bad_mailbox", "General"}
	microsoftSlow  = reply{"4.7.650", "smtp; 451 4.7.650 The mail server [192.0.2.25] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775) [AM4PEPF00027A65.eurprd04.prod.outlook.com]", "reputation_ip", "IPFailure"}
	microsoftBlock = reply{"5.7.1", "smtp; 550 5.7.1 Unfortunately, messages from [192.0.2.25] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [AM4PEPF00027A65.eurprd04.prod.outlook.com]", "reputation_ip", "General"}

	yahooHard = reply{"5.1.1", "smtp; 552 1 Requested mail action aborted, mailbox not found", "bad_mailbox", "General"}
	yahooSlow = reply{"4.7.0", "smtp; 421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes", "reputation_ip", "General"}

	appleHard   = reply{"5.1.1", "smtp; 550 5.1.1 <%R>: user does not exist", "bad_mailbox", "General"}
	unitedHard  = reply{"5.1.1", "smtp; 550 Requested action not taken: mailbox unavailable", "bad_mailbox", "General"}
	genericHard = reply{"5.1.1", "smtp; 550 5.1.1 <%R>: Recipient address rejected: User unknown in virtual mailbox table", "bad_mailbox", "NoEmail"}
	genericSoft = reply{"4.2.2", "smtp; 452 4.2.2 mailbox full", "mailbox_full", "MailboxFull"}
	genericSlow = reply{"4.4.1", "smtp; 421 4.4.1 Unable to connect to remote host", "temporary_server", "TransientCommunicationFailure"}
)

const (
	gmailAccept     = "250 2.0.0 OK 1763633731 4fb4d7f45d1cf-5c3a12b8cd5si1034867a12.412 - gsmtp"
	microsoftAccept = "250 2.6.0 <sim@email.amazonses.com> [InternalId=102838171504, Hostname=AM9PR10MB4242.EURPRD10.PROD.OUTLOOK.COM] 15233 bytes in 0.118, 126.000 KB/sec Queued mail for delivery -> 250 2.1.5"
	yahooAccept     = "250 ok dirdel"
	unitedAccept    = "250 Requested mail action okay, completed: id=1MgNlF-1vqmW31uQ5-00pDlK"
	genericAccept   = "250 2.0.0 Ok: queued as 4Z9QmT1x0sz2xKc"
)

// other is the id of the provider of recipients whose domain nobody knows.
const other = "other"

// MailboxSimulator is the provider of mail to SES's mailbox simulator, which is in no rate.
const MailboxSimulator = "simulator"

// simulatorMailboxes receives that mail.
var simulatorMailboxes = provider{id: MailboxSimulator, domains: []string{"simulator.amazonses.com"}, accept: genericAccept,
	hard: reply{"5.1.1", "smtp; 550 5.1.1 user unknown", "bad_mailbox", "General"}}

// providers lists where recipients have their mailboxes, by shares as a European shop would see them.
func providers() []provider {
	plain := func(id string, share float64, domains ...string) provider {
		return provider{id: id, domains: domains, share: share, accept: genericAccept, hard: genericHard, soft: genericSoft, delay: genericSlow}
	}
	yahoo := func(id string, share float64, domains ...string) provider {
		return provider{id: id, domains: domains, share: share, reports: true, accept: yahooAccept, hard: yahooHard, soft: genericSoft, delay: yahooSlow}
	}
	united := func(id string, share float64, domains ...string) provider {
		return provider{id: id, domains: domains, share: share, accept: unitedAccept, hard: unitedHard, soft: genericSoft, delay: genericSlow}
	}
	return []provider{
		{id: "gmail", domains: []string{"gmail.com", "gmail.com", "gmail.com", "googlemail.com"}, share: 36, accept: gmailAccept, hard: gmailHard, soft: gmailSoft, delay: gmailSlow},
		{id: "microsoft", domains: []string{"hotmail.com", "outlook.com", "live.com", "msn.com"}, share: 17, reports: true, accept: microsoftAccept, hard: microsoftHard, soft: genericSoft, delay: microsoftSlow},
		{id: "apple", domains: []string{"icloud.com", "me.com", "mac.com"}, share: 6, accept: genericAccept, hard: appleHard, soft: genericSoft, delay: genericSlow},
		yahoo("yahoo", 9, "yahoo.com", "yahoo.com", "yahoo.de", "yahoo.fr"), yahoo("aol", 2.5, "aol.com"), yahoo("att", 1, "att.net", "bellsouth.net"),
		yahoo("verizon", 0.5, "verizon.net"), yahoo("sky", 0.5, "sky.com"), yahoo("rogers", 0.3, "rogers.com"),
		united("gmx", 3, "gmx.com"), united("webde", 3, "web.de"), united("mailcom", 0.5, "mail.com"),
		plain("comcast", 1.5, "comcast.net"), plain("tonline", 2, "t-online.de"), plain("freenet", 0.7, "freenet.de"),
		plain("orange", 1.8, "orange.fr", "wanadoo.fr"), plain("free", 1, "free.fr"), plain("sfr", 0.6, "sfr.fr"), plain("laposte", 0.6, "laposte.net"),
		plain("libero", 1, "libero.it"), plain("tim", 0.4, "tim.it", "alice.it"), plain("bt", 0.8, "btinternet.com"), plain("virginmedia", 0.5, "virginmedia.com"),
		plain("ziggo", 0.6, "ziggo.nl"), plain("kpn", 0.5, "planet.nl"), plain("seznam", 0.6, "seznam.cz"), plain("wp", 0.6, "wp.pl"), plain("onet", 0.4, "onet.pl"),
		plain("yandex", 0.3, "yandex.com"), plain("uol", 0.5, "uol.com.br"), plain("telstra", 0.4, "bigpond.com"), plain("bluewin", 0.4, "bluewin.ch"),
		plain("fastmail", 0.3, "123mail.org"), plain("proton", 0.8, "protonmail.com", "pm.me"),
		plain(other, 6, "northwind.example", "contoso.example", "fabrikam.example", "tailspin.example", "wingtip.example"),
	}
}
