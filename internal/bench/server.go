package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// serverMemory is where the server begins to collect garbage: a million messages take 5 GiB.
const serverMemory = 12 << 30

// serveQueue holds the queue. For each line of standard input it tells how many messages are left; when the input ends, it
// tells what the events amounted to.
func serveQueue(ctx context.Context, events int, span time.Duration) error {
	s, err := simulator.Start(ctx, simulator.Bench(time.Now(), 1, events, span))
	if err != nil {
		return err
	}
	// A server that made its messages meanwhile, or collected garbage, would take the processor from what is measured.
	s.SQS().Queue(simulator.EventsQueue).Draw()
	runtime.GC()
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(serverMemory)
	fmt.Println(s.QueueURL(simulator.EventsQueue))
	questions := bufio.NewScanner(os.Stdin)
	for questions.Scan() {
		left := s.SQS().Queue(simulator.EventsQueue).Stats()
		fmt.Println(left.Visible + left.InFlight)
	}
	if err := questions.Err(); err != nil {
		return fmt.Errorf("read the bench's questions: %w", err)
	}
	totals := s.Truth().Totals()
	return errors.Join(s.Close(), json.NewEncoder(os.Stdout).Encode(totals))
}

// server is the other process.
type server struct {
	cmd      *exec.Cmd
	stdin    io.WriteCloser
	stdout   *bufio.Reader
	queueURL string
}

func startServer(ctx context.Context, events int, span time.Duration) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "-serve", "-events", strconv.Itoa(events), "-span", span.String())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	s := &server{cmd: cmd, stdin: stdin, stdout: bufio.NewReader(stdout)}
	line, err := s.stdout.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("read the server's address: %w", err)
	}
	s.queueURL = line[:len(line)-1]
	return s, nil
}

// left asks how many messages are not deleted yet.
func (s *server) left() (int, error) {
	if _, err := io.WriteString(s.stdin, "left\n"); err != nil {
		return 0, fmt.Errorf("ask the server: %w", err)
	}
	line, err := s.stdout.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("ask the server: %w", err)
	}
	return strconv.Atoi(line[:len(line)-1])
}

// stop ends the server and returns what it handed out.
func (s *server) stop() (traffic.Totals, error) {
	var totals traffic.Totals
	if err := s.stdin.Close(); err != nil {
		return totals, fmt.Errorf("stop the server: %w", err)
	}
	if err := json.NewDecoder(s.stdout).Decode(&totals); err != nil {
		return totals, fmt.Errorf("read what the server handed out: %w", err)
	}
	return totals, s.cmd.Wait()
}
