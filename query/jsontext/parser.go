package jsontext

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Options determine how a text is parsed.
type Options struct {
	// Stream yields events instead of values, as soon as they are read: [path, leaf] for
	// each value without parts, and [path] after the last part of each array or object.
	Stream bool

	// Errors yields an event [message, path] for an error instead of returning the error.
	// Parsing then continues with the next line. Errors requires Stream.
	Errors bool

	// Seq accepts a sequence of texts (RFC 7464), in which each RS character starts a
	// text. Text before the first RS is an error.
	Seq bool
}

// MaxDepth is the maximum depth of nested arrays and objects.
const MaxDepth = 10_000

// An Error is a syntax error with its position. Its text is that of jq's error.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

// wrong is a syntax error without its position, as a step of the parser returns it.
type wrong string

func (w wrong) Error() string { return string(w) }

// A Parser reads the values, or the events, of a text. It processes one byte per step,
// and its fields contain its whole state between two steps.
type Parser struct {
	in      *bufio.Reader
	o       Options
	builder builder

	line, column int  // position for error messages
	lines        int  // number of lines that were read
	newline      bool // whether the previous byte was a newline
	offset       int64
	token        []byte
	quoted       bool // whether the position is inside a string
	escaped      bool // whether the previous byte is a backslash in a string
	space        bool // whether the previous byte was white space
	skipping     bool // whether bytes before the first RS of a sequence are being skipped
	ended        bool
}

// A builder combines the parser's tokens to values or events.
type builder interface {
	value(v any) error
	structure(c byte) error
	take() (v any, ok bool) // returns the next complete value or event
	// returns a top-level value that may be incomplete, such as a number at the end of
	// the input; or nothing{}
	last() any
	open() bool // reports whether an array or an object is open
	cutOff(space bool, token bool) bool
	path() []any
	reset()
}

// nothing is returned by a builder that has no value. nil can't be used for this, because
// nil is JSON's null.
type nothing struct{}

// NewParser returns a parser that reads from r. It skips a byte order mark at the
// beginning.
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

// Offset returns the number of bytes that were read.
func (p *Parser) Offset() int64 { return p.offset }

// Line returns the number of lines that were read, as jq's input_line_number counts them:
// the line of the last byte counts only if it ends with a newline.
func (p *Parser) Line() int {
	ahead, _ := p.in.Peek(p.in.Buffered())
	if p.offset > 0 && !p.newline && bytes.IndexByte(ahead, '\n') >= 0 {
		return p.lines + 1
	}
	return p.lines
}

// Next returns the next value or event, or io.EOF after the last one. After an [*Error],
// the caller may call Next again. As in jq, parsing then continues with the next byte if
// Options.Seq is set, and with the next line otherwise. Any other error comes from the
// reader.
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

// passed updates the offset and the position for a byte that was read.
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

// step processes one byte. The byte may complete a value, which step returns with ok ==
// true.
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

// literal adds the completed word or number to the builder.
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

// separator handles the RS character, which starts the next text of a sequence.
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

// failed adds the position to the error of a step.
func (p *Parser) failed(c byte, err error) (any, error) {
	at := fmt.Sprintf("%s at line %d, column %d", err, p.line, p.column)
	if p.o.Seq && c != recordSeparator {
		at += " (need RS to resync)"
	}
	return p.say(at, c)
}

// say returns an error message, as an event if Options.Errors is set, otherwise as an
// error.
func (p *Parser) say(text string, c byte) (any, error) {
	path := p.builder.path()
	p.reset()
	for !p.o.Seq && c != '\n' { // skip the rest of the line
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

// end handles the end of the input, which may complete a number or be an error.
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
