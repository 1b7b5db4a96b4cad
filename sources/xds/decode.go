package xds

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Decoder converts resources from wire format to JSON, as protobuf defines it (field
// names in camelCase, https://protobuf.dev/programming-guides/json/). It keeps the
// results, because most resources are sent to many proxies. Several goroutines may use
// it at once.
type Decoder struct {
	mu    sync.Mutex
	table *table
	known map[string][]byte // the JSON of a resource, by its type and bytes
}

// NewDecoder returns a decoder. It reads the table of messages, which takes some 5 ms.
func NewDecoder() (*Decoder, error) {
	t, err := newTable()
	return &Decoder{table: t, known: map[string][]byte{}}, err
}

// Undescribed is the member of a resource's JSON that contains a hash of its bytes. A
// resource has it if the table doesn't have a message in it, so that the fields of
// this message are missing in the JSON. Resources with different bytes then differ in
// JSON, too.
const Undescribed = "@undescribed"

// JSON returns a resource of a type as a JSON object with the member "@type". The
// caller must not change it.
func (d *Decoder) JSON(t Type, body []byte) ([]byte, error) {
	key := string(t) + "\x00" + string(body)
	d.mu.Lock()
	defer d.mu.Unlock()
	if text, ok := d.known[key]; ok {
		return text, nil
	}
	w := &writer{table: d.table}
	if err := w.any(string(t), body); err != nil {
		return nil, err
	}
	text := w.out.Bytes()
	if w.undescribed {
		text = fmt.Appendf(text[:len(text)-1], `,%q:"sha256:%x"}`, Undescribed, sha256.Sum256(body))
	}
	d.known[key] = text
	return text, nil
}

// A writer writes one resource.
type writer struct {
	table       *table
	out         bytes.Buffer
	undescribed bool // the table doesn't have a message of the resource
}

// A value is the value of a field on the wire: a number, or bytes.
type value struct {
	number uint64
	bytes  []byte
}

// any writes the message in an Any. Messages with a JSON form of their own, such as
// durations, are in the member "value".
func (w *writer) any(url string, body []byte) error {
	if url == "" {
		w.out.WriteString("{}")
		return nil
	}
	name := url[strings.LastIndexByte(url, '/')+1:]
	fmt.Fprintf(&w.out, `{"@type":%s`, quoted(url))
	switch m, ok := w.table.message(name); {
	case special(name) != nil:
		w.out.WriteString(`,"value":`)
		if err := special(name)(w, body); err != nil {
			return err
		}
	case !ok:
		w.undescribed = true
	default:
		if err := w.fields(m, body, true); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	w.out.WriteByte('}')
	return nil
}

func quoted(s string) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.Encode(s) // a string always has a JSON form
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// message writes a message of a type.
func (w *writer) message(name string, body []byte) error {
	if write := special(name); write != nil {
		return write(w, body)
	}
	m, ok := w.table.message(name)
	w.undescribed = w.undescribed || !ok
	w.out.WriteByte('{')
	if ok {
		if err := w.fields(m, body, false); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	w.out.WriteByte('}')
	return nil
}

// fields writes the fields of a message, in the order of their numbers. With more,
// members precede them. Fields that the table doesn't have are left out, and make the
// resource undescribed.
func (w *writer) fields(m message, body []byte, more bool) error {
	all := map[int32][]value{}
	err := eachValue(body, func(n protowire.Number, kind protowire.Type, v value) error {
		f, ok := m[int32(n)]
		if !ok {
			w.undescribed = true
			return nil
		}
		if f.list && kind == protowire.BytesType && packs(f.kind) {
			return unpack(f.kind, v.bytes, func(v value) { all[int32(n)] = append(all[int32(n)], v) })
		}
		all[int32(n)] = append(all[int32(n)], v)
		return nil
	})
	if err != nil {
		return err
	}
	for _, n := range slices.Sorted(maps.Keys(all)) {
		f, values := m[n], all[n]
		if more {
			w.out.WriteByte(',')
		}
		more = true
		w.out.Write(quoted(f.name))
		w.out.WriteByte(':')
		switch {
		case f.kind == isMap:
			err = w.entries(f.of, values)
		case f.list:
			err = w.list(f, values)
		case f.kind == isMessage && len(values) > 1: // the occurrences of one message are merged, as protobuf says
			var merged []byte
			for _, v := range values {
				merged = append(merged, v.bytes...)
			}
			err = w.message(f.of, merged)
		default:
			err = w.value(f, values[len(values)-1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) list(f field, values []value) error {
	w.out.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			w.out.WriteByte(',')
		}
		if err := w.value(f, v); err != nil {
			return err
		}
	}
	w.out.WriteByte(']')
	return nil
}

// entries writes a map, sorted by its keys. Each value on the wire is a message with
// the key and the value.
func (w *writer) entries(name string, values []value) error {
	m, ok := w.table.message(name)
	if !ok {
		return fmt.Errorf("%s: no such message in the table", name)
	}
	const key, content = 1, 2 // the numbers of the fields of an entry
	texts := map[string]value{}
	for _, v := range values {
		var k, c value
		err := eachValue(v.bytes, func(n protowire.Number, _ protowire.Type, v value) error {
			switch n {
			case key:
				k = v
			case content:
				c = v
			}
			return nil
		})
		if err != nil {
			return err
		}
		text := string(k.bytes)
		if m[key].kind != isText {
			text = strings.Trim(number(m[key].kind, k.number), `"`)
		}
		texts[text] = c
	}
	w.out.WriteByte('{')
	for i, k := range slices.Sorted(maps.Keys(texts)) {
		if i > 0 {
			w.out.WriteByte(',')
		}
		w.out.Write(quoted(k))
		w.out.WriteByte(':')
		if err := w.value(m[content], texts[k]); err != nil {
			return err
		}
	}
	w.out.WriteByte('}')
	return nil
}

func (w *writer) value(f field, v value) error {
	switch f.kind {
	case isMessage:
		return w.message(f.of, v.bytes)
	case isText:
		w.out.Write(quoted(string(v.bytes)))
	case isBytes:
		w.out.Write(quoted(base64.StdEncoding.EncodeToString(v.bytes)))
	case isEnum:
		if f.of == "google.protobuf.NullValue" {
			w.out.WriteString("null")
		} else if name, ok := w.table.value(f.of, int32(v.number)); ok {
			w.out.Write(quoted(name))
		} else {
			w.out.WriteString(strconv.Itoa(int(int32(v.number))))
		}
	default:
		w.out.WriteString(number(f.kind, v.number))
	}
	return nil
}

// number returns the JSON of a number or a bool. Numbers of 64 bits are strings.
func number(kind byte, n uint64) string {
	switch kind {
	case 'o':
		return strconv.FormatBool(n != 0)
	case 'i', 'g':
		return strconv.FormatInt(int64(int32(n)), 10)
	case 'z':
		return strconv.FormatInt(protowire.DecodeZigZag(n&math.MaxUint32), 10)
	case 'I', 'G':
		return `"` + strconv.FormatInt(int64(n), 10) + `"`
	case 'Z':
		return `"` + strconv.FormatInt(protowire.DecodeZigZag(n), 10) + `"`
	case 'u', 'f':
		return strconv.FormatUint(uint64(uint32(n)), 10)
	case 'U', 'F':
		return `"` + strconv.FormatUint(n, 10) + `"`
	case 'l':
		return float(float64(math.Float32frombits(uint32(n))), 32)
	}
	return float(math.Float64frombits(n), 64)
}

func float(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return `"NaN"`
	case math.IsInf(f, 1):
		return `"Infinity"`
	case math.IsInf(f, -1):
		return `"-Infinity"`
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) { // as encoding/json writes numbers
		format = 'e'
	}
	text := strconv.FormatFloat(f, format, -1, bits)
	if before, digit, ok := strings.Cut(text, "e-0"); ok {
		text = before + "e-" + digit
	}
	return text
}

// packs reports whether a list of a kind may be written as one value on the wire.
func packs(kind byte) bool {
	return kind != isText && kind != isBytes && kind != isMessage && kind != isMap
}

// unpack reads a list that is written as one value.
func unpack(kind byte, b []byte, add func(value)) error {
	for len(b) > 0 {
		var v uint64
		n := 0
		switch kind {
		case 'f', 'g', 'l':
			var u uint32
			u, n = protowire.ConsumeFixed32(b)
			v = uint64(u)
		case 'F', 'G', 'd':
			v, n = protowire.ConsumeFixed64(b)
		default:
			v, n = protowire.ConsumeVarint(b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		add(value{number: v})
		b = b[n:]
	}
	return nil
}
