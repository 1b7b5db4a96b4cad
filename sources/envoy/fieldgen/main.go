// Program fieldgen generates a table of messages and their fields. Its argument
// selects the table. "envoy" is the table of Envoy's messages, from the descriptors
// in the Go modules of its API; sources/envoy embeds it. "istio" is the table of
// Istio's messages. "kubernetes" is the table of the objects of Kubernetes and the
// Gateway API that a mesh uses. "wire" is the table of messages in wire format,
// with which sources/xds decodes xDS responses. Run it with `go generate
// ./sources/...` after the version of one of these modules has changed. The
// packages that read a table describe how they use it.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: fieldgen envoy|istio|kubernetes|wire FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "fieldgen:", err)
		os.Exit(1)
	}
}

func run(of, path string) error {
	text, err := tableOf(of)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func tableOf(of string) ([]byte, error) {
	switch of {
	case "envoy":
		files, err := descriptors(envoyModules)
		if err != nil {
			return nil, err
		}
		return table(files, "envoy", "xds", "udpa")
	case "istio":
		files, err := descriptors(istioModules)
		if err != nil {
			return nil, err
		}
		return table(files, "istio")
	case "kubernetes":
		return kubernetes()
	case "wire":
		files, err := descriptors(wireModules())
		if err != nil {
			return nil, err
		}
		return wire(files)
	}
	return nil, fmt.Errorf("%s: no table of that", of)
}
