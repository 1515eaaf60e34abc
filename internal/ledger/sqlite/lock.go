package sqlite

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/mailvane/mailvane/internal/ledger"
)

// takeLock locks path for this process. The system lets go of the lock when the file is closed or the process ends,
// however it ends. The file stays: removing it would let two processes lock two files of one name.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = fmt.Errorf("%w, which holds %s", ledger.ErrLocked, path)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
