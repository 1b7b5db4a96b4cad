package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxWindow is how far back a foreign zstd frame may refer; the zstd command
// itself refuses more without --long.
const maxWindow = 128 << 20

// compression names what the bytes that begin with head are packed with:
// "gzip", "zstd", or "" for nothing known.
func compression(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}),
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}): // a skippable frame first
		return "zstd"
	}
	return ""
}

// unpack gives what r holds, which is packed with the named compression.
func unpack(r io.Reader, compression string) (io.ReadCloser, error) {
	if compression == "gzip" {
		return gzip.NewReader(r)
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

// A meter passes bytes on until the context ends or there are more than left.
type meter struct {
	ctx   context.Context
	r     io.Reader
	limit int64
	left  int64
}

func newMeter(ctx context.Context, r io.Reader, limit int64) *meter {
	return &meter{ctx: ctx, r: r, limit: limit, left: limit}
}

// Read reads; more bytes than the limit are a [limitError].
func (m *meter) Read(p []byte) (int, error) {
	if err := context.Cause(m.ctx); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	if int64(n) > m.left {
		n = int(m.left)
		err = tooLarge(m.limit)
	}
	m.left -= int64(n)
	return n, err
}

// A patient reader reads from r (a terminal, a pipe) in a goroutine of its
// own, so that a read that waits ends when the context does. The goroutine
// starts with the first Read, because what it takes from a pipe is lost to
// every other reader of it, and ends with the read under way, at the latest
// when r ends.
type patient struct {
	ctx    context.Context
	source io.Reader
	start  sync.Once
	chunks chan chunk
	rest   []byte
	err    error
}

type chunk struct {
	b   []byte
	err error
}

// Patient gives what r (a terminal, a pipe) gives, read ahead a little; a read
// that waits ends with ctx, and its error is the context's. Nothing is read
// from r before the first Read.
func Patient(ctx context.Context, r io.Reader) io.Reader { return newPatient(ctx, r) }

func newPatient(ctx context.Context, r io.Reader) *patient {
	return &patient{ctx: ctx, source: r, chunks: make(chan chunk)}
}

// pump alternates between two buffers: the reader has done with one when it
// takes the other.
func (p *patient) pump() {
	var buffers [2][64 << 10]byte
	for i := 0; ; i ^= 1 {
		n, err := p.source.Read(buffers[i][:])
		select {
		case p.chunks <- chunk{buffers[i][:n], err}:
		case <-p.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Read gives what has come, waiting for it.
func (p *patient) Read(b []byte) (int, error) {
	p.start.Do(func() { go p.pump() })
	for len(p.rest) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		select {
		case c := <-p.chunks:
			p.rest, p.err = c.b, c.err
		case <-p.ctx.Done():
			return 0, context.Cause(p.ctx)
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
