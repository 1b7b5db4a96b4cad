// Program fieldgen writes the table of Envoy's messages and their fields that
// sources/envoy embeds, from the descriptors in the Go modules that hold
// Envoy's API. Run it with `go generate ./sources/envoy`, after these modules
// were moved to another version. It knows descriptors; how the table is read
// and used is its reader's business.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: fieldgen FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "fieldgen:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	files, err := descriptors()
	if err != nil {
		return err
	}
	text, err := table(files)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
