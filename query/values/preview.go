package values

import (
	"encoding/json"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// unseen replaces the values in an error message's preview that aren't loaded.
const unseen = json.Number("{…}")

// mostShown limits the number of values in a preview, which is too short for more values.
const mostShown = 40

// preview returns the type of a value and the beginning of its JSON text, for an error
// message. It loads nothing.
func preview(v any) string {
	v = Peek(v)
	if l, ok := v.(mesh.Lazy); ok {
		if _, ok := l.(*mesh.Object); ok {
			return "object (" + string(unseen) + ")"
		}
		return string(unseen)
	}
	return native.Preview(Shown(v))
}

// excerpt returns the beginning of a value's JSON text.
func excerpt(v any) string {
	return native.Excerpt(Shown(v))
}

// Shown returns a copy of v for a preview. Parts that aren't loaded are replaced by
// "{…}", and only as many values are copied as fit into a preview.
func Shown(v any) any {
	left := mostShown
	return shownLeft(v, &left)
}

// shownLeft does the same as [Shown]. It subtracts the number of copied values from the
// counter left, and stops copying at 0.
func shownLeft(v any, left *int) any {
	*left--
	switch x := Peek(v).(type) {
	case mesh.Lazy:
		return unseen
	case []any:
		out := make([]any, 0, min(len(x), mostShown))
		for i := 0; i < len(x) && *left > 0; i++ {
			out = append(out, shownLeft(x[i], left))
		}
		return out
	case *object.Object:
		out := object.New(min(x.Len(), mostShown))
		for k, v := range x.All() {
			if *left <= 0 {
				break
			}
			out.Set(k, shownLeft(v, left))
		}
		return out
	default:
		return x
	}
}
