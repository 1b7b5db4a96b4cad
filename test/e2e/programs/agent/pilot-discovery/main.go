// Command pilot-discovery sends requests to an istiod's debug port from within its pod.
package main

import (
	"os"

	"github.com/meshq/kubectl-meshq/test/e2e/programs/agent/request"
)

func main() { os.Exit(request.Run(os.Args[1:], "15014")) }
