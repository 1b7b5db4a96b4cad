// Package istioctl knows the commands and flags of istioctl that the plugin
// understands, and which query each of them stands for.
//
// It runs none of them. Read [Spellings] first.
package istioctl
