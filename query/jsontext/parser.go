package jsontext

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Options say how a text is read.
type Options struct {
	// Stream gives [path, leaf] for each leaf and [path] behind the last of each
	// container, as soon as they are read, instead of values.
	Stream bool

	// Errors gives [message, path] as an event where a text goes wrong, and goes
	// on behind the line; it needs Stream.
	Errors bool

	// Seq takes each RS for the beginning of a text: what is before the first is
	// an error.
	Seq bool
}

// MaxDepth is how many arrays and objects may be in one another.
const MaxDepth = 10_000

// An Error says what is wrong with a text, and where, in jq's words.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

// wrong is what a step of the parser finds wrong, without the place.
type wrong string

func (w wrong) Error() string { return string(w) }

// A Parser reads the values of a text, or its events. Each byte is one step:
// between two of them nothing is pending but what is in the fields.
type Parser struct {
	in      *bufio.Reader
	o       Options
	builder builder

	line, column int  // of errors
	lines        int  // that were read
	newline      bool // the byte before ended one
	offset       int64
	token        []byte
	quoted       bool // inside a string
	escaped      bool // behind its backslash
	space        bool // the byte before was white space
	skipping     bool // up to the first RS of a sequence
	ended        bool
}

// A builder makes values, or events, of tokens.
type builder interface {
	value(v any) error
	structure(c byte) error
	take() (v any, ok bool) // what is complete
	last() any              // a value at the top that nothing ended; nothing for none
	open() bool             // inside a container
	cutOff(space bool, token bool) bool
	path() []any
	reset()
}

// nothing is the value of a builder that holds no value, as nil is JSON's null.
type nothing struct{}

// NewParser reads from r. A byte order mark in front is passed over.
func NewParser(r io.Reader, o Options) *Parser { return newParser(r, o, 64<<10) }

func newParser(r io.Reader, o Options, buffer int) *Parser {
	p := &Parser{in: bufio.NewReaderSize(r, buffer), o: o, line: 1, builder: &values{next: nothing{}}, skipping: o.Seq}
	if o.Stream {
		p.builder = &events{next: nothing{}}
	}
	if mark, err := p.in.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = p.in.Discard(3)
		p.offset = 3
	}
	return p
}

// Offset is how many bytes were read.
func (p *Parser) Offset() int64 { return p.offset }

// Line is how many lines were read up to the last byte, with the rest of its
// line, as jq's input_line_number has it: a last line that nothing ends is none.
func (p *Parser) Line() int {
	ahead, _ := p.in.Peek(p.in.Buffered())
	if p.offset > 0 && !p.newline && bytes.IndexByte(ahead, '\n') >= 0 {
		return p.lines + 1
	}
	return p.lines
}

// Next gives the next value or event; io.EOF behind the last. After an [*Error]
// it goes on, in a sequence with the next byte, else with the next line, as jq
// does. Other errors are the reader's.
func (p *Parser) Next() (any, error) {
	for !p.ended {
		if v, ok := p.builder.take(); ok {
			return v, nil
		}
		c, err := p.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return p.end()
		}
		if err != nil {
			return nil, err
		}
		p.passed(c)
		if p.skipping {
			p.count(c)
			p.skipping = c != recordSeparator
			continue
		}
		v, ok, err := p.step(c)
		if err != nil {
			return p.failed(c, err)
		}
		if ok {
			return v, nil
		}
	}
	return nil, io.EOF
}

// passed counts a byte that was read.
func (p *Parser) passed(c byte) {
	p.offset++
	if p.newline = c == '\n'; p.newline {
		p.lines++
	}
}

const recordSeparator = '\x1e'

func (p *Parser) count(c byte) {
	p.column++
	if c == '\n' {
		p.line, p.column = p.line+1, 0
	}
}

// step takes one byte. It may end a value, and begin or end a container.
func (p *Parser) step(c byte) (v any, ok bool, err error) {
	p.count(c)
	if p.o.Seq && c == recordSeparator {
		return p.separator()
	}
	p.space = false
	if p.quoted {
		return nil, false, p.inString(c)
	}
	literal := false
	switch c {
	case ' ', '\t', '\r', '\n':
		p.space = true
	case '"', '[', ',', ']', '{', ':', '}':
	default:
		literal = true
	}
	if literal {
		p.token = append(p.token, c)
		return nil, false, nil
	}
	if err := p.literal(); err != nil {
		return nil, false, err
	}
	v, ok = p.builder.take()
	switch {
	case p.space:
	case c == '"':
		p.quoted = true
	default:
		if err := p.builder.structure(c); err != nil {
			return nil, false, err
		}
	}
	return v, ok, nil
}

func (p *Parser) inString(c byte) error {
	switch {
	case c == '"' && !p.escaped:
		p.quoted = false
		text, err := unquote(p.token)
		p.token = p.token[:0]
		if err != nil {
			return err
		}
		return p.builder.value(text)
	default:
		p.token = append(p.token, c)
		p.escaped = c == '\\' && !p.escaped
	}
	return nil
}

// literal ends a word or a number.
func (p *Parser) literal() error {
	if len(p.token) == 0 {
		return nil
	}
	v, err := word(string(p.token))
	if err != nil {
		return err
	}
	p.token = p.token[:0]
	return p.builder.value(v)
}

// separator is the beginning of the next text of a sequence.
func (p *Parser) separator() (v any, ok bool, err error) {
	if p.builder.cutOff(p.space, len(p.token) > 0) || p.quoted {
		if p.literal() == nil && isNumber(p.builder.last()) {
			return nil, false, wrong("Potentially truncated top-level numeric value")
		}
		return nil, false, wrong("Truncated value")
	}
	if err := p.literal(); err != nil {
		return nil, false, err
	}
	if v, ok = p.builder.take(); !ok {
		p.reset()
	}
	return v, ok, nil
}

func (p *Parser) reset() {
	p.builder.reset()
	p.token, p.quoted, p.escaped = p.token[:0], false, false
}

// failed gives the error of a step, with its place.
func (p *Parser) failed(c byte, err error) (any, error) {
	at := fmt.Sprintf("%s at line %d, column %d", err, p.line, p.column)
	if p.o.Seq && c != recordSeparator {
		at += " (need RS to resync)"
	}
	return p.say(at, c)
}

// say gives an error: as an event, or as one.
func (p *Parser) say(text string, c byte) (any, error) {
	path := p.builder.path()
	p.reset()
	for !p.o.Seq && c != '\n' { // it goes on behind this line
		var err error
		if c, err = p.in.ReadByte(); err != nil {
			break
		}
		p.passed(c)
	}
	if p.o.Errors {
		return []any{text, path}, nil
	}
	return nil, &Error{text}
}

// end is behind the last byte.
func (p *Parser) end() (any, error) {
	p.ended = true
	at := fmt.Sprintf("at EOF at line %d, column %d", p.line, p.column)
	if p.skipping {
		return p.say("Unfinished abandoned text "+at, '\n')
	}
	if p.quoted {
		return p.say("Unfinished string "+at, '\n')
	}
	if err := p.literal(); err != nil {
		return p.say(err.Error()+" "+at, '\n')
	}
	if p.builder.open() {
		return p.say("Unfinished JSON term "+at, '\n')
	}
	v := p.builder.last()
	if p.o.Seq && !p.space && isNumber(v) {
		return p.say("Potentially truncated top-level numeric value "+at, '\n')
	}
	if v, ok := p.builder.take(); ok {
		return v, nil
	}
	return nil, io.EOF
}
