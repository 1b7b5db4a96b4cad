package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// An input is the file or stream from which a source is opened.
type input struct {
	name    string
	options OpenOptions
	raw     decode.Bytes // the bytes of the input, if random access is possible
	stream  io.Reader    // the bytes of the input, if random access isn't possible
	depot   *Depot       // stores unpacked bytes and the bytes of a stream
	faults  *ledger
	held    closers // the files that are closed together with the source
}

func newInput(name string, o OpenOptions) *input {
	o = o.withDefaults()
	in := &input{name: name, options: o, depot: NewDepot(o), faults: &ledger{source: name}}
	in.hold(in.depot.Close)
	return in
}

func (in *input) hold(f func() error) { in.held = append(in.held, f) }

// peekSize is the number of bytes that are read to recognize the kind of an input.
const peekSize = 2 * tarBlock

// open recognizes the kind of the input and opens it.
func (in *input) open(ctx context.Context) (Source, error) {
	if in.raw != nil {
		in.stream = io.NewSectionReader(in.raw, 0, in.raw.Size())
	}
	r := bufio.NewReaderSize(newMeter(ctx, in.stream, in.options.MaxUnpacked), 64<<10)
	head, err := peek(r)
	if err != nil {
		return nil, err
	}
	packed := compression(head)
	if packed == "" {
		return in.plain(ctx, r, head)
	}
	if in.raw != nil && packed == "zstd" {
		if t, err := openIndexed(in.raw, in.depot, in.options, in.faults); t != nil || err != nil {
			return in.sourceOf(ctx, t, err)
		}
	}
	u, err := unpack(r, packed)
	if err != nil {
		return nil, err
	}
	defer u.Close()
	r = bufio.NewReaderSize(newMeter(ctx, u, in.options.MaxUnpacked), 64<<10)
	if head, err = peek(r); err != nil {
		return nil, err
	}
	in.raw = nil
	return in.plain(ctx, r, head)
}

// plain opens an input that isn't compressed, or that was decompressed before.
func (in *input) plain(ctx context.Context, r *bufio.Reader, head []byte) (Source, error) {
	switch {
	case isTar(head) && in.raw != nil:
		t, err := mapTar(ctx, in.raw, in.options, in.faults)
		return in.sourceOf(ctx, t, err)
	case isTar(head):
		t, err := storeTar(ctx, r, in.depot, in.options, in.faults)
		return in.sourceOf(ctx, t, err)
	case isEmptyTar(head):
		return nil, errors.New("an empty archive")
	case looksLikeJSON(head):
		return in.dump(ctx, r)
	}
	return nil, errors.New("not a snapshot: " + looks(head))
}

// dump opens a JSON document.
func (in *input) dump(ctx context.Context, r io.Reader) (Source, error) {
	var b decode.Bytes
	if in.raw != nil {
		b = in.options.keeper().file(in.raw)
	} else {
		var err error
		if b, err = storeAll(in.depot, r); err != nil {
			return nil, err
		}
	}
	kind, looks := dumpKind(newMeter(ctx, io.NewSectionReader(b, 0, b.Size()), math.MaxInt64))
	switch {
	case kind == "" && looks.kind == KindSnapshot:
		return nil, errors.New("the manifest of a snapshot: name its folder")
	case kind == "":
		return nil, fmt.Errorf("not a snapshot: %s; for plain JSON use --input", looks)
	}
	body := Body{Bytes: b, Name: "config_dump.json", Form: JSON}
	if kind == KindClusters {
		body.Name = "clusters.json"
	}
	return &dump{closers: in.held, kind: kind, body: body}, nil
}

func (in *input) sourceOf(ctx context.Context, a *archive, err error) (Source, error) {
	if err != nil {
		return nil, err
	}
	in.faults.finish()
	return in.source(ctx, a)
}

// source opens the snapshot or bug report that a tree contains.
func (in *input) source(ctx context.Context, t tree) (Source, error) {
	prefix, kind, err := locate(t)
	if err != nil {
		return nil, in.faults.reason(err)
	}
	r := recorded{closers: in.held, tree: t, prefix: prefix}
	if kind == KindBugReport {
		return newBugReport(ctx, r, in.faults), nil
	}
	return newSnapshot(ctx, r, in.faults)
}

// peek returns the first bytes of r without consuming them. It returns no bytes if
// the input is empty.
func peek(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(peekSize)
	if len(head) == 0 && err != io.EOF {
		return nil, err
	}
	return head, nil
}
