// Kubectl-meshq asks a whole service mesh questions in jq's language; kubectl
// runs it as "kubectl meshq".
package main

import (
	"os"

	"github.com/meshq/kubectl-meshq/plugin"
)

func main() {
	world := plugin.Process()
	world.Pace()
	os.Exit(plugin.Main(world))
}
