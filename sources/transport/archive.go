package transport

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// An archive is a tree that consists of the regular files in a tar archive.
type archive struct {
	catalog
	files map[string]member
	gone  string // the reason why files may be missing from the tree; empty if the tree is complete
	lost  map[string]error
	last  time.Time
}

// A member is a file in an archive. Its bytes are stored in the depot, either
// already or when it is first read.
type member interface {
	bytes(ctx context.Context) (decode.Bytes, error)
}

// stored is a member whose bytes are already in the depot.
type stored struct{ decode.Bytes }

func (s stored) bytes(context.Context) (decode.Bytes, error) { return s.Bytes, nil }

func (a *archive) open(ctx context.Context, name string) (decode.Bytes, error) {
	if m := a.files[name]; m != nil {
		return m.bytes(ctx)
	}
	if err := a.lost[name]; err != nil {
		return nil, err
	}
	return nil, missing{a.gone}
}

// lose records the reason why a file can't be read. It also removes an earlier
// file of the same name, which is outdated.
func (a *archive) lose(name string, err error) {
	a.lost[name] = err
	delete(a.files, name)
}

// saw records the time of a file, so that newest can return the latest. It
// ignores 1970, which archives use for an unknown time, and years of more than
// four digits, which can't be printed.
func (a *archive) saw(t time.Time) {
	if t.Unix() > 0 && t.Year() < 10_000 && t.After(a.last) {
		a.last = t
	}
}

// index builds the folders of the archive from the names of its files.
func (a *archive) index(o OpenOptions) (*archive, error) {
	a.catalog = newCatalog(slices.Collect(maps.Keys(a.files)), o.MaxEntries)
	if a.catalog == nil {
		return nil, &limitError{fmt.Sprintf("more than %d folders", o.MaxEntries)}
	}
	return a, nil
}

func (a *archive) newest() time.Time { return a.last }

// maxNameBytes is the maximum total size of the names of an archive's files.
const maxNameBytes = 64 << 20

// A scan reads the entries of an archive in order.
type scan struct {
	archive *archive
	ledger  *ledger
	options OpenOptions
	keep    func(h *tar.Header, r io.Reader) (decode.Bytes, error)
	entries int
	names   int
}

// readTar reads the files of an archive. It calls keep for each file, to store
// it. If the archive is damaged, readTar reports a fault and returns the files
// before the damage. It returns an error if a limit is exceeded, if ctx ends,
// or if nothing could be read.
func readTar(ctx context.Context, r io.Reader, o OpenOptions, l *ledger, keep func(*tar.Header, io.Reader) (decode.Bytes, error)) (*archive, error) {
	s := &scan{
		archive: &archive{files: map[string]member{}, lost: map[string]error{}},
		ledger:  l, options: o, keep: keep,
	}
	end := watchEnd(r)
	tr := tar.NewReader(end)
	name := ""
	for {
		h, err := tr.Next()
		if errors.Is(err, tar.ErrInsecurePath) {
			err = nil // this error is ignored, because entryKind and entryName check the entry
		}
		if err == io.EOF && end.met() {
			err = errors.New("the end mark of the archive is missing")
		} else if err == io.EOF {
			break
		}
		if err == nil {
			name = h.Name
			err = s.entry(h, tr)
		}
		if err == nil {
			continue
		}
		if fatal(ctx, err) || len(s.archive.files) == 0 {
			return nil, err
		}
		s.cut(name, err)
		break
	}
	return s.archive.index(o)
}

// fatal reports whether the source can't be opened because of an error. Any
// other error means that the source is damaged and its remaining files can be
// used.
func fatal(ctx context.Context, err error) bool {
	var limit *limitError
	var disk *diskError
	return ctx.Err() != nil || errors.As(err, &limit) || errors.As(err, &disk)
}

// entry processes one entry of the archive. If it returns an error, the rest of
// the archive can't be read.
func (s *scan) entry(h *tar.Header, r io.Reader) error {
	s.entries++
	s.names += len(h.Name)
	if s.entries > s.options.MaxEntries {
		return &limitError{fmt.Sprintf("more than %d entries", s.options.MaxEntries)}
	}
	if s.names > maxNameBytes {
		return &limitError{"the names of its entries alone have more than " + byteCount(maxNameBytes)}
	}
	file, err := entryKind(h)
	if err == nil && !file {
		return nil
	}
	name, nameErr := entryName(h.Name)
	if nameErr != nil {
		err = nameErr
	} else if err == nil && h.Size > s.options.MaxMember {
		err = memberTooLarge(h.Size, s.options.MaxMember)
		s.archive.lose(name, err)
	}
	if err != nil {
		s.ledger.refuse(h.Name, err)
		return nil
	}
	b, err := s.keep(h, r)
	if err != nil {
		s.archive.lose(name, fmt.Errorf("cut short in the archive: %w", err))
		return err
	}
	delete(s.archive.lost, name)
	s.archive.files[name] = stored{b} // the last entry with the same name wins
	s.archive.saw(h.ModTime)
	return nil
}

// cut records that the archive ends early, in or after the entry with the given
// name.
func (s *scan) cut(name string, err error) {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends in the middle")
	}
	s.archive.gone = "the archive is damaged"
	s.ledger.add("", fmt.Errorf("damaged at %s, what follows is lost: %w", printable(name), err))
}

// drain reads the bytes after the archive's end mark, so that the checksum of the
// last frame is verified. It ignores bytes of another format at the end.
func drain(ctx context.Context, r io.Reader, l *ledger) error {
	_, err := io.Copy(io.Discard, r)
	switch {
	case err == nil, errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return nil
	case fatal(ctx, err):
		return err
	}
	l.add("", fmt.Errorf("damaged, any of its files may be wrong: %w", err))
	return nil
}

// An ending is a reader that records whether it has reached the end of its
// input.
type ending interface {
	io.Reader
	met() bool
}

type endReader struct {
	io.Reader
	ended bool
}

func (e *endReader) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	e.ended = e.ended || n == 0 && err == io.EOF
	return n, err
}

func (e *endReader) met() bool { return e.ended }

type endSeeker struct {
	endReader
	io.Seeker
}

// watchEnd returns r as an ending. The result is a Seeker if r is one, because
// package tar seeks to skip files.
func watchEnd(r io.Reader) ending {
	if s, ok := r.(io.Seeker); ok {
		return &endSeeker{endReader{Reader: r}, s}
	}
	return &endReader{Reader: r}
}
