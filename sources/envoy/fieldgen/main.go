// Program fieldgen writes tables of messages and their fields. "envoy" is the
// one that sources/envoy embeds, of Envoy's messages, from the descriptors in
// the Go modules that hold its API; "istio" is of Istio's; "kubernetes" is of
// the objects of Kubernetes and the Gateway API that a mesh is made of. Run it
// with `go generate ./sources/...`, after these modules were moved to another
// version. How a table is read and used is its reader's business.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: fieldgen envoy|istio|kubernetes FILE")
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
	}
	return nil, fmt.Errorf("%s: no table of that", of)
}
