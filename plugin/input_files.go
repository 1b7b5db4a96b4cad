package plugin

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/meshq/kubectl-meshq/query/jsontext"
)

// inputFiles are several files as one text, as jq reads them: a value may begin
// in one and end in the next. One that can't be opened is reported and left out.
type inputFiles struct {
	names  []string
	open   func(name string) (io.ReadCloser, error)
	failed func(error)

	now    io.ReadCloser
	begun  []begunFile
	offset int64
	lines  int
}

// A begunFile is where in the whole text a file begins.
type begunFile struct {
	name   string
	offset int64
	lines  int // of the files before it
}

func (f *inputFiles) Read(p []byte) (int, error) {
	for {
		if f.now == nil {
			if len(f.names) == 0 {
				return 0, io.EOF
			}
			name := f.names[0]
			f.names = f.names[1:]
			file, err := f.open(name)
			if err != nil {
				f.failed(err)
				continue
			}
			f.now = file
			f.begun = append(f.begun, begunFile{name, f.offset, f.lines})
		}
		n, err := f.now.Read(p)
		f.offset += int64(n)
		if len(f.names) > 0 { // there is a file behind it, whose lines count from 1
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
func (f *inputFiles) Close() error {
	if f.now == nil {
		return nil
	}
	err := f.now.Close()
	f.now = nil
	return err
}

// at gives the file that the byte before an offset is in; none before the first.
func (f *inputFiles) at(offset int64) (in begunFile) {
	for _, b := range f.begun {
		if b.offset < offset {
			in = b
		}
	}
	return in
}

// shown names the file at an offset in messages.
func (f *inputFiles) shown(offset int64) string {
	if in := f.at(offset); in.name != "" || len(f.begun) == 0 {
		return fileName(in.name)
	}
	return fileName(f.begun[0].name)
}

// rawLines are the lines of a text, each a value, without their ends.
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
		case int64(len(line)) > limits.String:
			return nil, fmt.Errorf("a line of more than %d bytes", limits.String)
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

// rawText is all of a text as one value.
type rawText struct {
	in     *inputFiles
	read   bool
	offset int64
	lines  int
}

func (t *rawText) Next() (any, error) {
	if t.read {
		return nil, io.EOF
	}
	t.read = true
	text, err := io.ReadAll(io.LimitReader(t.in, limits.String+1))
	if err == nil && int64(len(text)) > limits.String {
		err = fmt.Errorf("more than %d bytes of text", limits.String)
	}
	t.offset, t.lines = int64(len(text)), bytes.Count(text, []byte{'\n'})
	return jsontext.WellFormed(string(text)), err
}

func (t *rawText) Line() int     { return t.lines }
func (t *rawText) Offset() int64 { return t.offset }
