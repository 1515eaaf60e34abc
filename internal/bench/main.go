// Command bench measures the whole path: the daemon, in a process of its own, drains a queue of SES events that a server in
// another process holds, and every count is checked afterwards. It ends with one line of JSON.
//
// It is run by `make bench`. What it measured is recorded in docs/performance.md.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// result is the line that a run ends with. Durations are in the unit of their name.
type result struct {
	Events           int64   `json:"events"`
	Duplicates       int64   `json:"duplicates"`
	Seconds          float64 `json:"seconds"`
	EventsPerSecond  float64 `json:"events_per_s"`
	CPUPerEvent      float64 `json:"cpu_us_per_event"`
	SDKPerEvent      float64 `json:"sdk_us_per_event"`
	KernelPerEvent   float64 `json:"kernel_us_per_event"`
	DaemonCores      float64 `json:"daemon_cores"`
	PeakRSS          float64 `json:"peak_rss_mb"`
	CommitP50        float64 `json:"commit_p50_ms"`
	CommitP99        float64 `json:"commit_p99_ms"`
	LedgerPerEvent   float64 `json:"ledger_bytes_per_event"`
	Cohorts          int     `json:"cohort_rows"`
	CountsAreCorrect bool    `json:"counts_correct"`
}

func run(ctx context.Context) error {
	serve := flag.Bool("serve", false, "be the server (the bench starts itself a second time with it)")
	empty := flag.String("empty", "", "empty the queue of this URL with the SDK alone (the bench starts itself with it, too)")
	daemon := flag.String("daemon", "bin/mailvane", "the built program to measure")
	events := flag.Int("events", 1_000_000, "how many messages the queue holds, duplicates included")
	span := flag.Duration("span", 30*time.Minute, "over how long their mail was sent")
	passes := flag.Int("passes", 128, "max_passes of the queue")
	limit := flag.Duration("limit", 10*time.Minute, "when to give up")
	profile := flag.String("profile", "", "write a CPU profile of the daemon to this file")
	flag.Parse()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	switch {
	case *serve:
		return serveQueue(ctx, *events, *span)
	case *empty != "":
		return emptyQueue(ctx, *empty)
	}
	r, err := measure(ctx, setup{daemon: *daemon, events: *events, span: *span, passes: *passes, profile: *profile})
	if err != nil {
		return err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	fmt.Println(string(line))
	if !r.CountsAreCorrect {
		return fmt.Errorf("the counts are wrong")
	}
	return nil
}
