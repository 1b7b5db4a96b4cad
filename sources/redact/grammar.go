package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// A grammar is the reader's position in the structure of the JSON.
type grammar struct {
	stack []frame
	want  want
	field *field   // the field to which the next value belongs
	keyed judgment // the judgment of the next member's name, if the member is an entry of a map
	input judgment // the judgment of the header that a tree of matchers compares
	tells meaning

	// caches the judgments of keys: entry [true] for keys of labels, [false]
	// for other keys
	judgments map[bool]map[string]judgment
}

// meaning is the role of the next text for the redaction of its object.
type meaning uint8

const (
	noMeaning meaning = iota
	typeName          // the text is the type of the object's message
	kindName
	versionName
	containerName // the text is the name of a pod's container
	headerName    // the text is the name of the matched header
)

// want is the kind of token that may come next.
type want uint8

const (
	value      want = iota
	valueOrEnd      // a value or the end of an array that has just begun
	name            // the name of a member
	nameOrEnd       // a member's name, or the end of an object that has just begun
	colon           // the colon after a member's name
	commaOrEnd      // a comma, or the end of the object or array
	nothing         // nothing, because the document has ended
)

// tooLong is the message for a number that is longer than the window.
const tooLong = "a number that is too long"

var errShort = errors.New("unexpected end of JSON")

// token parses the next token.
func (r *Reader) token() error {
	c, err := r.nextByte()
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

// nextByte skips white space and returns the next byte. At the end of the document it
// returns io.EOF.
func (r *Reader) nextByte() (byte, error) {
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

// ends returns the error for a body that ends too early.
func (r *Reader) ends(err error) error {
	if err == io.EOF {
		return errShort
	}
	return err
}

func (r *Reader) separator(c byte) error {
	in := &r.stack[len(r.stack)-1]
	switch {
	case c == ',' && in.array:
		r.at++
		r.want, r.field, r.tells = value, in.at, noMeaning
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

// done updates the state of the parser after a value.
func (r *Reader) done() {
	r.want = commaOrEnd
	if len(r.stack) == 0 {
		r.want = nothing
	}
}

// scalar skips a number, true, false or null. A long number that no schema
// describes may be a secret, so it is redacted like a text.
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
		case err == errFull && r.widen():
		case err == errFull:
			return r.broken(tooLong, r.at)
		case err != nil:
			return err
		}
	}
}

// isCount reports whether a scalar is an ordinary integer, true, false or null.
// Other scalars need a closer check.
func isCount(s []byte) bool {
	for _, c := range s {
		if !isDigit(c) {
			return string(s) == "true" || string(s) == "false" || string(s) == "null"
		}
	}
	return len(s) == 1 || len(s) > 0 && s[0] != '0'
}

func (r *Reader) ended(i int) error {
	text := r.win[r.at:i]
	if !isCount(text) && !json.Valid(text) {
		return r.broken("no JSON value", r.at)
	}
	const long = 7 // number of digits; ports and similar numbers are shorter
	if len(text) >= long && isDigit(text[len(text)-1]) && !bytes.ContainsAny(text, ".eE") && len(r.stack) > 0 && !r.policy.asGiven {
		if c, all := r.classed(); all && (c == Digested || c == Dropped) {
			r.put(r.at, i, `"`+r.replacement(c, text)+`"`)
		}
	}
	r.at = i
	r.done()
	return nil
}

// quoted returns the position of the closing quote of the string that begins at
// r.at. The error is errFull if the string is longer than the window.
func (r *Reader) quoted() (end int, escaped bool, err error) {
	const short = 64 // length in bytes; most strings are shorter, and a loop over them is faster than a search
	for i, c := range r.win[r.at+1 : min(len(r.win), r.at+short)] {
		if c == '"' {
			return r.at + 1 + i, false, nil
		}
		if c == '\\' {
			break
		}
	}
	for i := r.at + 1; ; {
		end, next, closed := scan(r.win, i, len(r.win))
		if closed {
			return end, escaped || bytes.IndexByte(r.win[i:end], '\\') >= 0, nil
		}
		escaped = escaped || bytes.IndexByte(r.win[i:next], '\\') >= 0
		moved, err := r.fill()
		if i = next - moved; err == errFull && r.widen() {
			err = nil
		}
		if err != nil {
			return 0, false, err
		}
	}
}

// scan searches w[i:limit] for the closing quote of a string. If there is none,
// next is the position from which to continue. It is after limit if an escape
// crosses the limit.
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
		case i+back+1 >= len(w): // the window ends within the escape
			return 0, i + back, false
		}
		i += back + 2
	}
	return 0, i, false
}

