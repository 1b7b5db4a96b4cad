// Package e2e is the home of the tests that run the plugin, by a real kubectl,
// on a real mesh. Every transcript is what a user types, and every answer is
// held against what istiod, Envoy and the API server say themselves. It knows
// the plugin as a program only: none of its packages.
package e2e
