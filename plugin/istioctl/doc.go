// Package istioctl contains the commands and flags of istioctl that the plugin
// accepts, and the query that the plugin runs for each of them.
//
// The package only describes these commands; it doesn't run them. Read
// [Spellings] first.
package istioctl
