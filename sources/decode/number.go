package decode

import "encoding/json"

// A place is a state of the parser within a JSON number. It determines which bytes
// may follow.
type place int

const (
	numberStart place = iota
	numberMinus
	numberZero
	numberDigits
	numberPoint
	numberFraction
	numberExp
	numberExpSign
	numberExpDigits
	numberEnd // the byte isn't part of the number
)

// step returns the parser's state after byte c, or numberEnd if c can't follow.
func (at place) step(c byte) place {
	digit := c-'0' < 10
	switch at {
	case numberStart, numberMinus:
		switch {
		case c == '-' && at == numberStart:
			return numberMinus
		case c == '0':
			return numberZero
		case digit:
			return numberDigits
		}
	case numberZero, numberDigits, numberFraction:
		switch {
		case digit && at != numberZero:
			return at
		case c == '.' && at != numberFraction:
			return numberPoint
		case c|0x20 == 'e':
			return numberExp
		}
	case numberPoint:
		if digit {
			return numberFraction
		}
	case numberExp, numberExpSign, numberExpDigits:
		switch {
		case digit:
			return numberExpDigits
		case at == numberExp && (c == '+' || c == '-'):
			return numberExpSign
		}
	}
	return numberEnd
}

// skipNumber skips the number at the current position. whole is true if the
// number has neither a fraction nor an exponent.
func (w *window) skipNumber() (whole bool, err error) {
	at := numberStart
	for {
		b, p := w.mem, w.p
		for {
			next := at.step(b[p])
			if next == numberEnd {
				break
			}
			at = next
			p++
		}
		w.p = p
		if p < w.n || !w.fill() {
			break
		}
	}
	if w.p >= w.n && w.err != nil {
		return false, w.err // reading failed, so it is unknown whether the number ends here
	}
	switch at {
	case numberZero, numberDigits:
		return true, nil
	case numberFraction, numberExpDigits:
		return false, nil
	}
	return false, w.fail(w.p, "a digit")
}

// number decodes the number at the current position.
func (d *decoder) number() (any, error) {
	d.mark = d.p
	whole, err := d.skipNumber()
	if err != nil {
		return nil, err
	}
	raw := d.mem[d.mark:d.p]
	if int64(len(raw)) > d.limits.String {
		return nil, &LimitError{Offset: d.base + int64(d.mark), What: "number", Limit: d.limits.String}
	}
	d.mark = -1
	if whole {
		if i, ok := integer(raw); ok {
			d.cost += costInt
			d.sum = mix(uint64(i), sumInt)
			return i, nil
		}
	}
	d.cost += textCost(len(raw))
	d.sum = 0
	if d.texts.twins != nil {
		d.sum = mix(textSum(raw), sumNumber)
	}
	return json.Number(raw), nil
}

// integer parses an integer of up to 18 digits. It returns false if an int can't
// represent the number; -0 is such a number.
func integer(raw []byte) (int, bool) {
	digits := raw
	if raw[0] == '-' {
		digits = raw[1:]
	}
	if len(digits) > 18 || len(digits) < len(raw) && digits[0] == '0' {
		return 0, false
	}
	var i int64
	for _, c := range digits {
		i = i*10 + int64(c-'0')
	}
	if len(digits) < len(raw) {
		i = -i
	}
	return int(i), int64(int(i)) == i
}
