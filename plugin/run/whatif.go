package run

import (
	"context"
	"fmt"
	"os"

	"github.com/meshq/kubectl-meshq/plugin/change"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/predict"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A WhatIf describes the prediction that a run wants.
type WhatIf struct {
	Files  []string // the files of the change
	Remove bool     // the objects are removed
	All    bool     // every proxy is asked
	Env    []string // further variables of istiod's environment

	// Adjust changes the objects before they are merged; nil changes nothing.
	Adjust func(ctx context.Context, objects []map[string]any) ([]map[string]any, error)
}

// Predict predicts what istiod would send with a change to the proxies that the
// command line selects. The caller still closes the sources.
func Predict(ctx context.Context, r *Run, answers []transport.Source, q WhatIf) (*predict.Prediction, error) {
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
	for _, note := range overlay.Notes {
		r.Note(note)
	}
	for _, host := range p.Blocked {
		r.Note("istiod was kept from connecting to " + host)
	}
	return p, nil
}

// inputs reads what a prediction needs of the mesh.
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

// predicted returns the mesh with the change of --what-if, over the sources of the
// mesh. If it fails, it closes these sources.
func predicted(ctx context.Context, r *Run, answers []transport.Source) (all []transport.Source, err error) {
	p, err := Predict(ctx, r, answers, WhatIf{Files: r.WhatIf, Remove: r.WhatIfNot})
	if err == nil && p.Refused() {
		for i, v := range p.Verdicts {
			if v.Refused != "" {
				r.Note(fmt.Sprintf("%s is refused by istiod's admission and left out: %s", p.Overlay.Edits[i].Name(), v.Refused))
			}
		}
	}
	if err != nil {
		CloseAll(answers)
		return nil, err
	}
	_, after := p.Sources(answers)
	after.Own()
	return []transport.Source{after}, nil
}
