package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"syscall"

	"github.com/mailvane/mailvane/alerts"
)

// The modes of what is made. The process's umask takes away from them.
const (
	folderMode = 0o755
	fileMode   = 0o644
)

// Folder is a folder to write into.
type Folder struct{ notifier, path string }

// New makes a Folder of a path. Errors carry the notifier's name. Nothing is touched.
func New(notifier, path string) *Folder { return &Folder{notifier, path} }

// nameForm is what a file may be called: it is hidden from nobody, and is no path.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`)

// Write writes a file under a name, in place of one that is there. The folder is made if the one that it lies in is there. The
// error is an *alerts.DeliveryError.
func (f *Folder) Write(ctx context.Context, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return f.fail(context.Cause(ctx))
	}
	if !nameForm.MatchString(name) {
		return &alerts.DeliveryError{Notifier: f.notifier, Reason: alerts.DeliveryRefused, Err: fmt.Errorf("%q is not the name of a file", name)}
	}
	if err := os.Mkdir(f.path, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return f.fail(err)
	}
	root, err := os.OpenRoot(f.path)
	if err != nil { // most likely it is none, which only a person can mend
		return &alerts.DeliveryError{Notifier: f.notifier, Reason: alerts.DeliveryAuth, Err: err}
	}
	defer root.Close()
	if err := replace(root, name, data); err != nil {
		return f.fail(fmt.Errorf("write into %s: %w", f.path, err))
	}
	return nil
}

// replace writes a file under a name of its own and renames it, so that a crash leaves the old one or the new one.
func replace(root *os.Root, name string, data []byte) (err error) {
	partial := "." + name + ".partial"
	if err := root.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a former crash
		return err
	}
	file, err := root.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = root.Rename(partial, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(partial))
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// fail says whether a person must act, or whether it may pass.
func (f *Folder) fail(err error) error {
	reason := alerts.DeliveryUnavailable
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EROFS) {
		reason = alerts.DeliveryAuth
	}
	return &alerts.DeliveryError{Notifier: f.notifier, Reason: reason, Err: err}
}
