package live

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// Pilots returns the names of the running istiods in IstioNamespace. It returns
// those of the configured revision or, without one, those of all revisions. It
// returns an error if there are none.
func (c *Cluster) Pilots(ctx context.Context) ([]string, error) {
	defer c.begin()()
	all, err := c.istiods(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		of := ""
		if r := c.options.Revision; r != "" {
			of = " of revision " + r
		}
		return nil, &absent{fmt.Sprintf("no running istiod%s in namespace %s", of, c.options.IstioNamespace), nil}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

// istiods returns the debug port of each istiod, by name.
func (c *Cluster) istiods(ctx context.Context) (map[string]int, error) {
	return c.pilots.get(ctx, func() (map[string]int, error) {
		for _, label := range []string{"app=istiod", "istio=pilot"} {
			all, err := c.istiodsBy(ctx, label)
			if err != nil || len(all) > 0 {
				return all, err
			}
		}
		return nil, nil
	})
}

func (c *Cluster) istiodsBy(ctx context.Context, label string) (map[string]int, error) {
	if r := c.options.Revision; r != "" {
		label += ",istio.io/rev=" + r
	}
	query := cached()
	query.Set("labelSelector", label)
	query.Set("fieldSelector", "status.phase=Running")
	namespace := c.options.IstioNamespace
	spool, err := c.get(ctx, "api/v1/namespaces/"+url.PathEscape(namespace)+"/pods", query, asProtobuf)
	if err != nil {
		return nil, forbidden(err, "pods", namespace)
	}
	defer spool.Discard()
	raw, err := unwrap(spool)
	if err != nil {
		return nil, err
	}
	var list corev1.PodList
	if err := list.Unmarshal(raw); err != nil {
		return nil, fmt.Errorf("pods: %w", err)
	}
	all := map[string]int{}
	for _, p := range list.Items {
		if p.Status.Phase == corev1.PodRunning {
			all[pod{p.Name, p.Namespace}.id()] = debugPort(&p)
		}
	}
	return all, nil
}

// debugPort returns istiod's metrics port, on which it also serves the debug
// endpoints.
func debugPort(p *corev1.Pod) int {
	if n, err := strconv.Atoi(p.Annotations["prometheus.io/port"]); err == nil && isPort(n) {
		return n
	}
	return pilotPort
}
