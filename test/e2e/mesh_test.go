package e2e_test

import (
	"testing"
)

// TestMesh starts one mesh and runs all scenarios on it, one after the other. A scenario may break the mesh; afterwards
// the mesh is repaired.
func TestMesh(t *testing.T) {
	w := newWorld(t)
	for _, s := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"Healthy", healthy},
		{"HealthyTable", healthyTable},
		{"Readme", readme},
		{"AsIstiodSays", asIstiodSays},
		{"NoEnvoyIsAsked", noEnvoyIsAsked},
		{"OneClusterIsOneRequest", oneClusterIsOneRequest},
		{"EnvoySaysTheSame", envoySaysTheSame},
		{"EnvoyIsAskedForLess", envoyIsAskedForLess},
		{"AdszWhereNeeded", adszWhereNeeded},
		{"NoConnectionIsLeft", noConnectionIsLeft},
		{"WholeWalkIsRefused", wholeWalkIsRefused},
		{"Restricted", restricted},
		{"AdminPortOfThePod", adminPortOfThePod},
		{"Direct", direct},
		{"Contexts", contexts},
		{"IstioctlHealthy", istioctlHealthy},
		{"IstioctlFaults", istioctlFaults},
		{"Levels", levels},
		{"Walk", walk},
		{"Stale", stale},
		{"Rejected", rejected},
		{"NotSent", notSent},
		{"Dead", dead},
		{"PodDeleted", podDeleted},
		{"HungAndDead", hungAndDead},
		{"HungByDefault", hungByDefault},
		{"IstiodDown", istiodDown},
		{"TwoIstiods", twoIstiods},
		{"TwoRevisions", twoRevisions},
		{"APIServerDown", apiServerDown},
		{"Wait", wait},
		{"Watch", watch},
		{"WatchOverAPIServerRestart", watchOverAPIServerRestart},
		{"PodDeletedMidFetch", podDeletedMidFetch},
		{"Interrupted", interrupted},
		{"LeastIsEnough", leastIsEnough},
		{"ForwardDenied", forwardDenied},
		{"ExecInstead", execInstead},
		{"CreateAlone", createAlone},
		{"OneNamespace", oneNamespace},
		{"Completion", completion},
		{"FirstUseCase", firstUseCase},
		{"TraceAsReplicas", traceAsReplicas},
		{"TracesAsEnvoys", tracesAsEnvoys},
		{"Snapshot", snapshot},
		{"WhatIf", whatIf},
		{"ReadOnly", readOnly},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Cleanup(func() { w.repair(t) })
			s.test(t, w)
		})
	}
}
