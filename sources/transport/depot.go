package transport

import (
	"container/list"
	"errors"
	"io"
	"math"
	"math/bits"
	"os"
	"sync"
)

// A Depot stores bytes that came in a stream. It keeps them in memory up to a limit,
// and then in a nameless temporary file. It moves those pieces of spools to the file
// that were used longest ago. Several goroutines may use it.
type Depot struct {
	dir   string
	quota *Quota

	mu     sync.Mutex
	limit  int64             // number of bytes that the depot may hold in all
	held   int64             // number of bytes that the depot holds
	memory int64             // number of bytes that may still be put into memory
	recent list.List         // the pieces in memory (*piece); the one used last is at the back
	file   *os.File          // the temporary file; nil until it is needed
	remove string            // the file's name, if it could not be removed while open
	tail   int64             // the offset at which the file grows
	free   map[int64][]int64 // offsets of unused ranges in the file, by size
	closed bool
}

// NewDepot returns an empty depot. It uses these options: TempDir, Quota, MaxMemory
// and MaxUnpacked, which limits what the depot may hold in all.
func NewDepot(o OpenOptions) *Depot {
	o = o.withDefaults()
	return &Depot{dir: o.TempDir, quota: o.Quota, limit: o.MaxUnpacked, memory: o.MaxMemory}
}

// Spool returns a new body in the depot.
func (d *Depot) Spool() *Spool { return &Spool{depot: d, most: math.MaxInt64} }

// sized returns a new body that will have this many bytes.
func (d *Depot) sized(size int64) *Spool { return &Spool{depot: d, most: size} }

// take allocates a place for up to size bytes.
func (d *Depot) take(size int64) (*place, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.admit(size); err != nil {
		return nil, err
	}
	p := &place{room: size}
	if size <= d.memory {
		d.memory -= size
	} else {
		if err := d.openFile(); err != nil {
			return nil, err
		}
		off, err := d.room(size)
		if err != nil {
			return nil, err
		}
		p.file, p.off = d.file, off
	}
	d.held += size
	return p, nil
}

// admit returns an error if the depot can't hold this many more bytes. The caller
// must hold mu.
func (d *Depot) admit(size int64) error {
	switch {
	case d.closed:
		return os.ErrClosed
	case size > d.limit-d.held:
		return tooLarge(d.limit)
	}
	return nil
}

// hold counts bytes that will be stored.
func (d *Depot) hold(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.admit(size); err != nil {
		return err
	}
	d.held += size
	return nil
}

// drop subtracts bytes that are no longer held, and memory that is free again.
func (d *Depot) drop(held, memory int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held -= held
	d.memory += memory
}

// store writes bytes to the file and returns their offset.
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

// load reads bytes from the file.
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

// slot returns the size of the range in the file for this many bytes. For small
// sizes it is a power of two, so that the range can be reused.
func slot(size int64) int64 {
	if size > pieceSize {
		return size
	}
	return max(4<<10, int64(1)<<bits.Len64(uint64(size-1)))
}

// room allocates a range in the file.
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
	f, err := os.CreateTemp(d.dir, "meshq-*") // creates the file with mode 0600
	if err != nil {
		return &diskError{err}
	}
	d.file = f
	if os.Remove(f.Name()) != nil { // Windows can't remove a file that is open
		d.remove = f.Name()
	}
	return nil
}

// Close removes the temporary file.
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

// A place is a range of bytes in a Depot. One goroutine writes it once, from the
// beginning; then any number may read it.
type place struct {
	room int64    // capacity in bytes
	size int64    // bytes written
	mem  []byte   // the bytes, if file is nil
	file *os.File // the file that holds the bytes, from offset off on
	off  int64
}

// Write appends b. It returns an error if b exceeds the capacity of the place.
func (p *place) Write(b []byte) (int, error) {
	if int64(len(b)) > p.room-p.size {
		return 0, io.ErrShortWrite
	}
	if p.file != nil {
		n, err := p.file.WriteAt(b, p.off+p.size)
		p.size += int64(n)
		return n, err
	}
	if p.mem == nil {
		p.mem = make([]byte, 0, p.room)
	}
	p.mem = append(p.mem, b...)
	p.size += int64(len(b))
	return len(b), nil
}

// ReadAt reads bytes that were written.
func (p *place) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read before the beginning")
	}
	if off >= p.size {
		return 0, io.EOF
	}
	want := len(b)
	b = b[:min(int64(want), p.size-off)]
	n := len(b)
	if p.file == nil {
		copy(b, p.mem[off:])
	} else if m, err := p.file.ReadAt(b, p.off+off); m < n {
		return m, err
	}
	if n < want {
		return n, io.EOF
	}
	return n, nil
}

// Size returns the number of bytes written.
func (p *place) Size() int64 { return p.size }

// freeSlot marks a range in the file as unused. The caller must hold mu.
func (d *Depot) freeSlot(size, off int64) {
	if d.free == nil {
		d.free = map[int64][]int64{}
	}
	size = slot(size)
	d.free[size] = append(d.free[size], off)
}
