package transport

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// memberWindow is how far back a frame of our own archives may refer.
const memberWindow = 8 << 20

// openIndexed gives the files of an archive by its index, of which nothing
// but the index is read; nil when it has none. Each file is unpacked into the
// depot when it is first opened.
func openIndexed(whole decode.Bytes, d *Depot, o OpenOptions, l *ledger) (*archive, error) {
	entries, ok := readIndex(whole, o.MaxEntries)
	if !ok {
		return nil, nil
	}
	a := &archive{files: map[string]member{}, lost: map[string]error{}}
	for _, e := range entries {
		name, err := entryName(e.name)
		if err == nil && e.size > o.MaxMember {
			err = memberTooLarge(e.size, o.MaxMember)
			a.lose(name, err)
		}
		if err != nil {
			l.refuse(e.name, err)
			continue
		}
		delete(a.lost, name)
		a.files[name] = &frame{archive: whole, entry: e, depot: d, turn: make(chan struct{}, 1)}
		a.saw(e.time)
	}
	return a.index(o)
}

// A frame is a member that lies packed in its archive.
type frame struct {
	archive decode.Bytes
	entry   indexEntry
	depot   *Depot
	turn    chan struct{} // held by who unpacks it
	stored  decode.Bytes  // unpacked; read and written by who has the turn
}

func (f *frame) bytes(ctx context.Context) (decode.Bytes, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if f.stored == nil {
		b, err := f.unpack(ctx)
		if err != nil {
			if fatal(ctx, err) {
				return nil, err
			}
			return nil, fmt.Errorf("damaged in the archive: %w", err)
		}
		f.stored = b
	}
	return f.stored, nil
}

// maxHeaders is how much of a frame may be something else than the file:
// tar's headers and padding.
const maxHeaders = 1 << 20

func (f *frame) unpack(ctx context.Context) (decode.Bytes, error) {
	e := f.entry
	z, err := zstd.NewReader(io.NewSectionReader(f.archive, e.off, e.packed),
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(memberWindow))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	r := newMeter(ctx, z, e.size+maxHeaders)
	tr := tar.NewReader(r)
	h, err := tr.Next()
	if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
		return nil, err
	}
	if h.Name != e.name || h.Size != e.size || h.Typeflag != tar.TypeReg {
		return nil, errors.New("its index tells of another file")
	}
	b, err := store(f.depot, tr, e.size)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, r) // to the checksum
	return b, err
}
