// Package mesh brings up a service mesh on one machine, with no cloud and no
// containers: etcd, kube-apiserver with RBAC, kwok as the kubelet, istiod, and
// one real Envoy for each of Bookinfo's seven proxies, all on loopback and on
// free ports. It can break the mesh in the ways that meshes break, and mend
// it. What a test asks it of, and with what, this package does not know.
package mesh
