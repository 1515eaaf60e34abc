package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// setup says what is measured.
type setup struct {
	daemon  string
	events  int
	span    time.Duration
	passes  int
	profile string
}

// measure runs the daemon over a full queue until it is empty.
func measure(ctx context.Context, s setup) (r *result, err error) {
	dir, err := os.MkdirTemp("", "mailvane-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r = &result{}
	if r.SDKPerEvent, err = floor(ctx, s); err != nil {
		return nil, err
	}
	server, err := startServer(ctx, s.events, s.span)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	d, err := startDaemon(ctx, s, dir, server.queueURL)
	if err != nil {
		return nil, err
	}
	profiled := make(chan error, 1)
	go func() { profiled <- d.profile(ctx, s.profile) }()
	if err := d.drain(ctx, server, r); err != nil {
		return nil, err
	}
	r.Seconds = time.Since(began).Seconds()
	if err := <-profiled; err != nil {
		return nil, err
	}
	usage, err := d.stop()
	if err != nil {
		return nil, err
	}
	totals, err := server.stop()
	if err != nil {
		return nil, err
	}
	r.Events, r.Duplicates = totals.Events, totals.Duplicates
	r.EventsPerSecond = float64(r.Events) / r.Seconds
	r.CPUPerEvent = float64(cpu(usage).Microseconds()) / float64(r.Events)
	r.KernelPerEvent = float64(time.Duration(usage.Stime.Nano()).Microseconds()) / float64(r.Events)
	r.DaemonCores = cpu(usage).Seconds() / r.Seconds
	r.PeakRSS = float64(usage.Maxrss) / 1024
	return r, check(ctx, d.ledger, totals, r)
}

// drain waits until every message is deleted, and shows how far it is. Metrics are scraped once, at the end: a scrape each
// second would be measured, too.
func (d *daemon) drain(ctx context.Context, server *server, r *result) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for left := -1; left != 0; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the queue to be empty: %w", context.Cause(ctx))
		case <-tick.C:
		}
		var err error
		if left, err = server.left(); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%d messages left\n", left)
	}
	m, err := d.metrics(ctx)
	if err != nil {
		return fmt.Errorf("scrape the daemon: %w", err)
	}
	commits := m["mailvane_ledger_commit_duration_seconds"].GetMetric()
	if len(commits) != 1 {
		return errors.New("the daemon does not tell how long commits take")
	}
	r.CommitP50 = 1000 * quantile(commits[0].GetHistogram(), 0.5)
	r.CommitP99 = 1000 * quantile(commits[0].GetHistogram(), 0.99)
	return nil
}

// check compares what is in the ledger with what was handed out.
func check(ctx context.Context, path string, truth traffic.Totals, r *result) error {
	l, err := sqlite.OpenReader(ctx, path)
	if err != nil {
		return err
	}
	defer l.Close()
	status, err := l.Status(ctx)
	if err != nil {
		return err
	}
	r.LedgerPerEvent = float64(status.Size+status.WALSize) / float64(r.Events)
	outcomes, campaigns := map[string]int64{}, map[string]map[string]int64{}
	now := time.Now()
	for from := now.Add(-72 * time.Hour); from.Before(now.Add(time.Hour)); from = from.Add(time.Hour) {
		c, err := l.Cohorts(ctx, ledger.CohortQuery{From: from, To: from.Add(time.Hour)})
		if err != nil {
			return err
		}
		r.Cohorts += len(c.Rows)
		for _, row := range c.Rows {
			outcome := row.Cell.Outcome.String()
			outcomes[outcome] += row.N
			name := row.Cell.Campaign.Tenant + "/" + row.Cell.Campaign.Name
			if campaigns[name] == nil {
				campaigns[name] = map[string]int64{}
			}
			campaigns[name][outcome] += row.N
		}
	}
	same := maps.EqualFunc(campaigns, truth.Campaigns, maps.Equal)
	r.CountsAreCorrect = same && maps.Equal(outcomes, truth.Outcomes)
	if !r.CountsAreCorrect {
		fmt.Fprintf(os.Stderr, "counted %v\nhanded out %v\n", outcomes, truth.Outcomes)
	}
	return nil
}
