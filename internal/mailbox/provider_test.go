package mailbox

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProvider(t *testing.T) {
	c := newClassifier(t)
	tests := []struct{ domain, want string }{
		{"gmail.com", "gmail"},
		{"GoogleMail.COM", "gmail"},
		{"google.com", "google_workspace"},
		{"gmail.com.", "gmail"},
		{"gmail.com..", "other"},
		{"mail.gmail.com", "other"},
		{"shop.onmicrosoft.com", "microsoft365"},
		{"onmicrosoft.com.example", "other"},
		{"example.com", "other"},
		{"пример.example", "other"},
		{"xn--e1afmkfd.example", "other"},
		{"", "other"},
		{".", "other"},
		{strings.Repeat("a", 300) + ".onmicrosoft.com", "other"},
	}
	for _, tt := range tests {
		if got := c.Provider(tt.domain); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.domain, got, tt.want)
		}
	}
}

func TestEveryDomainMapsBack(t *testing.T) {
	c := newClassifier(t)
	domains := 0
	for i := range providerTable {
		p := &providerTable[i]
		for _, domain := range p.domains {
			domains++
			if got := c.Provider(strings.ToUpper(domain) + "."); got != p.ID {
				t.Errorf("%s: %s, want %s", domain, got, p.ID)
			}
		}
	}
	if domains != 962 || len(providerTable) != 152 {
		t.Errorf("%d domains of %d providers", domains, len(providerTable))
	}
}

func TestProviders(t *testing.T) {
	c := newClassifier(t)
	ids := make(map[string]bool)
	for _, p := range c.Providers() {
		if ids[p.ID] || p.ID == other || p.Name == "" {
			t.Errorf("%+v", p)
		}
		if !slices.Contains([]string{"consumer", "isp", "hosted", "gateway"}, p.Kind) ||
			!slices.Contains([]string{"no", "likely", "unknown"}, p.FeedbackLoop) {
			t.Errorf("%+v", p)
		}
		ids[p.ID] = true
	}
	for _, m := range markers {
		if !ids[m.hosted] {
			t.Errorf("marker %q teaches %q, which is not in the data", m.text, m.hosted)
		}
	}
}

func TestDefaultReportingProviders(t *testing.T) {
	want := []string{"microsoft", "yahoo", "aol", "att", "verizon", "frontier", "rogers", "sky"}
	if diff := cmp.Diff(want, DefaultReportingProviders()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPlatformOf(t *testing.T) {
	c := newClassifier(t)
	tests := []struct{ name, domain, reply, want string }{
		{"Google", "shop.example", "250 2.0.0 OK  1763633731 d2e1a72fcca58-7aee - gsmtp", "google_workspace"},
		{"Google, upper case", "shop.example", "250 2.0.0 OK 1763633731 A1B2 - GSMTP", "google_workspace"},
		{"personal Gmail is known by its domain", "gmail.com", "250 2.0.0 OK 1763633731 a1b2 - gsmtp", ""},
		{"a word like it", "shop.example", "250 mygsmtp accepted", ""},
		{"Microsoft", "shop.example", "250 2.6.0 <a@b> [InternalId=123, Hostname=AM0PR01MB1234.eurprd01.prod.outlook.com] 9 bytes in 0.1, Queued mail for delivery", "microsoft365"},
		{"anybody's Exchange", "shop.example", "250 2.6.0 <a@b> [InternalId=123, Hostname=mail.shop.example] Queued mail for delivery", ""},
		{"Yahoo", "shop.example", "250 ok dirdel", "yahoo"},
		{"Yandex", "shop.example", "250 2.0.0 Ok: queued on mail-nwsmtp-mxfront-production-main-12.vla.yp-c.yandex.net 1763633731-abc", "yandex"},
		{"Postfix", "shop.example", "250 2.0.0 Ok: queued as 4XyZ1234", ""},
		{"a refusal that quotes Google", "shop.example", "550 5.1.1 host gmail said: no - gsmtp", ""},
		{"known brand", "gmx.de", "250 ok dirdel", ""},
		{"empty", "shop.example", "", ""},
		{"mark after the limit", "shop.example", "250 " + strings.Repeat("x", maxSuccess) + " - gsmtp", ""},
	}
	for _, tt := range tests {
		if got, ok := c.PlatformOf(tt.domain, tt.reply); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %t, want %q", tt.name, got, ok, tt.want)
		}
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	c := newClassifier(t)
	in := Reply{Provider: "gmail", Diagnostic: "smtp; 550-5.1.1 The email account that you tried to reach does not exist. 550 5.1.1 - gsmtp", Status: "5.1.1"}
	n := testing.AllocsPerRun(100, func() {
		c.Provider("Shop.Example.")
		c.PlatformOf("shop.example", "250 2.0.0 OK  1763633731 d2e1a72fcca58-7aee - gsmtp")
		c.Reason(in)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
