package transport

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A Writer writes a snapshot archive. The archive is a .tar.zst that `tar --zstd
// -x` can unpack. A single file in it can be read without reading the other files.
// Only one goroutine at a time may use a Writer. A Writer keeps only the index in
// memory.
type Writer struct {
	out     counter
	zstd    *zstd.Encoder
	sink    redirect // the writer to which package tar writes
	tar     *tar.Writer
	time    time.Time
	entries []indexEntry
	err     error // the first error; after it, nothing can be added to the archive
}

// NewWriter returns a Writer that writes an archive to w. All files get the time
// takenAt, in whole seconds.
func NewWriter(w io.Writer, takenAt time.Time) (*Writer, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(memberWindow),
		zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return nil, err
	}
	out := &Writer{out: counter{w: w}, zstd: z, time: takenAt.UTC().Truncate(time.Second)}
	out.tar = tar.NewWriter(&out.sink)
	return out, nil
}

// Add adds a file with size bytes, which it reads from r. The name is a relative
// path with slashes, such as "proxies/web.default/config_dump.json". After an
// error nothing more can be added, unless the error was about the name.
func (w *Writer) Add(name string, size int64, r io.Reader) error {
	if w.err != nil {
		return w.err
	}
	if clean, err := entryName(name); err != nil || clean != name || name == "." {
		return fmt.Errorf("%s: no name for a file of a snapshot", printable(name))
	}
	start := w.out.n
	if err := w.add(name, size, r); err != nil {
		w.err = fmt.Errorf("%s: %w", printable(name), err)
		return w.err
	}
	w.entries = append(w.entries, indexEntry{name: name, off: start, packed: w.out.n - start, size: size, time: w.time})
	return nil
}

func (w *Writer) add(name string, size int64, r io.Reader) error {
	var headers bytes.Buffer
	w.sink.Writer = &headers
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, ModTime: w.time}
	if err := w.tar.WriteHeader(h); err != nil {
		return err
	}
	// Without the size in the frame, a reader would allocate a whole window to
	// unpack it.
	w.zstd.ResetContentSize(&w.out, int64(headers.Len())+(size+tarBlock-1)/tarBlock*tarBlock)
	w.sink.Writer = w.zstd
	if _, err := headers.WriteTo(w.zstd); err != nil {
		return err
	}
	n, err := io.Copy(w.tar, r)
	switch {
	case errors.Is(err, tar.ErrWriteTooLong):
		return fmt.Errorf("has more than the %d bytes announced", size)
	case err != nil:
		return err
	case n < size:
		return fmt.Errorf("has %d bytes, not the %d announced", n, size)
	}
	if err := w.tar.Flush(); err != nil { // Flush writes tar's padding, which belongs to the same frame
		return err
	}
	return w.zstd.Close()
}

// Close writes the end of the archive and its index. It does not close the
// underlying writer.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.err = errors.New("the archive is closed")
	w.zstd.Reset(&w.out)
	w.sink.Writer = w.zstd
	if err := w.tar.Close(); err != nil {
		return err
	}
	if err := w.zstd.Close(); err != nil {
		return err
	}
	index, err := appendIndex(nil, w.entries, w.out.n)
	if err != nil {
		return err
	}
	_, err = w.out.Write(index)
	return err
}

// A redirect is a writer whose destination can be changed.
type redirect struct{ io.Writer }

// A counter is a writer that counts the bytes that pass through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
