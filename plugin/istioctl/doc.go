// Package istioctl contains the commands and flags of istioctl that the plugin
// understands, and the query that the plugin runs for each of them.
//
// It runs none of them itself. Read [Spellings] first.
package istioctl
