package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Open opens what was recorded: a snapshot or an `istioctl bug-report`, as a
// folder or as a tar archive, plain or packed with gzip or zstd; or a lone
// config dump of Envoy or ztunnel, plain or packed. What it is is told from
// its bytes, never from its name. The path "-" is o.Stdin, in any of these
// forms but a folder.
//
// Errors begin with the path. What could be lived with is in the source's
// Faults.
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

// OpenBytes opens a snapshot, bug report or config dump that is in memory, in
// any form but a folder. The name is for errors and faults. data is not
// copied; it must not change.
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
		t, err := openFolder(path)
		if err != nil {
			return nil, err
		}
		in.hold(t.Close)
		return in.source(ctx, t)
	}
	if !f.Info().Mode().IsRegular() { // a pipe: <(curl …)
		defer f.Close()
		in.stream = f
		return in.open(ctx)
	}
	in.hold(f.Close)
	in.raw = wholeFile{f.File, f.Info().Size()}
	return in.open(ctx)
}

// wholeFile is the bytes of a file that stays open.
type wholeFile struct {
	*os.File
	size int64
}

// Size gives the size that the file had when it was opened.
func (f wholeFile) Size() int64 { return f.size }
