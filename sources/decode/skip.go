package decode

import "math/bits"

// skip skips the value at the current position and checks all of it. Its memory
// doesn't grow with the value, except for one bit per level of nesting.
//
// It is the inner loop of every pass. For speed, the local variables b and p
// are used in place of the window's fields mem and p. The fields are updated
// before another function uses them.
func (d *decoder) skip() error {
	var (
		b, p  = d.mem, d.p
		c     = b[p]
		depth = d.depth
		// a bit for each of the 64 innermost containers, 1 for an object; the
		// lowest bit is the innermost container
		kinds uint64
		outer = d.kinds[:0] // the bits of the containers further out, 64 per element
	)
	if c != '{' && c != '[' {
		return d.skipScalar(c)
	}

value:
	switch c {
	case '{', '[':
		if depth >= d.limits.Depth {
			return d.tooDeep(p)
		}
		if inside := depth - d.depth; inside > 0 && inside%64 == 0 {
			outer = append(outer, kinds)
			d.kinds = outer
		}
		depth++
		kinds <<= 1
		if c == '{' {
			kinds |= 1
		}
		p++
		if b[p] <= ' ' {
			b, p = d.skipSpace(p)
		}
		if b[p] == c+2 { // the codes of ']' and '}' are two more than those of '[' and '{'
			goto closing
		}
		if c == '{' {
			goto key
		}
		c = b[p]
		goto value
	case '"':
		p = skipPlain(b, p+1)
		if b[p] == '"' {
			p++
			goto after
		}
		d.p = p
		if _, err := d.skipString(); err != nil {
			return err
		}
	default:
		d.p = p
		if err := d.skipScalar(c); err != nil {
			return err
		}
	}
	b, p = d.mem, d.p

after:
	if b[p] <= ' ' {
		b, p = d.skipSpace(p)
	}
	c = b[p]
	if c == ',' {
		if p++; b[p] <= ' ' {
			b, p = d.skipSpace(p)
		}
		if kinds&1 == 1 {
			goto key
		}
		c = b[p]
		goto value
	}
	if kinds&1 == 1 {
		if c != '}' {
			return d.fail(p, "',' or '}'")
		}
	} else if c != ']' {
		return d.fail(p, "',' or ']'")
	}

closing:
	p++
	depth--
	switch inside := depth - d.depth; {
	case inside == 0:
		d.p = p
		return nil
	case inside%64 == 0:
		kinds = outer[len(outer)-1]
		outer = outer[:len(outer)-1]
	default:
		kinds >>= 1
	}
	goto after

key:
	if b[p] != '"' {
		return d.fail(p, "a name in quotes")
	}
	p = skipPlain(b, p+1)
	if b[p] != '"' {
		d.p = p
		if _, err := d.skipString(); err != nil {
			return err
		}
		b, p = d.mem, d.p-1
	}
	if p++; b[p] <= ' ' {
		b, p = d.skipSpace(p)
	}
	if b[p] != ':' {
		return d.fail(p, "':'")
	}
	if p++; b[p] == ' ' { // most JSON encoders write one space here
		p++
	}
	if b[p] <= ' ' {
		b, p = d.skipSpace(p)
	}
	c = b[p]
	goto value
}

// skipPlain skips the plain part of a string. It stops at the closing quote, an
// escape, a control character or the end of the window.
func skipPlain(b []byte, p int) int {
	for {
		if stop := stops(word(b, p)); stop != 0 {
			return p + bits.TrailingZeros64(stop)>>3
		}
		p += 8
	}
}

// skipSpace skips white space from position p on and returns the window's memory and
// the new position.
func (w *window) skipSpace(p int) ([]byte, int) {
	w.p = p
	w.nextAfterSpace()
	return w.mem, w.p
}

// skipScalar skips a string, a number or a word that begins with c.
func (d *decoder) skipScalar(c byte) error {
	switch c {
	case '"':
		d.p++
		_, err := d.skipString()
		return err
	case 't':
		return d.literal("true")
	case 'f':
		return d.literal("false")
	case 'n':
		return d.literal("null")
	}
	if c == '-' || c-'0' < 10 {
		_, err := d.skipNumber()
		return err
	}
	return d.fail(d.p, "a JSON value")
}
