package mesh

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// absent is the value of a section that a proxy of this type cannot have, as a
// ztunnel cannot have clusters, and of all that would be in it. It is null, as
// is any member that an object lacks, but an iteration over it yields nothing:
// a query over all proxies must not end at the first one of another type.
type absent struct{}

func (absent) Force(context.Context) (any, error) { return nil, nil }
func (absent) Forced() (any, bool)                { return nil, true }
func (absent) Pending() bool                      { return false }

// IsAbsent tells whether v is the value of a section that does not apply.
func IsAbsent(v any) bool {
	_, is := v.(absent)
	return is
}

// Missing gives the value of a member that an object lacks, by the object's
// fields: null, and of a section that does not apply to the proxy's type one
// for which [IsAbsent] holds.
func Missing(fields *object.Object, key string) any {
	if fields.Get("kind") != "Proxy" {
		return nil
	}
	kind, _ := fields.Get("type").(string) // null: an Envoy that Istio did not start
	for _, p := range Sections() {
		if string(p.Name) == key && !p.has(kind) {
			return absent{}
		}
	}
	return nil
}
