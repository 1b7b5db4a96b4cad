package diff

import (
	"encoding/json"
	"math"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// fingerprint returns a hash of a value. Two values that are equal at the location p have
// the same hash.
func fingerprint(v any, p location) uint64 {
	switch x := v.(type) {
	case *object.Object:
		return fingerprintObject(x, p)
	case []any:
		sum, free := uint64(17), p.listRule().free
		for _, e := range x {
			if f := fingerprint(e, p); free {
				sum += mix(f)
			} else {
				sum = mix(sum ^ f)
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

func fingerprintObject(m *object.Object, p location) uint64 {
	p = p.inside(m, nil)
	kind := kindOf(m, nil)
	sum := uint64(11)
	for key, v := range m.All() {
		if v = kind.effective(key, v); kind.excludes(key) || p.rules != plain && p.member(key).isUnset(v) {
			continue
		}
		name := key
		if p.rules == foreign {
			name = camel(key)
		}
		sum += mix(hash(name) ^ fingerprint(v, p.member(key)))
	}
	return sum
}

func fingerprintText(s string, p location) uint64 {
	if p.rules == plain {
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
	if f != f || f == 0 { // NaN, 0 and -0, which have several representations
		return 13
	}
	return mix(math.Float64bits(f))
}

// hash returns the FNV-1a hash of a text.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix applies the final step of MurmurHash3 to a hash. Afterwards, each bit depends on
// about half of the bits of the argument.
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
