package xds

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:generate go run ../envoy/fieldgen wire messages.txt.gz

// messages is the table of the messages that Envoys are sent. Program fieldgen
// describes and generates it.
//
//go:embed messages.txt.gz
var messages []byte

// A table has the fields of messages and the names of enumerations.
type table struct {
	lines  map[string]string // the lines that were not used yet, by name
	of     map[string]message
	values map[string]map[int32]string
}

// A message has the fields of a message type, by number.
type message map[int32]field

// A field is a field of a message type.
type field struct {
	kind byte   // a letter, as in the table
	list bool   // the field is repeated
	name string // the name in JSON
	of   string // the type of a message, an enumeration, or the entries of a map
}

// A kind is written as one letter in the table. These have a meaning of their own;
// the others are numbers.
const (
	isMessage = 'm'
	isMap     = '%'
	isEnum    = 'e'
	isText    = 's'
	isBytes   = 'b'
)

func newTable() (*table, error) {
	r, err := gzip.NewReader(bytes.NewReader(messages))
	if err != nil {
		return nil, err
	}
	t := &table{lines: map[string]string{}, of: map[string]message{}, values: map[string]map[int32]string{}}
	s := bufio.NewScanner(r)
	s.Buffer(nil, len(messages)*16)
	for s.Scan() {
		name, fields, _ := strings.Cut(s.Text(), " ")
		t.lines[name] = fields
	}
	return t, s.Err()
}

// message returns the fields of a message type. ok is false if the table doesn't have
// it.
func (t *table) message(name string) (m message, ok bool) {
	if m, ok = t.of[name]; ok {
		return m, true
	}
	line, ok := t.lines[name]
	if !ok {
		return nil, false
	}
	m = message{}
	for f := range strings.SplitSeq(line, ",") {
		words := strings.Split(f, " ")
		if len(words) < 2 { // a message without fields
			continue
		}
		kind := words[0][len(words[0])-1]
		number, list := strings.CutSuffix(words[0][:len(words[0])-1], "*")
		n, err := strconv.ParseInt(number, 10, 32)
		if err != nil {
			panic(fmt.Sprintf("the table of messages: %s: %v", name, err))
		}
		fd := field{kind: kind, list: list, name: words[1]}
		if len(words) > 2 {
			fd.of = words[2]
		}
		m[int32(n)] = fd
	}
	t.of[name] = m
	return m, true
}

// value returns the name of a value of an enumeration. ok is false if it has none.
func (t *table) value(enum string, n int32) (name string, ok bool) {
	if t.values[enum] == nil {
		t.values[enum] = map[int32]string{}
		for v := range strings.SplitSeq(t.lines["#"+enum], ",") {
			number, name, _ := strings.Cut(v, " ")
			if n, err := strconv.ParseInt(number, 10, 32); err == nil {
				t.values[enum][int32(n)] = name
			}
		}
	}
	name, ok = t.values[enum][n]
	return name, ok
}
