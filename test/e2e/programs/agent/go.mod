// What is run in the pods' containers, where Istio's own agent would be.
module github.com/meshq/kubectl-meshq/test/e2e/programs/agent

go 1.26.0
