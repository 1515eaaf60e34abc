package config

import (
	"fmt"

	"github.com/mailvane/mailvane/internal/mailbox"
)

// check looks at what single values cannot tell: how they go together.
func (c *Config) check(d *decoder, o options) {
	if !c.HTTP.Listen.Local() && !o.webConfig {
		d.warning(d.at("http.listen"), "http.listen", fault{"other machines can reach this address, and nothing protects it",
			"give --web.config.file with TLS and a password, or write 127.0.0.1:9464"})
	}
	c.checkCampaigns(d)
	// Which providers there are does not depend on rules, so a classifier without any can tell.
	c.checkProviders(d, new(mailbox.Classifier).Providers())
	c.checkSources(d)
	c.checkAlerts(d)
	c.checkReports(d)
	c.checkMemory(d)
	if !c.Telemetry.Prometheus && c.Telemetry.OTLP != nil && !*c.Telemetry.OTLP {
		d.warning(d.at("telemetry"), "telemetry", fault{"no metrics leave Mailvane", "write prometheus: true or otlp: true"})
	}
}

func (c *Config) checkCampaigns(d *decoder) {
	c.checkSpec(d)
	wrong := d.faultsBelow("campaigns.max_exported") || d.faultsBelow("campaigns.max_tracked")
	if c.Campaigns.MaxExported > c.Campaigns.MaxTracked && !wrong {
		path := "campaigns.max_exported"
		if !d.given(path) {
			path = "campaigns.max_tracked"
		}
		d.fault(d.at(path), path, fault{
			fmt.Sprintf("%d campaigns cannot be exported when only %d are counted", c.Campaigns.MaxExported, c.Campaigns.MaxTracked),
			"write a max_tracked that is at least max_exported"})
	}
	seen := make(map[Glob]bool)
	for i, g := range c.Campaigns.Streams {
		if path := indexed("campaigns.streams", i); seen[g] && g != "" {
			d.fault(d.at(path), path, fault{fmt.Sprintf("%s is in the list already", quoted(string(g))), "remove one of the two"})
		}
		seen[g] = true
	}
}

// bytesPerID is what a remembered event takes: 8 bytes in a table that is at most 70 % full.
const bytesPerID = 11.5

func (c *Config) checkMemory(d *decoder) {
	if c.Memory.Limit == 0 || d.faultsBelow("memory") || d.faultsBelow("ledger.budgets") {
		return
	}
	ids := Size(bytesPerID * float64(c.Ledger.Budgets.RoutineIDs+c.Ledger.Budgets.ExceptionalIDs))
	need := ids + c.Memory.InFlight
	if need > c.Memory.Limit {
		d.fault(d.at("memory.limit"), "memory.limit", fault{
			fmt.Sprintf("ledger.budgets and memory.in_flight alone take about %s", mebibytes(need)),
			fmt.Sprintf("write %s or more, or lower those", mebibytes(2*need))})
	}
}

// mebibytes rounds a size up to what people write.
func mebibytes(s Size) Size { return (s + 1<<20 - 1) >> 20 << 20 }
