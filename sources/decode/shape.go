package decode

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

const typeKey = "@type"

// An object whose shape is an Any takes the shape of its "@type". Envoy writes
// that one first, and then one look at the next string is enough; where it
// isn't first, a second decoder goes ahead through the object to find it. With
// no "@type", or one that is no string, the object is as it is. Of several the
// first one counts.

func isAny(s Shape) bool {
	if s == nil {
		return false
	}
	_, ok := s.Typed(nil)
	return ok
}

// typedHere gives the shape of an Any whose "@type" stands at d.p, which does
// not move.
func (d *decoder) typedHere(s Shape) (Shape, error) {
	if d.mem[d.p] != '"' {
		return nil, nil
	}
	off := d.offset()
	url, err := d.text()
	if err != nil {
		return nil, err
	}
	d.p = int(off - d.base)
	s, _ = s.Typed(url)
	return s, nil
}

// typedAhead gives the shape of an Any that begins at off, from wherever its
// "@type" is. d stays where it is.
func (d *decoder) typedAhead(s Shape, off int64) (Shape, error) {
	ahead := d.again(off)
	defer ahead.release()
	ahead.depth = d.depth
	ahead.next()
	ahead.p++ // the brace
	c := ahead.next()
	for closed := c == '}'; !closed; {
		key, err := ahead.key(c)
		if err != nil {
			return nil, err
		}
		found := string(key) == typeKey
		if err := ahead.colon(); err != nil {
			return nil, err
		}
		if found {
			return ahead.typedHere(s)
		}
		if err := ahead.skip(); err != nil {
			return nil, err
		}
		if c, closed, err = ahead.more('}'); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
