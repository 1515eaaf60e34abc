package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

// builtHere names, in the environment, the folder with the built program, for tests that run themselves as another process.
const builtHere = "MAILVANE_FAULTS_PROGRAM"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if os.Getenv(builtHere) != "" {
			return m.Run()
		}
		if err := manyAtOnce(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
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

// manyAtOnce lets more tests run beside each other than there are processors, unless a flag says how many: most of their time
// they wait, for the pauses that the program makes after failures.
func manyAtOnce() error {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if n := 4; !asked && n > runtime.GOMAXPROCS(0) {
		return flag.Set("test.parallel", strconv.Itoa(n))
	}
	return nil
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
