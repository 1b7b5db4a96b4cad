package plugin

import (
	"context"
	"errors"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshq/kubectl-meshq/sources/forward"
	"github.com/meshq/kubectl-meshq/sources/live"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// openLive makes the sources of a live mesh: the addresses that were given,
// else the clusters of the contexts. It asks nobody.
func (r *run) openLive(ctx context.Context) (open []transport.Source, err error) {
	requestTimeout, err := clientcmd.ParseTimeout(*r.kube.Timeout)
	if err != nil {
		return nil, usage("--request-timeout %s: not a time like 5s or 1m", *r.kube.Timeout)
	}
	if len(r.pilots)+len(r.envoys) > 0 {
		s, err := live.NewDirect(live.DirectOptions{
			Pilots: r.pilots, Envoys: r.envoys, RequestTimeout: requestTimeout, Timeout: context.WithTimeout, Quota: r.quota(),
		})
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		return []transport.Source{s}, nil
	}
	contexts := r.contexts
	if len(contexts) == 0 {
		contexts = []string{*r.kube.Context}
	}
	r.quota() // not in a goroutine that is left behind
	for _, name := range contexts {
		s, err := await(ctx, func() (transport.Source, error) { return r.openCluster(name, requestTimeout) })
		if err != nil {
			return nil, errors.Join(err, closeAll(open))
		}
		open = append(open, s)
	}
	return open, nil
}

// openCluster makes the source of a kubeconfig's context, "" for the current one.
func (r *run) openCluster(context_ string, requestTimeout time.Duration) (transport.Source, error) {
	loader := r.kube.in(context_).ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, usage("kubeconfig: %s", oneLine(err.Error()))
	}
	config, err := loader.ClientConfig()
	inside := r.env("KUBERNETES_SERVICE_HOST") != "" // of a cluster
	switch {
	case clientcmd.IsEmptyConfig(err), len(raw.Contexts)+len(raw.Clusters) == 0 && *r.kube.APIServer == "" && !inside:
		return nil, usage("no cluster is configured: no kubeconfig was found (a recorded mesh needs none: --snapshot demo)")
	case err != nil:
		return nil, usage("kubeconfig: %s", oneLine(err.Error()))
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, usage("kubeconfig: %s", oneLine(err.Error()))
	}
	if context_ == "" {
		context_ = raw.CurrentContext
	}
	pool, err := forward.New(config, forward.Options{Timeout: context.WithTimeout, UpgradeTimeout: requestTimeout})
	if err != nil {
		return nil, usage("kubeconfig: %s", oneLine(err.Error()))
	}
	s, err := live.NewCluster(live.ClusterOptions{
		Context: context_, Config: config, Dialer: pool, IstioNamespace: r.istioNamespace, Revision: r.revision, Namespace: namespace,
		AdminPort: r.adminPort, RequestTimeout: requestTimeout, Timeout: context.WithTimeout, Quota: r.quota(),
	})
	if err != nil {
		return nil, errors.Join(&exitError{exitUsage, err}, pool.Close())
	}
	return s, nil
}
