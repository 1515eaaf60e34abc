package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// builtHere names, in the environment, the folder with the built program, for tests that run themselves as another process.
const builtHere = "MAILVANE_FAULTS_PROGRAM"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if os.Getenv(builtHere) != "" {
			return m.Run()
		}
		dir, err := buildProgram()
		defer os.RemoveAll(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// buildProgram compiles the program as it is shipped, into a new folder.
func buildProgram() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "mailvane-faults-"); err != nil {
		return dir, err
	}
	// Some tests run the program as another user.
	if err := os.Chmod(dir, 0o755); err != nil {
		return dir, err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "mailvane"), "../../cmd/mailvane")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, os.Setenv(builtHere, dir)
}

// program is the path of the built program.
func program() string { return filepath.Join(os.Getenv(builtHere), "mailvane") }