// member reads the name of a member.
func (r *Reader) member() error {
	end, escaped, err := r.quoted()
	switch {
	case err == errFull: // no field of a schema has such a long name, so the value is treated as unknown
		r.field, r.keyed, r.tells = openField, sensitive, noMeaning
		r.begin(Digested)
		r.long.name = true
		return nil
	case err != nil:
		return r.ends(err)
	}
	text := r.win[r.at+1 : end]
	if escaped {
		var ok bool
		if text, ok = r.unescaped(text); !ok {
			return r.broken("no name of a member", r.at)
		}
	}
	if r.enter(text) && !r.policy.asGiven && !isReplacement(text) {
		r.put(r.at+1, end, r.digest(text))
	}
	r.at = end + 1
	r.want = colon
	return nil
}

// enter looks up the field for a member's name. It reports whether the name itself
// must be redacted.
func (r *Reader) enter(name []byte) (secret bool) {
	in := &r.stack[len(r.stack)-1]
	r.keyed, r.tells = unjudged, noMeaning
	switch {
	case in.of == nil || in.of == dictionary:
		r.field = in.at
		switch f := in.at; {
		case f.notes && r.schema.rows["annotation/"+string(name)] == Kept:
			r.field = keptField
		case f.class == Matched || f.class == Label:
			r.keyed = r.judgeKey(name, f.class)
			secret = f.class == Matched && looksSecret(name) || f.class == Matched && r.input == sensitive
		case f.class == Digested || f.class == Dropped:
			secret = looksSecret(name) && (f.holds == "" || in.of == nil || strings.HasSuffix(f.holds, ".DataSource"))
		}
	default:
		f, ok := in.of.fields[string(name)]
		if !ok {
			f = in.of.rest
			if f.class == Matched || f.class == Label {
				r.keyed = r.judgeKey(name, f.class)
			}
			secret = f.class == Digested && f.holds == "" && looksSecret(name)
		}
		r.field = f
	}
	r.tells = in.learns(name)
	if r.tells == typeName {
		r.field, secret = keptField, false
	}
	return secret
}

// judgeKey is judgeName with a cache, because the same keys of maps occur often.
func (r *Reader) judgeKey(key []byte, c Class) judgment {
	const most = 4096
	if j, ok := r.judgments[c == Label][string(key)]; ok {
		return j
	}
	j := judgeName(key, c)
	if m := r.judgments[c == Label]; m == nil || len(m) == most {
		r.judgments[c == Label] = map[string]judgment{}
	}
	r.judgments[c == Label][string(key)] = j
	return j
}

// learns returns what the value of the member with this name means for the redaction
// of the object.
func (f *frame) learns(name []byte) meaning {
	switch {
	case len(name) == 0:
	case f.of == dictionary:
	case string(name) == "@type" && (f.of == nil || !f.of.object):
		return typeName
	case f.of == nil:
	case f.of.object && string(name) == "kind":
		return kindName
	case f.of.object && string(name) == "apiVersion":
		return versionName
	case f.of.container && string(name) == "name":
		return containerName
	case f.of.input && (string(name) == "header_name" || string(name) == "headerName"):
		return headerName
	}
	return noMeaning
}
