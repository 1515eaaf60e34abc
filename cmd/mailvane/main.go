// Mailvane tells an Amazon SES sender which campaign is hurting its deliverability, where and why. This is its command line:
// flags, signals and exit codes; what the commands do is in internal/app.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // ledger.zone must work in an image without time zones
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	// exitUsage is for a command line or a configuration that must be corrected.
	exitUsage = 2
)

// usageError is an error that is mended on the command line or in the configuration.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// errReported stands for what has been printed already.
var errReported = errors.New("reported")

// run runs the command line. The first interrupt asks for a clean stop, the second ends the process at once.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	started := false
	root := newRoot(&started)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if !errors.Is(err, errReported) {
		fmt.Fprintf(stderr, "mailvane: %v\n", err)
	}
	var usage *usageError
	if !started || errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}
