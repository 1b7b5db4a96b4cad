package sources

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/sources/transport"
)

// TestNames checks that Names returns the ids of all proxies and sends no request to
// adsz or to an Envoy.
func TestNames(t *testing.T) {
	for name, o := range map[string]Options{
		"all":         {},
		"a namespace": {Namespace: "istio-system"},
		"labels":      {Selector: labels.SelectorFromSet(labels.Set{"app": "reviews"})},
	} {
		c := source(t, capture)
		got := open(t, o, c).Names(t.Context())
		if slices.ContainsFunc(c.log(), func(s string) bool { return s != "pilot syncz" && s != "list pods" }) {
			t.Errorf("%s: asked for %v", name, c.log())
		}
		_, want := proxies(t, open(t, o, source(t, capture)))
		slices.Sort(want)
		same(t, name, got, want)
	}
}

// A slow source blocks when it lists pods, until the context ends.
type slow struct{ transport.Source }

func (slow) List(ctx context.Context, _ string) (*transport.Body, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestNamesInTime checks that Names returns the names that it has read by the time
// the context ends.
func TestNamesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := open(t, Options{}, &counted{Source: slow{source(t, capture)}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := m.Names(ctx); !slices.Contains(got, reviewsV1) || !strings.HasPrefix(got[0], "details-v1-") {
			t.Errorf("known: %v", got)
		}
	})
}
