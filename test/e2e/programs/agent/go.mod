// The programs that run in the pods' containers instead of Istio's own agent.
module github.com/meshq/kubectl-meshq/test/e2e/programs/agent

go 1.26.0
