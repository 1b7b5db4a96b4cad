package redact

// A long is a string that the window does not hold, read in pieces.
type long struct {
	name  bool // it is a member's name: nothing is done about it
	scrub bool // it is looked through; else it is left out
	first bool // nothing of it was looked at
	token bool // it is in a token that goes on
}

// piece reads a piece of a long string.
func (r *Reader) piece() error {
	end, closed, err := r.pieceEnd()
	if err != nil {
		return r.ends(err)
	}
	switch {
	case r.long.name:
	case !r.long.scrub:
		r.skip(end)
	case closed:
		r.scrubPiece(r.win[:end], end)
	default:
		end = r.scrubPiece(r.win, end)
	}
	r.at = end
	if !closed {
		return nil
	}
	r.at++
	if r.long.name {
		r.want = colon
	} else {
		r.done()
	}
	r.long = nil
	return nil
}

// pieceEnd gives where the piece ends that begins at r.at: at the closing
// quote, or so that enough of what follows can be seen, and no escape is cut.
func (r *Reader) pieceEnd() (end int, closed bool, err error) {
	for {
		if end, _, closed := scan(r.win, r.at, len(r.win)); closed {
			return end, true, nil
		}
		if _, err := r.fill(); err == errFull {
			_, end, _ := scan(r.win, r.at, max(r.at+1, len(r.win)-lookahead))
			return end, false, nil
		} else if err != nil {
			return 0, false, err
		}
	}
}

// scrubPiece takes out of the piece of a string that ends at end what tells
// itself, and gives how far it came: behind end where a token lies over it.
// seen is the window as far as the string goes.
func (r *Reader) scrubPiece(seen []byte, end int) int {
	l, from := r.long, r.at
	if l.first && isPackedKey(seen[from:]) {
		return r.rest(from, end, rule{kinds: PrivateKeys, bytes: true})
	}
	l.first = false
	if l.token {
		for from < len(seen) && inToken(seen[from]) {
			from++
		}
		r.skip(from)
		l.token = from == len(seen)
	}
	for from < end {
		p, ok := find(seen[from:], end-from)
		if !ok {
			break
		}
		if p.kinds == PrivateKeys {
			return r.rest(from+p.from, end, rule{kinds: PrivateKeys})
		}
		r.replace(from+p.from, from+p.to, rule{kinds: p.kinds})
		from += p.to
		l.token = p.open
	}
	return max(from, end)
}

// rest takes out a string from a place on, to whatever end it has.
func (r *Reader) rest(from, end int, ru rule) int {
	r.replace(from, end, ru)
	r.long.scrub = false
	return end
}
