package googleauth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Reservation is the place of a credentials file that is to come.
type Reservation struct {
	path    string
	replace bool
	// file is written beside the place, so that moving it there is one step; nil when done.
	file *os.File
}

// PlaceError says why nothing can be stored at a path.
type PlaceError struct{ err error }

// Error names the path, too.
func (e *PlaceError) Error() string { return e.err.Error() }

func (e *PlaceError) Unwrap() error { return e.err }

// Reserve makes sure that a credentials file can be stored at path. Its errors are *PlaceError. Unless replace is set, a file
// that is there is one, which wraps fs.ErrExist. Close ends the reservation.
func Reserve(path string, replace bool) (*Reservation, error) {
	r := &Reservation{path: path, replace: replace}
	if err := r.free(); err != nil {
		return nil, &PlaceError{err}
	}
	var err error
	if r.file, err = os.CreateTemp(filepath.Dir(path), ".mailvane-*"); err != nil { // mode 0600
		return nil, &PlaceError{fmt.Errorf("make %s: %w", path, withoutPath(err))} // the path is that of a file beside it
	}
	return r, nil
}

// free says whether the place may be taken.
func (r *Reservation) free() error {
	info, err := os.Lstat(r.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("make %s: %w", r.path, withoutPath(err))
	case info.IsDir():
		return fmt.Errorf("%s is a folder", r.path)
	case !r.replace:
		return fmt.Errorf("%s is there: %w", r.path, fs.ErrExist)
	default:
		return nil
	}
}

// Store stores the credentials, readable by their owner alone: wholly, or not at all.
func (r *Reservation) Store(c *Credentials) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("store %s: %w", r.path, err)
		}
	}()
	if _, err := r.file.Write(c.file); err != nil {
		return err
	}
	if err := r.file.Sync(); err != nil {
		return err
	}
	if err := r.free(); err != nil {
		return err
	}
	if err := os.Rename(r.file.Name(), r.path); err != nil {
		return err
	}
	err = errors.Join(r.file.Close(), syncFolder(filepath.Dir(r.path)))
	r.file = nil
	return err
}

// syncFolder makes the new name last.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close ends the reservation; what was stored stays.
func (r *Reservation) Close() error {
	if r.file == nil {
		return nil
	}
	return errors.Join(r.file.Close(), os.Remove(r.file.Name()))
}
