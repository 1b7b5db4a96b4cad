// Kubectl-meshq queries an Istio service mesh in jq's language. kubectl runs it
// as the plugin "kubectl meshq".
package main

import (
	"os"

	"github.com/meshq/kubectl-meshq/plugin"
	"github.com/meshq/kubectl-meshq/plugin/process"
)

func main() {
	world := process.Current()
	world.TuneGC()
	os.Exit(plugin.Main(world))
}
