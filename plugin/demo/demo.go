// Package demo holds the snapshot that "--snapshot demo" reads: a real mesh
// (Bookinfo, istiod 1.31, Envoy 1.40) with one proxy whose xDS stream hangs,
// one whose listener was rejected and a gateway whose secret was not sent. It
// knows nothing but these bytes.
package demo

import _ "embed"

// Archive is the snapshot, a .tar.zst.
//
//go:embed demo.tar.zst
var Archive []byte
