package routing

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestBalanceAsMeasured checks that the shares are those that were measured on a
// real Envoy 1.40.
func TestBalanceAsMeasured(t *testing.T) {
	const many = 100_000
	for _, c := range []struct {
		name, cluster string
		endpoints     string // one letter per endpoint: h(ealthy), d(egraded), u(nhealthy), x (draining), f (failed outlier check); a digit begins the next priority
		want          string // the percentage of the requests for each priority, followed by the reason
	}{
		{"half healthy", `{}`, "hu 1hh", "70/30"},
		{"three of four", `{}`, "hhhu 1hh", "100/0"},
		{"none of the first", `{}`, "uu 1hh", "0/100"},
		{"a quarter twice", `{}`, "huuu 1huuu 2hhhh", "35/35/30"},
		{"degraded, then healthy", `{}`, "dd 1hh", "0/100"},
		{"draining isn't counted", `{}`, "hxx 1hh", "100/0"},
		{"none at all", `{}`, "", " NO_ENDPOINTS"},
		{"panic", `{}`, "uu", "100"},
		{"no panic", `{"commonLbConfig": {"healthyPanicThreshold": {}}}`, "uu", "0 ALL_UNHEALTHY"},
		{"outlier", `{"outlierDetection": {}}`, "hf 1hh", "70/30"},
		{"outlier that is not asked", `{}`, "hf 1hh", "100/0"},
		{"the remainder of a division by the load", `{"commonLbConfig": {"healthyPanicThreshold": {}}}`, "huuuu 1huuuu 2huuuu", "34/33/33"},
		{"the remainder of a division by the size", `{}`, "u 1u 2u", "34/33/33"},
	} {
		var rows []any
		priority := 0
		for _, kind := range c.endpoints {
			if kind == ' ' {
				continue
			}
			if kind >= '0' && kind <= '9' {
				priority = int(kind - '0')
				continue
			}
			row := object.Of("priority", priority, "outlier", "OK")
			row.Set("health", map[rune]string{'h': "HEALTHY", 'f': "HEALTHY", 'd': "DEGRADED", 'u': "UNHEALTHY", 'x': "DRAINING"}[kind])
			if kind == 'f' {
				row.Set("outlier", "FAILED")
			}
			rows = append(rows, row)
		}
		b, err := Balance(context.Background(), value(t, c.cluster), rows, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		by := make([]float64, priority+1)
		for _, m := range b.Members {
			by[m.priority] += m.Share
		}
		var parts []string
		for _, share := range by {
			parts = append(parts, fmt.Sprint(math.Round(share*many)/many*100))
		}
		got := strings.TrimSpace(strings.Join(parts, "/") + " " + b.Reason)
		if len(rows) == 0 {
			got = " " + b.Reason
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestPanicSendsToAllEndpoints checks that all endpoints get requests if too few
// of them are healthy.
func TestPanicSendsToAllEndpoints(t *testing.T) {
	row := func(health string) any { return object.Of("health", health) }
	for _, c := range []struct {
		cluster string
		rows    []any
		want    string
	}{
		{`{}`, []any{row("HEALTHY"), row("UNHEALTHY"), row("UNHEALTHY")}, "[0.33 0.33 0.33]"}, // 33 % healthy endpoints are below the panic threshold
		{`{}`, []any{row("HEALTHY"), row("UNHEALTHY")}, "[1 0]"},                              // 50 % healthy endpoints are not below the panic threshold
		{`{"commonLbConfig": {"healthyPanicThreshold": {"value": 33}}}`, []any{row("HEALTHY"), row("UNHEALTHY"), row("UNHEALTHY")}, "[1 0 0]"},
		{`{"commonLbConfig": {"healthyPanicThreshold": {}}}`, []any{row("HEALTHY"), row("UNHEALTHY"), row("UNHEALTHY"), row("UNHEALTHY")}, "[1 0 0 0]"},
	} {
		b, err := Balance(context.Background(), value(t, c.cluster), c.rows, nil, nil)
		if got := fmt.Sprint(rounded(b)); err != nil || got != c.want {
			t.Errorf("%s: %s, want %s (%v)", c.cluster, got, c.want, err)
		}
	}
}

func rounded(b *Balanced) (out []float64) {
	for _, m := range b.Members {
		out = append(out, math.Floor(m.Share*100+1e-9)/100)
	}
	return out
}

func TestWeightsAndLocalities(t *testing.T) {
	rows := func(zoneWeights ...int) []any {
		var out []any
		for i, w := range []int{1, 3, 4} {
			row := object.Of("health", "HEALTHY", "weight", w, "locality", object.Of("zone", []string{"a", "a", "b"}[i]))
			if zoneWeights != nil && zoneWeights[i/2] >= 0 {
				row.Set("localityWeight", zoneWeights[i/2])
				row.Set("overprovisioningFactor", 140)
			}
			out = append(out, row)
		}
		return out
	}
	weighted := `{"commonLbConfig": {"localityWeightedLbConfig": {}}}`
	for _, c := range []struct {
		cluster string
		rows    []any
		want    string
	}{
		{`{}`, rows(), "[0.12 0.37 0.5]"},
		{`{}`, rows(1, 9), "[0.12 0.37 0.5]"},
		{weighted, rows(1, 9), "[0.02 0.07 0.9]"},
		{weighted, rows(1, 0), "[0.25 0.75 0]"},
	} {
		b, err := Balance(context.Background(), value(t, c.cluster), c.rows, nil, nil)
		if got := fmt.Sprint(rounded(b)); err != nil || got != c.want || b.Unsupported != nil {
			t.Errorf("%s: %s, want %s (%v %v)", c.cluster, got, c.want, b.Unsupported, err)
		}
	}
	if b, _ := Balance(context.Background(), value(t, weighted), rows(), nil, nil); fmt.Sprint(b.Unsupported) != "[weights of localities]" {
		t.Errorf("weights that are not known: %v", b.Unsupported)
	}
}

// TestSubsetsNeedExactlyASelectorsKeys checks that metadata criteria select a
// subset only if their keys are exactly the keys of one subset selector.
func TestSubsetsNeedExactlyASelectorsKeys(t *testing.T) {
	var rows []any
	for _, labels := range []string{`{"version": "v1", "stage": "prod"}`, `{"version": "v2", "stage": "prod"}`, `{"version": ["v3", "v4"]}`} {
		rows = append(rows, object.Of("health", "HEALTHY", "metadata", object.Of("filterMetadata", object.Of("envoy.lb", value(t, labels)))))
	}
	for _, c := range []struct{ config, criteria, want string }{
		{`"subsetSelectors": [{"keys": ["version"]}]`, `{"version": "v2"}`, "[0 1 0]"},
		{`"subsetSelectors": [{"keys": ["version"]}]`, `{"version": "v9"}`, "[0 0 0] SUBSET_EMPTY"},
		{`"subsetSelectors": [{"keys": ["version"]}]`, `{}`, "[0 0 0] SUBSET_EMPTY"},
		{`"subsetSelectors": [{"keys": ["version"]}]`, `{"version": "v2", "stage": "prod"}`, "[0 0 0] SUBSET_EMPTY"},
		{`"subsetSelectors": [{"keys": ["version"]}], "fallbackPolicy": "ANY_ENDPOINT"`, `{}`, "[0.33 0.33 0.33]"},
		{`"subsetSelectors": [{"keys": ["stage", "version"]}], "fallbackPolicy": "DEFAULT_SUBSET", "defaultSubset": {"stage": "prod"}`, `{"version": "v1"}`, "[0.5 0.5 0]"},
		{`"subsetSelectors": [{"keys": ["version"]}], "fallbackPolicy": "DEFAULT_SUBSET", "defaultSubset": {"stage": "x"}`, `{}`, "[0 0 0] SUBSET_EMPTY"},
		{`"subsetSelectors": [{"keys": ["version"]}], "fallbackPolicy": "DEFAULT_SUBSET", "defaultSubset": {"stage": "x"}, "panicModeAny": true`, `{}`, "[0.33 0.33 0.33]"},
		{`"subsetSelectors": [{"keys": ["version"]}], "listAsAny": true`, `{"version": "v4"}`, "[0 0 1]"},
		{`"subsetSelectors": [{"keys": ["version"]}]`, `{"version": "v4"}`, "[0 0 0] SUBSET_EMPTY"},
		{`"subsetSelectors": [{"keys": ["version", "stage"], "fallbackPolicy": "KEYS_SUBSET", "fallbackKeysSubset": ["stage"]}, {"keys": ["stage"]}]`, `{"version": "v9", "stage": "prod"}`, "[0.5 0.5 0]"},
		{`"subsetSelectors": [{"keys": ["version"], "fallbackPolicy": "ANY_ENDPOINT"}]`, `{"version": "v9"}`, "[0.33 0.33 0.33]"},
	} {
		var criteria *object.Object
		if err := object.Unmarshal([]byte(c.criteria), &criteria); err != nil {
			t.Fatal(err)
		}
		b, err := Balance(context.Background(), value(t, `{"lbSubsetConfig": {`+c.config+`}}`), rows, criteria, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(fmt.Sprint(rounded(b)) + " " + b.Reason); got != c.want {
			t.Errorf("%s for %s: %s, want %s", c.criteria, c.config, got, c.want)
		}
	}
}

// TestSharesAddUp checks the shares of random clusters. The shares and the lost
// part must add up to 1, no share may be negative, and a reason must be set if
// and only if all requests are lost.
func TestSharesAddUp(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range 300 {
		for _, c := range randomClusters(r, 10, i%2 == 0) {
			b := c.balanced(t)
			sum := b.Lost
			for _, m := range b.Members {
				if sum += m.Share; m.Share < 0 || m.Share > 1+1e-9 {
					t.Fatalf("seed %d: share %v", seed, m.Share)
				}
			}
			if math.Abs(sum-1) > 1e-9 || (b.Lost > 1-1e-9) != (b.Reason != "") {
				cluster, _ := json.Marshal(c)
				t.Fatalf("seed %d: shares are %v, lost %v, %s: %s", seed, sum, b.Lost, b.Reason, cluster)
			}
		}
	}
}
