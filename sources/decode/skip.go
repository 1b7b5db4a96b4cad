package decode

const (
	trueWord  = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24
	nullWord  = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24
	falseWord = 'f' | 'a'<<8 | 'l'<<16 | 's'<<24 | 'e'<<32
)

func (d *decoder) skip() error {
	if c := d.mem[d.p]; c != '{' && c != '[' {
		return d.skipScalar(c)
	}
	limit := d.limits.Depth - d.depth
	var depth int64
	var kinds uint64
	stack := d.stack[:0]
	c := d.mem[d.p]
value:
	switch c {
	case '{', '[':
		if depth >= limit {
			return d.tooDeep(d.p)
		}
		if depth&63 == 0 && depth > 0 {
			stack = append(stack, kinds)
			d.stack = stack
		}
		depth++
		kinds <<= 1
		d.p++
		if c == '[' {
			if c = d.next(); c == ']' {
				goto closing
			}
			goto value
		}
		kinds |= 1
		if c = d.next(); c == '}' {
			goto closing
		}
	default:
		if err := d.skipScalar(c); err != nil {
			return err
		}
		goto after
	}
key:
	if c != '"' {
		return d.fail(d.p, "a name in quotes")
	}
	d.p++
	if _, err := d.overString(); err != nil {
		return err
	}
	if d.next() != ':' {
		return d.fail(d.p, "':'")
	}
	d.p++
	c = d.next()
	goto value
after:
	c = d.next()
	if c == ',' {
		d.p++
		c = d.next()
		if kinds&1 != 0 {
			goto key
		}
		goto value
	}
	if kinds&1 != 0 {
		if c != '}' {
			return d.fail(d.p, "',' or '}'")
		}
	} else if c != ']' {
		return d.fail(d.p, "',' or ']'")
	}
closing:
	d.p++
	depth--
	if depth == 0 {
		return nil
	}
	kinds >>= 1
	if depth&63 == 0 {
		kinds = stack[len(stack)-1]
		stack = stack[:len(stack)-1]
	}
	goto after
}

func (d *decoder) skipScalar(c byte) error {
	switch c {
	case '"':
		d.p++
		_, err := d.overString()
		return err
	case 't':
		return d.literal("true")
	case 'f':
		return d.literal("false")
	case 'n':
		return d.literal("null")
	}
	if c == '-' || c-'0' < 10 {
		_, err := d.overNumber()
		return err
	}
	return d.fail(d.p, "a JSON value")
}
