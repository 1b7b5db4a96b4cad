package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxWindow is the maximum zstd window in bytes of archives from other programs.
// The zstd command itself refuses larger windows without --long.
const maxWindow = 128 << 20

// compression returns the compression of an input that begins with head: "gzip",
// "zstd", or "" if it recognizes none.
func compression(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}),
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}): // a zstd archive may begin with a skippable frame
		return "zstd"
	}
	return ""
}

// unpack returns a reader that decompresses r.
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

// A meter is a reader that returns an error when the context has ended or when the
// limit is exceeded.
type meter struct {
	ctx   context.Context
	r     io.Reader
	limit int64
	left  int64
}

func newMeter(ctx context.Context, r io.Reader, limit int64) *meter {
	return &meter{ctx: ctx, r: r, limit: limit, left: limit}
}

// Read reads from the underlying reader. It returns a [limitError] if there are
// more bytes than the limit.
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

// A patient reader reads from r (a terminal or a pipe) in a separate goroutine,
// so that a blocked read can end with the context. The goroutine starts with the
// first Read, because other readers of a pipe don't get the bytes that it has
// read. After the context has ended, the goroutine ends when its current read
// returns.
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

// Patient returns a reader that reads a little ahead from r (a terminal or a
// pipe). If ctx ends, a blocked read returns the context's error. Nothing is read
// from r before the first call of Read.
func Patient(ctx context.Context, r io.Reader) io.Reader { return newPatient(ctx, r) }

func newPatient(ctx context.Context, r io.Reader) *patient {
	return &patient{ctx: ctx, source: r, chunks: make(chan chunk)}
}

// pump reads into two buffers in turn: when the reader takes the second buffer, it
// no longer uses the first one.
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

// Read waits for bytes and copies them into b.
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
