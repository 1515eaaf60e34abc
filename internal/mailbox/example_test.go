package mailbox_test

import (
	"fmt"

	"github.com/mailvane/mailvane/internal/mailbox"
)

func ExampleClassifier_Reason() {
	c, err := mailbox.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	reply := "smtp; 550-5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy. - gsmtp"
	v := c.Reason(mailbox.Reply{Provider: c.Provider("gmail.com"), Diagnostic: reply})
	fmt.Println(v.Reason, v.Kind, mailbox.Group(v.Reason))
	// Output: auth_dmarc permanent authentication
}

func ExampleRedact() {
	fmt.Println(mailbox.Redact("smtp; 550 5.1.1 <jane.doe@example.com>: no mailbox /var/mail/jane.doe at 192.0.2.7", "jane.doe@example.com"))
	// Output: smtp; 550 5.1.1 <@>: no mailbox /var/mail/<@> at <ip>
}
