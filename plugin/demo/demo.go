// Package demo holds the snapshot that "--snapshot demo" reads: a real mesh
// (Bookinfo, istiod 1.31, Envoy 1.40) with one proxy whose xDS stream hangs,
// one whose listener was rejected and a gateway whose secret was not sent. It
// knows nothing but these bytes.
package demo

import _ "embed"

// Archive is the snapshot, a .tar.zst with an index, as the snapshot command
// writes it: a query unpacks only the files that it reads. That takes 15 ms of
// CPU for the status table; without the index it took 40 ms.
//
//go:embed demo.tar.zst
var Archive []byte
