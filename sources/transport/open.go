package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Open opens a recorded source. It may be a snapshot or an `istioctl bug-report`,
// as a folder or as a tar archive, or a single config dump of Envoy or ztunnel.
// Archives and dumps may be compressed with gzip or zstd. Open recognizes the kind
// by the content, never by the name. The path "-" means o.Stdin, which can be
// anything except a folder.
//
// Errors begin with the path. Problems that don't prevent the use of the source
// are in its Faults.
func Open(ctx context.Context, path string, o OpenOptions) (Source, error) {
	in := newInput(filepath.Base(path), o)
	var s Source
	var err error
	if path == "-" {
		path, in.name = "stdin", "stdin"
		s, err = openStdin(ctx, in)
	} else {
		s, err = openPath(ctx, in, path)
	}
	if err != nil {
		in.held.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// OpenBytes opens a snapshot, bug report or config dump in memory, which can be
// anything that Open accepts except a folder. The name is used in errors and
// faults. data is not copied and must not change.
func OpenBytes(ctx context.Context, name string, data []byte, o OpenOptions) (Source, error) {
	in := newInput(name, o)
	in.raw = bytes.NewReader(data)
	s, err := in.open(ctx)
	if err != nil {
		in.held.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func openStdin(ctx context.Context, in *input) (Source, error) {
	if in.options.Stdin == nil {
		return nil, errors.New("there is none")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	in.stream = newPatient(ctx, in.options.Stdin)
	return in.open(ctx)
}

func openPath(ctx context.Context, in *input, path string) (Source, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	f, err := OpenFile(ctx, path)
	if err != nil {
		return nil, err
	}
	if f.Info().IsDir() {
		f.Close()
		t, err := openFolder(path, in.options.keeper())
		if err != nil {
			return nil, err
		}
		in.hold(t.Close)
		return in.source(ctx, t)
	}
	if !f.Info().Mode().IsRegular() { // the path may be a pipe, such as <(curl …)
		defer f.Close()
		in.stream = f
		return in.open(ctx)
	}
	in.hold(f.Close)
	in.raw = wholeFile{f.File, f.Info().Size()}
	return in.open(ctx)
}

// wholeFile provides the bytes of an open file.
type wholeFile struct {
	*os.File
	size int64
}

// Size returns the size of the file at the time when it was opened.
func (f wholeFile) Size() int64 { return f.size }
