package decode

import "bytes"

// A Shape describes which names the members of a message get in the document. Any
// number of goroutines may use it at once. The shape of an array applies to each of
// its elements, also in nested arrays. Scalars need no shape. A value with a nil
// Shape keeps all names unchanged, at every level.
type Shape interface {
	// Member returns the name of a member in the document and the shape of its
	// value. An empty name means that the key is used unchanged. key must not be
	// kept.
	Member(key []byte) (name string, value Shape)

	// Typed returns the shape for the content of a google.protobuf.Any whose
	// "@type" is url. value is nil if the type isn't known; the content then keeps
	// its names. It applies to the same object as the Any. ok reports whether this
	// shape is that of an Any, whatever url is. url must not be kept.
	Typed(url []byte) (value Shape, ok bool)
}

// A TaggedShape is the shape of an object in which the text of one member determines
// the shape of the whole object. That member may be at any position in the object.
// Tag returns its name. Tagged returns the shape for its text; text is nil if there
// is no such member.
type TaggedShape interface {
	Shape
	Tag() string
	Tagged(text []byte) Shape
}

// Unordered marks the shape of a map or a Struct. Their members come in any order
// and are sorted by key.
type Unordered interface {
	Shape
	Unordered()
}

// An object whose shape is an Any takes the shape of its "@type". Envoy writes this
// member first, so it is usually in the window already. Otherwise a second decoder
// searches the object for it in advance. If there is no "@type" or it isn't a
// string, the names in the object stay unchanged. If there are several, the first
// one counts.

const (
	typeKey = "@type"
	// aheadMost limits how often, on average, a byte may be read again to find an
	// "@type". If nested Anys have their type last, bytes are read again once per
	// level. A malicious document could cause thousands of repetitions.
	aheadMost = 64
)

func isAny(s Shape) bool {
	if s == nil {
		return false
	}
	_, ok := s.Typed(nil)
	return ok
}

// typed returns the shape of the Any at the current position, or nil if its "@type"
// is missing or isn't a string.
func (d *decoder) typed(s Shape) (Shape, error) {
	url, err := d.tag(typeKey)
	if err != nil || url == nil {
		return nil, err
	}
	s, _ = s.Typed(url)
	return s, nil
}

// tagged returns the shape of the object at the current position.
func (d *decoder) tagged(s TaggedShape) (Shape, error) {
	text, err := d.tag(s.Tag())
	if err != nil {
		return nil, err
	}
	return s.Tagged(text), nil
}

// tag returns the text of one member of the object at the current position. It
// returns the first if there are several, and nil if there is none.
func (d *decoder) tag(key string) (text []byte, err error) {
	if text := firstText(d.mem[d.p+1:d.n], key); text != nil {
		return text, nil
	}
	off := d.offset()
	ahead := d.doc.ahead(d.part.ctx, off, d.part.end)
	defer ahead.release()
	ahead.depth = d.depth
	if text, err = ahead.findText(key); text != nil {
		text = bytes.Clone(text) // the other decoder will be reused, so its bytes must be copied
	}
	d.aheadLeft -= ahead.offset() - off
	if err == nil && d.aheadLeft < 0 {
		err = &LimitError{Offset: off, What: "search for " + key, Limit: aheadMost}
	}
	return text, err
}

// firstText returns the text of the member if it is the first one of the object and
// has no escapes, and nil otherwise.
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

// findText reads the object at the current position up to the text of the member
// named key.
func (d *decoder) findText(key string) ([]byte, error) {
	d.next()
	d.p++ // skip the opening brace
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
