package redact

import "hash"

// A long is a string that is longer than the read buffer and is therefore read in
// pieces. Names are shorter, so such a string is kept only if its field may keep any
// text.
type long struct {
	name   bool // true if the string is the name of a member
	class  Class
	digest hash.Hash // the hash of the string so far; used if the string is digested
	tail   []byte    // an incomplete character or escape at the end of the previous piece
}

// begin starts reading a long string.
func (r *Reader) begin(c Class) {
	r.long = &long{class: c}
	if c == Digested {
		r.long.digest = r.policy.hash()
	}
	r.at++
	if c != Kept {
		r.flush(r.at)
	}
}

// piece reads one piece of a long string.
func (r *Reader) piece() error {
	l := r.long
	end, closed, err := r.pieceEnd()
	if err != nil {
		return r.ends(err)
	}
	if l.class == Digested {
		raw := r.win[r.at:end]
		text, rest, ok := unescape(nil, append(l.tail, raw...), !closed)
		if !ok {
			return r.broken("no JSON value", r.at)
		}
		l.tail = append([]byte(nil), rest...)
		l.digest.Write(text)
	}
	if l.class != Kept {
		r.skip(end)
	}
	r.at = end
	if !closed {
		return nil
	}
	switch l.class {
	case Digested:
		r.put(r.at, r.at, asDigest(l.digest.Sum(nil)))
		r.found.Digested++
	case Dropped:
		r.put(r.at, r.at, r.replacement(Dropped, nil))
	}
	r.at++
	r.long = nil
	if l.name {
		r.want = colon
	} else {
		r.done()
	}
	return nil
}

// pieceEnd returns the end of the piece that begins at r.at. The end is the closing
// quote, or a position that doesn't split an escape.
func (r *Reader) pieceEnd() (end int, closed bool, err error) {
	for {
		if end, _, closed := scan(r.win, r.at, len(r.win)); closed {
			return end, true, nil
		}
		if _, err := r.fill(); err == errFull {
			_, end, _ := scan(r.win, r.at, max(r.at+1, len(r.win)-6))
			return end, false, nil
		} else if err != nil {
			return 0, false, err
		}
	}
}
