package run

import (
	"context"
	"errors"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/forward"
	"github.com/meshq/kubectl-meshq/sources/live"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"k8s.io/client-go/tools/clientcmd"
)

// openLive makes the sources of a live mesh: the addresses that were given,
// else the clusters of the contexts. It asks nobody.
func (r *Run) openLive(ctx context.Context) (open []transport.Source, err error) {
	requestTimeout, err := clientcmd.ParseTimeout(*r.Kube.Timeout)
	if err != nil {
		return nil, process.Usagef("--request-timeout %s: not a time like 5s or 1m", *r.Kube.Timeout)
	}
	if len(r.Pilots)+len(r.Envoys) > 0 {
		s, err := live.NewDirect(live.DirectOptions{
			Pilots: r.Pilots, Envoys: r.Envoys, RequestTimeout: requestTimeout, Timeout: context.WithTimeout, Quota: r.quota(),
		})
		if err != nil {
			return nil, process.Exit(process.ExitUsage, err)
		}
		return []transport.Source{s}, nil
	}
	contexts := r.Contexts
	if len(contexts) == 0 {
		contexts = []string{*r.Kube.Context}
	}
	r.quota() // not in a goroutine that is left behind
	for _, name := range contexts {
		s, err := process.Await(ctx, func() (transport.Source, error) { return r.openCluster(name, requestTimeout) })
		if err != nil {
			return nil, errors.Join(err, CloseAll(open))
		}
		open = append(open, s)
	}
	return open, nil
}

// openCluster makes the source of a kubeconfig's context, "" for the current one.
func (r *Run) openCluster(context_ string, requestTimeout time.Duration) (transport.Source, error) {
	loader := r.Kube.In(context_).ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	config, err := loader.ClientConfig()
	inside := r.Env("KUBERNETES_SERVICE_HOST") != "" // of a cluster
	switch {
	case clientcmd.IsEmptyConfig(err), len(raw.Contexts)+len(raw.Clusters) == 0 && *r.Kube.APIServer == "" && !inside:
		return nil, process.Usagef("no cluster is configured: no kubeconfig was found (a recorded mesh needs none: --snapshot demo)")
	case err != nil:
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	if context_ == "" {
		context_ = raw.CurrentContext
	}
	pool, err := forward.New(config, forward.Options{Timeout: context.WithTimeout, UpgradeTimeout: requestTimeout, Sessions: r.Concurrency * 3 / 2})
	if err != nil {
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	s, err := live.NewCluster(live.ClusterOptions{
		Context: context_, Config: config, Dialer: pool, IstioNamespace: r.IstioNamespace, Revision: r.Revision, Namespace: namespace,
		AdminPort: r.AdminPort, RequestTimeout: requestTimeout, Timeout: context.WithTimeout, Quota: r.quota(),
	})
	if err != nil {
		return nil, errors.Join(process.Exit(process.ExitUsage, err), pool.Close())
	}
	return s, nil
}
