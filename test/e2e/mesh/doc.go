// Package mesh starts a service mesh on one machine, without a cloud or containers: etcd, kube-apiserver with RBAC,
// kwok as the kubelet, istiod, and one real Envoy for each of Bookinfo's seven proxies. All of them listen on loopback,
// on free ports. The package can also break the mesh in realistic ways and repair it. It is independent of the tests
// and of the plugin.
package mesh
