package input

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/jsontext"
	"github.com/meshq/kubectl-meshq/sources/decode"
)

// files is a reader that reads several files as one text, as jq does: a value may
// begin in one file and end in the next. A file that can't be opened is reported
// and skipped.
type files struct {
	names  []string
	open   func(name string) (io.ReadCloser, error)
	report func(error)

	now    io.ReadCloser
	begun  []begunFile
	offset int64
	lines  int
}

// A begunFile is a file that was opened, with its offset in the whole text.
type begunFile struct {
	name   string
	offset int64
	lines  int // the number of lines in the files before this one
}

func (f *files) Read(p []byte) (int, error) {
	for {
		if f.now == nil {
			if len(f.names) == 0 {
				return 0, io.EOF
			}
			name := f.names[0]
			f.names = f.names[1:]
			file, err := f.open(name)
			if err != nil {
				f.report(err)
				continue
			}
			f.now = file
			f.begun = append(f.begun, begunFile{name, f.offset, f.lines})
		}
		n, err := f.now.Read(p)
		f.offset += int64(n)
		if len(f.names) > 0 { // count the lines before the next file; after the last file, their number isn't needed
			f.lines += bytes.Count(p[:n], []byte{'\n'})
		}
		if errors.Is(err, io.EOF) {
			err = f.Close()
			if n == 0 && err == nil {
				continue
			}
		}
		return n, err
	}
}

// Close closes the file that is being read.
func (f *files) Close() error {
	if f.now == nil {
		return nil
	}
	err := f.now.Close()
	f.now = nil
	return err
}

// at returns the file that contains the byte before the given offset. It returns
// an empty begunFile if the offset is 0.
func (f *files) at(offset int64) (in begunFile) {
	for _, b := range f.begun {
		if b.offset < offset {
			in = b
		}
	}
	return in
}

// shown returns, for messages, the name of the file that contains the given
// offset.
func (f *files) shown(offset int64) string {
	if in := f.at(offset); in.name != "" || len(f.begun) == 0 {
		return process.FileName(in.name)
	}
	return process.FileName(f.begun[0].name)
}

// rawLines reads each line of a text as a value, without the line's end.
type rawLines struct {
	in     *bufio.Reader
	offset int64
	lines  int
}

func newRawLines(r io.Reader) *rawLines { return &rawLines{in: bufio.NewReaderSize(r, 64<<10)} }

func (l *rawLines) Next() (any, error) {
	var line []byte
	for {
		part, err := l.in.ReadSlice('\n')
		l.offset += int64(len(part))
		line = append(line, part...)
		switch {
		case int64(len(line)) > process.Limits.String:
			return nil, fmt.Errorf("a line of more than %d bytes", process.Limits.String)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return jsontext.WellFormed(string(line)), nil
		case err != nil:
			return nil, err
		}
		l.lines++
		return jsontext.WellFormed(string(line[:len(line)-1])), nil
	}
}

func (l *rawLines) Line() int     { return l.lines }
func (l *rawLines) Offset() int64 { return l.offset }

// rawText reads a whole text as one value.
type rawText struct {
	in     *files
	read   bool
	offset int64
	lines  int
}

func (t *rawText) Next() (any, error) {
	if t.read {
		return nil, io.EOF
	}
	t.read = true
	text, err := io.ReadAll(io.LimitReader(t.in, process.Limits.String+1))
	if err == nil && int64(len(text)) > process.Limits.String {
		err = fmt.Errorf("more than %d bytes of text", process.Limits.String)
	}
	t.offset, t.lines = int64(len(text)), bytes.Count(text, []byte{'\n'})
	return jsontext.WellFormed(string(text)), err
}

func (t *rawText) Line() int     { return t.lines }
func (t *rawText) Offset() int64 { return t.offset }

// DecodeText decodes one JSON value.
func DecodeText(text string) (any, error) {
	return decode.Read(strings.NewReader(text), process.Limits)
}

// DecodeAll decodes all JSON values of a stream.
func DecodeAll(r io.Reader) ([]any, error) {
	s := decode.NewStream(r, process.Limits)
	vs := []any{}
	for {
		v, err := s.Next()
		if errors.Is(err, io.EOF) {
			return vs, nil
		}
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
}

// DecodeFile decodes all JSON values of a file.
func DecodeFile(f fs.File) ([]any, error) { return DecodeAll(f) }
