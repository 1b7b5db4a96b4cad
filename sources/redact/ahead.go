package redact

import "bytes"

// readAhead looks, at the beginning of an object, for the member that decides how
// the other members are redacted: the name of a container, of a variable, or of a
// matched header. So the order of the members doesn't matter. If this member is
// further away than the largest window, its text is treated as unknown.
func (r *Reader) readAhead() {
	f := &r.stack[len(r.stack)-1]
	if f.of == nil || len(f.of.tags) == 0 {
		return
	}
	for {
		text, found, short := member(r.win[r.at:], f.of.tags)
		if found != nil {
			r.field, r.tells = found, noMeaning
			if f.of.container {
				r.tells = containerName
			}
			if unescaped, ok := r.unescaped(text); ok {
				r.learn(unescaped)
			}
			return
		}
		if !short {
			return
		}
		switch _, err := r.fill(); {
		case err == nil, err == errFull && r.widen():
		default: // if the body ends too early, the reader reports that when it reaches the end
			return
		}
	}
}

// member returns the text of the first member in w whose name is in tags, or nil if
// there is none. w has to begin with a member. short is true if w ends before the
// object does, so that such a member may still follow.
func member(w []byte, tags map[string]*field) (text []byte, found *field, short bool) {
	for i := 0; ; {
		if i = overSpace(w, i); i == len(w) {
			return nil, nil, true
		}
		if w[i] != '"' {
			return nil, nil, false
		}
		end, _, closed := scan(w, i+1, len(w))
		if !closed {
			return nil, nil, true
		}
		key := w[i+1 : end]
		if i = overSpace(w, end+1); i < len(w) && w[i] != ':' {
			return nil, nil, false
		}
		if i = overSpace(w, i+1); i >= len(w) {
			return nil, nil, true
		}
		if f := tags[string(key)]; f != nil && w[i] == '"' {
			if end, _, closed = scan(w, i+1, len(w)); !closed {
				return nil, nil, true
			}
			return w[i+1 : end], f, false
		}
		if i = overValue(w, i); i == len(w) {
			return nil, nil, true
		}
		if w[i] != ',' {
			return nil, nil, false
		}
		i++
	}
}

// overSpace returns the position after white space, or len(w) if nothing else
// follows.
func overSpace(w []byte, i int) int {
	for i < len(w) && bytes.IndexByte([]byte(" \t\n\r"), w[i]) >= 0 {
		i++
	}
	return min(i, len(w))
}

// overValue returns the position after the value at i and the white space that
// follows it. It returns len(w) if the value doesn't end in w.
func overValue(w []byte, i int) int {
	for depth := 0; i < len(w); i++ {
		switch w[i] {
		case '"':
			end, _, closed := scan(w, i+1, len(w))
			if !closed {
				return len(w)
			}
			i = end
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(w)
}
