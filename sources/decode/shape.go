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

// typed gives the shape of the Any that we stand at.
func (d *decoder) typed(s Shape) (Shape, error) {
	if url := firstType(d.mem[d.p+1 : d.n]); url != nil {
		s, _ = s.Typed(url)
		return s, nil
	}
	off := d.offset()
	ahead := d.doc.ahead(d.part.ctx, off, d.part.end)
	defer ahead.release()
	ahead.depth = d.depth
	s, err := ahead.findType(s)
	d.aheadLeft -= ahead.offset() - off
	if err == nil && d.aheadLeft < 0 {
		err = &LimitError{Offset: off, What: "search for @type", Limit: aheadMost}
	}
	return s, err
}

// firstType gives the type where it is the first of the members, and written
// without escapes; else nil.
func firstType(members []byte) []byte {
	for _, token := range []string{`"@type"`, ":", `"`} {
		members = bytes.TrimLeft(members, " \n\r\t")
		if !bytes.HasPrefix(members, []byte(token)) {
			return nil
		}
		members = members[len(token):]
	}
	url, _, closed := bytes.Cut(members, []byte{'"'})
	if !closed || bytes.IndexByte(url, '\\') >= 0 {
		return nil
	}
	return url
}

// findType goes through the Any that we are before, up to its "@type".
func (d *decoder) findType(s Shape) (Shape, error) {
	d.next()
	d.p++ // the brace
	c := d.next()
	for closed := c == '}'; !closed; {
		key, err := d.key(c)
		if err != nil {
			return nil, err
		}
		found := string(key) == typeKey
		if err := d.colon(); err != nil {
			return nil, err
		}
		if found {
			return d.typedHere(s)
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

// typedHere gives the shape for the value of "@type" that we stand at.
func (d *decoder) typedHere(s Shape) (Shape, error) {
	if d.mem[d.p] != '"' {
		return nil, nil
	}
	url, err := d.text()
	if err != nil {
		return nil, err
	}
	s, _ = s.Typed(url)
	return s, nil
}
