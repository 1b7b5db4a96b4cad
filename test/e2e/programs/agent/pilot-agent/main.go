// Command pilot-agent sends requests to a proxy's admin port from within its pod.
package main

import (
	"os"

	"github.com/meshq/kubectl-meshq/test/e2e/programs/agent/request"
)

func main() { os.Exit(request.Run(os.Args[1:], "15000")) }
