package diff

import (
	"encoding/json"
	"math"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// fingerprint returns a hash that is the same for all values that are equal at
// their place.
func fingerprint(v any, p place) uint64 {
	switch x := v.(type) {
	case *object.Object:
		return fingerprintObject(x, p)
	case []any:
		sum, free := uint64(17), p.list().free
		for _, e := range x {
			if f := fingerprint(e, p); free {
				sum += spread(f)
			} else {
				sum = spread(sum ^ f)
			}
		}
		return sum
	case string:
		return fingerprintText(x, p)
	case bool:
		if x {
			return 3
		}
		return 5
	case nil:
		return 7
	}
	return fingerprintNumber(v)
}

func fingerprintObject(m *object.Object, p place) uint64 {
	p = p.inside(m, nil)
	kind := kindOf(m, nil)
	sum := uint64(11)
	for key, v := range m.All() {
		if v = kind.said(key, v); kind.leaves(key) || p.realm != plain && p.member(key).unsaid(v) {
			continue
		}
		name := key
		if p.realm == foreign {
			name = camel(key)
		}
		sum += spread(hash(name) ^ fingerprint(v, p.member(key)))
	}
	return sum
}

func fingerprintText(s string, p place) uint64 {
	if p.realm == plain {
		return hash(s)
	}
	if p.name == typeKey {
		return hash(lastWord(s))
	}
	if isDecimal(s) {
		return fingerprintNumber(json.Number(s))
	}
	if d, ok := seconds(s); ok {
		return hash(d)
	}
	return hash(s)
}

func fingerprintNumber(v any) uint64 {
	f := float(v)
	if f != f || f == 0 { // NaN, 0 and -0
		return 13
	}
	return spread(math.Float64bits(f))
}

// hash computes the FNV-1a hash.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// spread mixes a hash with the final step of MurmurHash3, in which each bit
// affects half of the others.
func spread(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
