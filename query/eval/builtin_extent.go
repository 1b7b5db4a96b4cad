package eval

import (
	"encoding/json"
	"math/big"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// extent gives v with nothing lazy in it, and about how long its JSON text is.
// It ends, with the budget's error, as soon as that is more than memory may
// hold.
func (m *mach) extent(v any) (any, int, error) {
	x := measure{m: m}
	plain, err := x.add(v, 0)
	if err != nil || plain {
		return v, x.size, err
	}
	if v, err = m.load(v, 0); err != nil {
		return nil, 0, err
	}
	x.size = 0
	_, err = x.add(v, 0)
	return v, x.size, err
}

type measure struct {
	m    *mach
	size int
}

// add adds the size of v. It stops, with false, at what is lazy.
func (x *measure) add(v any, depth int) (plain bool, err error) {
	switch v := v.(type) {
	case string:
		x.size += len(v) + 2
	case json.Number:
		x.size += len(v)
	case *big.Int:
		x.size += v.BitLen()/3 + 1
	case []any:
		if err := x.container(len(v), depth); err != nil {
			return false, err
		}
		for _, w := range v {
			if plain, err := x.add(w, depth+1); !plain {
				return false, err
			}
		}
	case *object.Object:
		if err := x.container(4*v.Len(), depth); err != nil {
			return false, err
		}
		for k, w := range v.All() {
			x.size += len(k)
			if plain, err := x.add(w, depth+1); !plain {
				return false, err
			}
		}
	case mesh.Lazy:
		return false, nil
	default:
		x.size += 8
	}
	return true, nil
}

func (x *measure) container(size, depth int) error {
	if x.size += size + 2; int64(x.size) > x.m.run.budget.max {
		return x.m.run.budget.exceeded()
	}
	if depth > maxNesting {
		return errNesting
	}
	if size >= 1<<12 { // hundreds of such take seconds
		return x.m.ctx.Err()
	}
	return x.m.tick()
}
