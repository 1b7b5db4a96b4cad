// Package demo holds the snapshots that come with the plugin, under the names that
// --snapshot takes. "demo" is a real mesh (Bookinfo, istiod 1.31, Envoy 1.40) with
// one proxy whose xDS stream hangs, one whose listener was rejected and a gateway
// whose secret was not sent. "demo-ambient" is a real ambient mesh: two ztunnels, a
// waypoint, and workloads beside five of Bookinfo's sidecars and a gateway. It knows
// nothing but these bytes.
package demo

import _ "embed"

// Both snapshots are a .tar.zst with an index, as the snapshot command writes it: a
// query unpacks only the files that it reads. That takes 15 ms of CPU for the status
// table of the first; without the index it took 40 ms.
var (
	// Archive is the snapshot "demo".
	//
	//go:embed demo.tar.zst
	Archive []byte

	// Ambient is the snapshot "demo-ambient".
	//
	//go:embed ambient.tar.zst
	Ambient []byte
)

// Named returns the snapshot of a name. ok is false if there is none.
func Named(name string) (archive []byte, ok bool) {
	switch name {
	case "demo":
		return Archive, true
	case "demo-ambient":
		return Ambient, true
	}
	return nil, false
}
