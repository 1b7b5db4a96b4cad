package printers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/encode"
)

// renderLimit is how many bytes of a result Render encodes. The rest of a larger
// result is encoded while it is printed, so that a result need not fit in
// memory.
const renderLimit = 4 << 20

// A stream prints each result as JSON, as jq does.
type stream struct {
	out io.Writer
	ctx context.Context
	encode.Style
	raw, raw0, seq bool
	end            string // the text after each result
}

func newStream(o Options) *stream {
	s := &stream{out: o.Out, ctx: o.context(), Style: o.style(encode.JQEscapes, encode.ASCIIEscapes)}
	s.raw = o.Raw || o.Join || o.Raw0
	s.raw0, s.seq = o.Raw0, o.Seq
	switch {
	case o.Raw0:
		s.end = "\x00"
	case !o.Join:
		s.end = "\n"
	}
	return s
}

// style returns the layout of JSON for the options, by default with two spaces
// per level.
func (o Options) style(plain, ascii *encode.Escapes) encode.Style {
	s := encode.Style{Indent: "  ", Pretty: !o.Compact, Escape: plain, Colors: o.palette(), Sorted: o.Sorted}
	if o.ASCII {
		s.Escape = ascii
	}
	switch {
	case o.Tab:
		s.Indent = "\t"
	case o.Indent != "":
		s.Indent = strings.Repeat(" ", int(o.Indent[0]-'0'))
	}
	return s
}

// A line is a rendered result of a stream: raw text, or a value that is partly
// encoded.
type line struct {
	text  []byte
	value *encode.Encoding
}

func (s *stream) Render(ctx context.Context, v any) (any, error) {
	v, err := encode.LoadResult(ctx, v)
	if err != nil {
		return nil, err
	}
	if text, ok := v.(string); ok && s.raw {
		return s.rawLine(text)
	}
	e := s.Encode(v)
	if s.seq {
		e.Append("\x1e")
	}
	if err := e.More(ctx, renderLimit); err != nil {
		return nil, err
	}
	return line{value: e}, nil
}

// rawLine renders a string without quotes. With -a it is printed as JSON, as jq
// does.
func (s *stream) rawLine(text string) (any, error) {
	switch {
	case s.Escape == encode.ASCIIEscapes:
		return line{text: s.Escape.Quote(nil, text)}, nil
	case s.raw0 && strings.Contains(text, "\x00"):
		return nil, fmt.Errorf("cannot output a string containing NUL character: %q", text)
	}
	return line{text: []byte(text)}, nil
}

func (s *stream) Print(rendered any) error { return s.write(s.out, rendered.(line)) }

func (s *stream) write(out io.Writer, l line) error {
	if l.value == nil {
		_, err := out.Write(append(l.text, s.end...))
		return err
	}
	if l.value.Done() {
		l.value.Append(s.end)
		return l.value.WriteTo(s.ctx, out)
	}
	if err := l.value.WriteTo(s.ctx, out); err != nil {
		return err
	}
	_, err := io.WriteString(out, s.end)
	return err
}

func (s *stream) Close() error { return nil }

// An indenter indents JSON that was encoded at a lower level. Every newline in
// JSON is layout, because strings escape theirs.
type indenter struct {
	out     io.Writer
	newline string // the text that replaces a newline
}

func (w indenter) Write(p []byte) (int, error) {
	_, err := w.out.Write(bytes.ReplaceAll(p, []byte("\n"), []byte(w.newline)))
	return len(p), err
}
