package faults

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// ownMounts names, in the environment, the test that runs in a mount namespace of its own.
const ownMounts = "MAILVANE_FAULTS_MOUNTS"

// inOwnMounts runs the rest of a test in another process, in which file systems may be mounted that nobody else sees and
// that are gone when it ends. It returns true in that process. Whoever is not root becomes it, in a user namespace, for
// mounting alone.
func inOwnMounts(t *testing.T) bool {
	t.Helper()
	if os.Getenv(ownMounts) == t.Name() {
		// What this process mounts must not spread to others.
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatalf("make mounts private: %v", err)
		}
		return true
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=15m")
	cmd.Env = append(os.Environ(), ownMounts+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("in its own mount namespace: %v\n%s", err, out)
	} else if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("the test did not run in its own mount namespace:\n%s", out)
	}
	return false
}

// disk is a small file system in memory.
type disk string

// mount makes a file system of so many bytes.
func mount(t *testing.T, size int) disk {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(size)); err != nil {
		t.Fatalf("mount a file system of %d bytes: %v", size, err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return disk(dir)
}

// resize changes how many bytes the file system holds.
func (d disk) resize(t *testing.T, size int) {
	t.Helper()
	if err := syscall.Mount("", string(d), "", syscall.MS_REMOUNT, "size="+strconv.Itoa(size)); err != nil {
		t.Fatalf("resize the file system: %v", err)
	}
}

// readOnly makes the file system refuse writes.
func (d disk) readOnly(t *testing.T) {
	t.Helper()
	if err := syscall.Mount("", string(d), "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatalf("make the file system read-only: %v", err)
	}
}
