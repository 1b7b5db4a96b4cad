package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// A grammar is where in the JSON the reader is.
type grammar struct {
	stack []frame
	want  want
	rule  rule // of the member whose value is to come
	warm  bool // that member has the name of a sensitive variable
	tag   tag  // what the key says that this member is of
}

// want is what may come next.
type want uint8

const (
	value      want = iota
	valueOrEnd      // of an array that has just begun
	name            // of a member
	nameOrEnd       // of an object that has just begun
	colon           // behind a name
	commaOrEnd      // behind a member or an element
	nothing         // behind the document
)

var errShort = errors.New("unexpected end of JSON")

// token understands the next token.
func (r *Reader) token() error {
	c, err := r.glyph()
	if err != nil {
		return err
	}
	switch r.want {
	case nothing:
		return r.broken("more than one JSON value", r.at)
	case colon:
		if c != ':' {
			return r.broken("no colon", r.at)
		}
		r.at++
		r.want = value
		return nil
	case commaOrEnd:
		return r.separator(c)
	case name, nameOrEnd:
		if c == '}' && r.want == nameOrEnd {
			return r.pop()
		}
		if c != '"' {
			return r.broken("no name of a member", r.at)
		}
		return r.member()
	}
	switch {
	case c == ']' && r.want == valueOrEnd:
		return r.pop()
	case c == '{' || c == '[':
		return r.push(c == '[')
	case c == '"':
		return r.text()
	}
	return r.scalar()
}

// glyph passes over white space. Its error is io.EOF behind the document.
func (r *Reader) glyph() (byte, error) {
	for {
		for ; r.at < len(r.win); r.at++ {
			switch c := r.win[r.at]; c {
			case ' ', '\t', '\n', '\r':
			default:
				return c, nil
			}
		}
		if _, err := r.fill(); err == io.EOF && r.want == nothing {
			return 0, io.EOF
		} else if err != nil {
			return 0, r.ends(err)
		}
	}
}

// ends gives the error of a body that stops in the middle.
func (r *Reader) ends(err error) error {
	if err == io.EOF {
		return errShort
	}
	return err
}

func (r *Reader) separator(c byte) error {
	in := r.stack[len(r.stack)-1]
	switch {
	case c == ',' && in.array:
		r.at++
		r.want, r.rule, r.warm, r.tag = value, in.rule, in.warm, untagged
	case c == ',':
		r.at++
		r.want = name
	case c == ']' && in.array, c == '}' && !in.array:
		return r.pop()
	default:
		return r.broken("no comma", r.at)
	}
	return nil
}

// done is called behind each value.
func (r *Reader) done() {
	r.want = commaOrEnd
	if len(r.stack) == 0 {
		r.want = nothing
	}
}

// scalar passes over a number, true, false or null.
func (r *Reader) scalar() error {
	i := r.at
	for {
		for ; i < len(r.win); i++ {
			if c := r.win[i]; !isLetter(c) && c != '-' && c != '+' && c != '.' {
				return r.ended(i)
			}
		}
		moved, err := r.fill()
		i -= moved
		switch {
		case err == io.EOF:
			return r.ended(i)
		case err == errFull:
			return r.broken("no number", r.at)
		case err != nil:
			return err
		}
	}
}

func (r *Reader) ended(i int) error {
	if !json.Valid(r.win[r.at:i]) {
		return r.broken("no JSON value", r.at)
	}
	r.at = i
	r.done()
	return nil
}

// quoted gives the end of the string that begins at r.at: the place of its
// closing quote. The error is errFull when the window does not hold it.
func (r *Reader) quoted() (end int, escaped bool, err error) {
	for i := r.at + 1; ; {
		end, next, closed := scan(r.win, i, len(r.win))
		if closed {
			return end, escaped || bytes.IndexByte(r.win[i:end], '\\') >= 0, nil
		}
		escaped = escaped || bytes.IndexByte(r.win[i:next], '\\') >= 0
		moved, err := r.fill()
		if i = next - moved; err != nil {
			return 0, false, err
		}
	}
}

// scan looks for the closing quote of a string in w[i:limit]. Where there is
// none, next is from where to look on: behind limit when an escape lies over it.
func scan(w []byte, i, limit int) (end, next int, closed bool) {
	quote := -1
	for i < limit {
		if quote < i {
			if quote = bytes.IndexByte(w[i:limit], '"'); quote < 0 {
				quote = limit
			} else {
				quote += i
			}
		}
		back := bytes.IndexByte(w[i:quote], '\\')
		switch {
		case back < 0 && quote < limit:
			return quote, quote, true
		case back < 0:
			return 0, limit, false
		case i+back+1 >= len(w): // the escape is not all there
			return 0, i + back, false
		}
		i += back + 2
	}
	return 0, i, false
}

// member reads a name.
func (r *Reader) member() error {
	end, escaped, err := r.quoted()
	switch {
	case err == errFull: // nobody's name
		r.rule, r.warm, r.tag = rule{}, false, untagged
		r.long = &long{name: true}
		r.at++
		return nil
	case err != nil:
		return r.ends(err)
	}
	text := r.win[r.at+1 : end]
	if escaped {
		var s string
		if json.Unmarshal(r.win[r.at:end+1], &s) != nil {
			return r.broken("no name of a member", r.at)
		}
		text = []byte(s)
	}
	r.rule = ruleOf(text)
	in := &r.stack[len(r.stack)-1]
	r.warm, r.tag = in.names && isSensitive(text), untagged
	if in.rule.role == tags || in.rule.role == labels {
		r.tag = tagOf(text)
	}
	r.at = end + 1
	r.want = colon
	return nil
}
