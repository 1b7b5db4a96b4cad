package run

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/change"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/predict"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A WhatIf describes the prediction that a run requests.
type WhatIf struct {
	Files  []string // the files with the objects of the change
	Remove bool     // true if the objects are removed, not applied
	All    bool     // true if the configuration of every proxy is requested, not only of one in each class
	Env    []string // additional environment variables of istiod

	// Adjust changes the objects of the change before they are merged. If it is
	// nil, they stay the same.
	Adjust func(ctx context.Context, objects []map[string]any) ([]map[string]any, error)
}

// longest is the time limit of a prediction if the command line has no
// --timeout.
const longest = 5 * time.Minute

// Predict predicts the configuration that istiod would send with a change to
// the proxies that the command line selects. The caller still has to close the
// sources.
func Predict(ctx context.Context, r *Run, answers []transport.Source, q WhatIf) (*predict.Prediction, error) {
	if r.Timeout == 0 { // a prediction must end even if istiod never becomes ready
		var stop context.CancelFunc
		ctx, stop = r.World.WithTimeout(ctx, longest)
		defer stop()
	}
	objects, err := change.Read(ctx, r.In, q.Files)
	if err != nil {
		return nil, err
	}
	if q.Adjust != nil {
		if objects, err = q.Adjust(ctx, objects); err != nil {
			return nil, err
		}
	}
	in, err := inputs(ctx, r, answers)
	if err != nil {
		return nil, err
	}
	binary, err := change.Find(r.World, r.Istiod, in.Version)
	if err != nil {
		return nil, err
	}
	namespace := "default"
	if *r.Kube.Namespace != "" {
		namespace = *r.Kube.Namespace
	}
	overlay, err := in.Merge(objects, q.Remove, namespace, r.Now())
	if err != nil {
		return nil, process.Exit(process.ExitUsage, err)
	}
	p, err := predict.Run(ctx, in, overlay, predict.Options{
		Binary: binary.Path, Env: append(append([]string{}, r.IstiodEnv...), q.Env...), All: q.All, Now: r.Now(), Sleep: r.Sleep, TempDir: os.TempDir(), Concurrency: r.Concurrency,
	})
	if err != nil {
		return nil, r.Opening(ctx, process.Exit(process.ExitUsage, err))
	}
	return p, nil
}

// inputs reads the parts of the mesh that a prediction needs.
func inputs(ctx context.Context, r *Run, answers []transport.Source) (*predict.Inputs, error) {
	s := store.New(ctx, store.Options{Memory: int64(r.Sections()), Slots: r.Concurrency})
	defer s.Close()
	scope := inventory.Scope{Selector: r.Labels, Proxies: r.Request.Proxies, Revision: r.Revision}
	if !r.AllNamespaces {
		scope.Namespace = *r.Kube.Namespace
	}
	clusters := requests.Clusters(answers)
	reader := &inventory.Reader{Client: requests.NewClient(s, r.Now), Clusters: clusters, Store: s, Scope: scope}
	inv, err := reader.Read(ctx)
	if err == nil {
		err = inv.Unknown
	}
	if err != nil {
		return nil, r.Opening(ctx, process.Exit(process.ExitUsage, err))
	}
	in, err := predict.Read(ctx, clusters, inv)
	if err != nil {
		return nil, r.Opening(ctx, process.Exit(process.ExitUsage, err))
	}
	if len(in.Proxies) == 0 {
		return nil, process.Usagef("no proxies whose configuration could be predicted%s", r.Among())
	}
	return in, nil
}

// OpenBoth opens the sources of two predicted meshes: without the change of --what-if
// and with it. The caller has to close both.
func OpenBoth(ctx context.Context, r *Run) (before, after []transport.Source, err error) {
	answers, err := r.OpenPresent(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := Predict(ctx, r, answers, WhatIf{Files: r.WhatIf, Remove: r.WhatIfNot})
	if err != nil {
		return nil, nil, errors.Join(err, CloseAll(ctx, answers))
	}
	for _, note := range p.Overlay.Notes { // everything else that is unknown is a fault of the source
		r.Note(note)
	}
	now, then := p.Sources(answers)
	then.Own()
	return []transport.Source{now}, []transport.Source{then}, nil
}
