package main

import "fmt"

// of selects a metric of the Mailvanes that the reader chose.
func of(metric, matchers string) string {
	if matchers != "" {
		matchers = "," + matchers
	}
	return fmt.Sprintf(`%s{job=~"$job"%s}`, metric, matchers)
}

// rated is the rate of a signal over all mail that the matchers select: sums, then divides. An empty by gives one rate.
func rated(about, by, matchers string) string {
	rate, size := of("mailvane_"+about+"_signal_ratio", matchers), of("mailvane_"+about+"_signal_recipients", matchers)
	if by != "" {
		by = " by (" + by + ") "
	}
	return fmt.Sprintf("sum%s(%s * %s) / sum%s(%s)", by, rate, size, by, size)
}

// enough restricts a campaign's rate to figures over at least 1,000 recipients: small numbers say nothing.
func enough(signal, windows string) string {
	matchers := fmt.Sprintf(`signal=%q,window=~%q`, signal, windows)
	return fmt.Sprintf("(%s and %s >= 1000)", of("mailvane_campaign_signal_ratio", matchers), of("mailvane_campaign_signal_recipients", matchers))
}
