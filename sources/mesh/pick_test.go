package mesh

import (
	"slices"
	"testing"
)

func TestPick(t *testing.T) {
	all := []Name{
		{ID: "a-1.x", Namespace: "x", Pod: "a-1", Workload: "a", ClusterID: "east"},
		{ID: "a-2.x", Namespace: "x", Pod: "a-2", Workload: "a", ClusterID: "east"},
		{ID: "a-1.y", Namespace: "y", Pod: "a-1", Workload: "a", ClusterID: "west"},
		{ID: "a-10.x", Namespace: "x", Pod: "a-10", Workload: "b", ClusterID: "west"},
		{ID: "vm.x", Namespace: "x", Pod: "vm", ClusterID: "west"},
		{ID: "projects/1/nodes/n.x", ClusterID: "west"},
	}
	for word, want := range map[string][]int{
		"a-1.x": {0}, "a-1": {0, 2}, "a": {0, 1, 2}, "b": {3}, "a-": {0, 1, 2, 3}, "a-10": {3}, "v": {4}, "none": nil, "": nil,
		"deploy/a": {0, 1, 2}, "deployment/b": {3}, "deploy/a-1": nil, "pod/a-2": {1}, "pod/a": {0, 1, 2}, "pod/none": nil, "pod/a.y": {2}, "po/a-1.y": {2},
		"east/a-1": {0}, "west/a-1": {2}, "west/a": {2}, "west/v": {4}, "north/a": nil, "deploy/": nil, "deploy/a.x": {0, 1}, "deploy/a.y": {2}, "deploy/a.z": nil, "a.y": {2}, "a.z": nil,
		"projects/1/nodes/n.x": {5}, "projects/1/nodes": {5}, "west/projects/1/nodes/n.x": {5}, "proxy/projects/1/nodes/n.x": {5}, "deploy/n.x": nil,
	} {
		if got := Pick(word, all); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", word, got, want)
		}
	}
}

func TestNear(t *testing.T) {
	all := []Name{{ID: "reviews-1.shop", Namespace: "shop"}, {ID: "reviews-2.test", Namespace: "test"}, {ID: "vm.shop", Namespace: "shop"}}
	for word, want := range map[string][]int{
		"view": {0, 1}, "reviews.shop": {0}, "shop/reviews": {0}, "test/vm": nil, "none": nil, "": nil,
	} {
		if got := Near(word, all); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", word, got, want)
		}
	}
}

func TestNearFindsTypingErrors(t *testing.T) {
	all := []Name{
		{ID: "reviews-v1-7f99.default", Pod: "reviews-v1-7f99", Namespace: "default", Workload: "reviews-v1"},
		{ID: "ratings-v1-5d9b.shop", Pod: "ratings-v1-5d9b", Namespace: "shop", Workload: "ratings-v1"},
	}
	for word, want := range map[string][]int{
		"reveiws-v1": {0}, "reviews-v1-7f98": {0}, "ratngs-v1.shop": {1}, "ratngs-v1.default": nil, "v1": {0, 1}, "else": nil, "": nil,
	} {
		if got := Near(word, all); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", word, got, want)
		}
	}
}
