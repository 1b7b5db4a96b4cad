package transport

import (
	"container/list"
	"errors"
	"math"
	"math/bits"
	"os"
	"sync"
)

// A Depot stores bytes that were read from a stream. It keeps them in memory up to
// a limit. Beyond that limit, it moves the pieces that were used longest ago to a
// temporary file without a name. Several goroutines may use a Depot at once.
type Depot struct {
	dir   string
	quota *Quota

	mu     sync.Mutex
	limit  int64             // maximum number of bytes in the depot
	held   int64             // number of bytes in the depot
	memory int64             // number of bytes that still fit into memory
	recent list.List         // the pieces that are in memory (*piece); the one used last is at the end
	file   *os.File          // the temporary file; nil until the first piece is moved
	remove string            // the file's name, if the system can't remove an open file; otherwise empty
	tail   int64             // the size of the temporary file, where new pieces are added
	free   map[int64][]int64 // the offsets of unused ranges in the file, by their size
	closed bool
}

// NewDepot returns an empty depot. It uses the options TempDir, Quota, MaxMemory
// and MaxUnpacked. MaxUnpacked limits the total number of bytes in the depot.
func NewDepot(o OpenOptions) *Depot {
	o = o.withDefaults()
	return &Depot{dir: o.TempDir, quota: o.Quota, limit: o.MaxUnpacked, memory: o.MaxMemory}
}

// Spool returns a new, empty body in the depot.
func (d *Depot) Spool() *Spool { return &Spool{depot: d, most: math.MaxInt64} }

// sized returns a new, empty body in the depot that will have the given size in
// bytes.
func (d *Depot) sized(size int64) *Spool { return &Spool{depot: d, most: size} }

// admit returns an error if the depot can't store this many additional bytes.
// The caller must hold mu.
func (d *Depot) admit(size int64) error {
	switch {
	case d.closed:
		return os.ErrClosed
	case size > d.limit-d.held:
		return tooLarge(d.limit)
	}
	return nil
}

// hold counts the bytes that are about to be added to the depot.
func (d *Depot) hold(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.admit(size); err != nil {
		return err
	}
	d.held += size
	return nil
}

// drop subtracts a number of bytes that were removed from the depot, and a
// number of bytes of memory that were freed.
func (d *Depot) drop(held, memory int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held -= held
	d.memory += memory
}

// store writes bytes to the temporary file and returns their offset.
func (d *Depot) store(b []byte) (off int64, err error) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return 0, os.ErrClosed
	}
	if err := d.openFile(); err != nil {
		d.mu.Unlock()
		return 0, err
	}
	f := d.file
	off, err = d.room(int64(len(b)))
	d.mu.Unlock()
	if err != nil {
		return 0, err
	}
	_, err = f.WriteAt(b, off)
	return off, err
}

// load reads bytes from the temporary file.
func (d *Depot) load(b []byte, off int64) error {
	d.mu.Lock()
	f := d.file
	d.mu.Unlock()
	if f == nil {
		return os.ErrClosed
	}
	_, err := f.ReadAt(b, off)
	return err
}

// slot returns the size of the range in the file that is reserved for a number of
// bytes. Small ranges are powers of two, so that another piece can reuse them.
func slot(size int64) int64 {
	if size > pieceSize {
		return size
	}
	return max(4<<10, int64(1)<<bits.Len64(uint64(size-1)))
}

// room allocates a range in the temporary file and returns its offset.
func (d *Depot) room(size int64) (off int64, err error) {
	size = slot(size)
	if free := d.free[size]; len(free) > 0 {
		last := len(free) - 1
		off, d.free[size] = free[last], free[:last]
		return off, nil
	}
	if err := d.quota.take(size); err != nil {
		return 0, err
	}
	off = d.tail
	d.tail += size
	return off, nil
}

func (d *Depot) openFile() error {
	if d.file != nil {
		return nil
	}
	f, err := os.CreateTemp(d.dir, "meshq-*") // os.CreateTemp creates the file with mode 0600
	if err != nil {
		return &diskError{err}
	}
	d.file = f
	if os.Remove(f.Name()) != nil { // Windows can't remove a file that is open
		d.remove = f.Name()
	}
	return nil
}

// Close closes and removes the temporary file.
func (d *Depot) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.quota.giveBack(d.tail)
	d.tail = 0
	if d.remove != "" {
		err = errors.Join(err, os.Remove(d.remove))
	}
	d.file, d.remove = nil, ""
	return err
}

// freeSlot marks a range in the temporary file as unused. The caller must hold mu.
func (d *Depot) freeSlot(size, off int64) {
	if d.free == nil {
		d.free = map[int64][]int64{}
	}
	size = slot(size)
	d.free[size] = append(d.free[size], off)
}
