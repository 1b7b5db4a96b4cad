package plugin

import "github.com/meshq/kubectl-meshq/sources/transport"

func (r *run) openLive() ([]transport.Source, error) {
	return nil, usage("no --snapshot was given, and a live mesh can't be read by this version: try --snapshot demo")
}
