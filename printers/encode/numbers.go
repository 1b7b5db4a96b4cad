package encode

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
)

// number encodes a number as gojq prints it: NaN as null, an infinity as the
// largest float64.
func (e *Encoding) number(v any) {
	if f, ok := v.(float64); ok && math.IsNaN(f) {
		e.scalar(nullColor, "null")
		return
	}
	e.paint(numberColor)
	e.buf = AppendNumber(e.buf, v)
	e.reset()
}

// AppendNumber appends a number as jq prints it. v is an int, a *big.Int, a
// float64 or a json.Number. The text of a json.Number stays unchanged.
func AppendNumber(b []byte, v any) []byte {
	switch v := v.(type) {
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case *big.Int:
		return v.Append(b, 10)
	case json.Number:
		return append(b, v...)
	case float64:
		return appendFloat(b, v)
	}
	return b
}

// appendFloat appends a float64 in the same form as encoding/json: the shortest
// text that is read back as the same number, with an exponent only below 1e-6
// and from 1e21 on.
func appendFloat(b []byte, f float64) []byte {
	f = min(max(f, -math.MaxFloat64), math.MaxFloat64)
	format := byte('f')
	if x := math.Abs(f); x != 0 && x < 1e-6 || x >= 1e21 {
		format = 'e'
	}
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if n := len(b); format == 'e' && n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1] // shorten e-09 to e-9
		b = b[:n-1]
	}
	return b
}
