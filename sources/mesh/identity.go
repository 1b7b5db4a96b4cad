package mesh

import "github.com/meshq/kubectl-meshq/sources/object"

// Identical tells whether two values are one and the same container in
// memory. It looks at no content: two equal objects are not identical. Scalars
// never are.
func Identical(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0])
	case *object.Object:
		y, ok := b.(*object.Object)
		return ok && x == y
	}
	return false
}
