package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/mailvane/mailvane/internal/ledger"
)

// takeLock locks path for this process. The system lets go of the lock when the file is closed or the process ends,
// however it ends. The file stays: removing it would let two processes lock two files of one name.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	switch detail := new(fs.PathError); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("its folder %s does not exist: make it, or change ledger.path", filepath.Dir(path))
	case errors.As(err, &detail):
		return nil, fmt.Errorf("write in its folder %s: %w", filepath.Dir(path), detail.Err)
	case err != nil:
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = fmt.Errorf("%w, which holds %s: stop that one first", ledger.ErrLocked, path)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
