package transport

import (
	"errors"
	"io"
	"os"
	"sync"
)

// A depot keeps bytes that came in a stream: in memory while they are few,
// then in a nameless temporary file. Places in it are never given back.
type depot struct {
	dir string

	mu     sync.Mutex
	limit  int64    // what it may hold in all
	held   int64    // what it holds
	memory int64    // how much more of it may be in memory
	file   *os.File // nil until it is needed
	remove string   // the file's name where it could not be removed while open
	tail   int64    // where the file's next place begins
	closed bool
}

func newDepot(o OpenOptions) *depot {
	return &depot{dir: o.TempDir, limit: o.MaxUnpacked, memory: o.MaxMemory}
}

// take gives an empty place for up to size bytes.
func (d *depot) take(size int64) (*place, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, os.ErrClosed
	}
	if size > d.limit-d.held {
		return nil, tooLarge(d.limit)
	}
	p := &place{room: size}
	if size <= d.memory {
		d.memory -= size
	} else {
		if err := d.openFile(); err != nil {
			return nil, err
		}
		p.file, p.off = d.file, d.tail
		d.tail += size
	}
	d.held += size
	return p, nil
}

func (d *depot) openFile() error {
	if d.file != nil {
		return nil
	}
	f, err := os.CreateTemp(d.dir, "meshq-*") // mode 0600
	if err != nil {
		return &diskError{err}
	}
	d.file = f
	if os.Remove(f.Name()) != nil { // Windows: not while it is open
		d.remove = f.Name()
	}
	return nil
}

// Close frees the temporary file.
func (d *depot) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	if d.remove != "" {
		err = errors.Join(err, os.Remove(d.remove))
	}
	d.file, d.remove = nil, ""
	return err
}

// A place is a part of a depot: written once, from its beginning, by one
// goroutine, then read by any number.
type place struct {
	room int64    // how much it can hold
	size int64    // how much it holds
	mem  []byte   // its bytes, where file is nil
	file *os.File // where its bytes are, from off
	off  int64
}

// Write appends p; what goes beyond the place's room is refused.
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

// ReadAt reads what was written.
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

// Size gives the number of bytes written.
func (p *place) Size() int64 { return p.size }

// giveBack tells that so many bytes of memory taken are free again.
func (d *depot) giveBack(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held -= n
	d.memory += n
}
