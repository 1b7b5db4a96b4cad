// Package change reads what a prediction is made of besides the mesh: the objects of
// a change, from files as kubectl apply takes them, and the place of istiod's binary
// in the cache.
//
// It doesn't know what the objects mean. Read objects.go first.
package change
