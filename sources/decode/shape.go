package decode

import "bytes"

// A Shape knows how the members of a message are called in the document. Any
// number of goroutines may ask it at once. An array has the shape of its
// field, for each of its elements, however deep the arrays nest; a scalar has
// no use for one. A nil Shape is that of a value which is as it is, and so is
// all below it.
type Shape interface {
	// Member gives the document's name of a member and the shape of its
	// value. An empty name is that of the key as it is. key must not be kept.
	Member(key []byte) (name string, value Shape)

	// Typed tells with ok whether this is the shape of a google.protobuf.Any,
	// whatever url is, and gives the shape of what the Any holds when its
	// "@type" is url: nil where the type is not known, which keeps it whole as
	// it is. The shape given is that of the same object. url must not be kept.
	Typed(url []byte) (value Shape, ok bool)
}

// A TaggedShape is that of an object one text of which decides about the others,
// wherever it stands among them: Tagged gives the shape for the text of the
// member that Tag names, nil where there is none.
type TaggedShape interface {
	Shape
	Tag() string
	Tagged(text []byte) Shape
}

// Unordered marks the shape of a map or a Struct: its members come in any order,
// and are sorted by their keys.
type Unordered interface {
	Shape
	Unordered()
}

// An object whose shape is an Any takes the shape of its "@type". Envoy writes
// that one first, and then it is mostly in the window already; where it isn't,
// a second decoder goes ahead through the object to find it. With no "@type",
// or one that is no string, the object is as it is. Of several the first one
// counts.

const (
	typeKey = "@type"
	// aheadMost is how often, on average, a byte may be read again to find a
	// "@type": as often as Anys lie in one another with their type at the end.
	// Made to harm, that could be thousands of times.
	aheadMost = 64
)

func isAny(s Shape) bool {
	if s == nil {
		return false
	}
	_, ok := s.Typed(nil)
	return ok
}

// typed gives the shape of the Any that we stand at. With no "@type", or one
// that is no string, it has none.
func (d *decoder) typed(s Shape) (Shape, error) {
	url, err := d.tag(typeKey)
	if err != nil || url == nil {
		return nil, err
	}
	s, _ = s.Typed(url)
	return s, nil
}

// tagged gives the shape of the object that we stand at.
func (d *decoder) tagged(s TaggedShape) (Shape, error) {
	text, err := d.tag(s.Tag())
	if err != nil {
		return nil, err
	}
	return s.Tagged(text), nil
}

// tag gives the text of a member of the object that we stand at, the first of
// several; nil where there is none.
func (d *decoder) tag(key string) (text []byte, err error) {
	if text := firstText(d.mem[d.p+1:d.n], key); text != nil {
		return text, nil
	}
	off := d.offset()
	ahead := d.doc.ahead(d.part.ctx, off, d.part.end)
	defer ahead.release()
	ahead.depth = d.depth
	if text, err = ahead.findText(key); text != nil {
		text = bytes.Clone(text) // it is the released decoder's
	}
	d.aheadLeft -= ahead.offset() - off
	if err == nil && d.aheadLeft < 0 {
		err = &LimitError{Offset: off, What: "search for " + key, Limit: aheadMost}
	}
	return text, err
}

// firstText gives the text of a member where it is the first one, and written
// without escapes; else nil.
func firstText(members []byte, key string) []byte {
	for _, token := range []string{`"` + key + `"`, ":", `"`} {
		members = bytes.TrimLeft(members, " \n\r\t")
		if !bytes.HasPrefix(members, []byte(token)) {
			return nil
		}
		members = members[len(token):]
	}
	text, _, closed := bytes.Cut(members, []byte{'"'})
	if !closed || bytes.IndexByte(text, '\\') >= 0 {
		return nil
	}
	return text
}

// findText goes through the object that we are before, up to the text of a
// member.
func (d *decoder) findText(key string) ([]byte, error) {
	d.next()
	d.p++ // the brace
	c := d.next()
	for closed := c == '}'; !closed; {
		name, err := d.key(c)
		if err != nil {
			return nil, err
		}
		found := string(name) == key
		if err := d.colon(); err != nil {
			return nil, err
		}
		if found {
			if d.mem[d.p] != '"' {
				return nil, nil
			}
			return d.text()
		}
		if err := d.skip(); err != nil {
			return nil, err
		}
		if c, closed, err = d.more('}'); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
