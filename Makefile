# The commands for contributors. "make help" lists them.

SHELL := bash
GO    ?= go
BIN   := bin/kubectl-meshq
S     ?= demo
T     ?= ./query/syntax:FuzzSuperset
FUZZTIME ?= 30s
SEED  ?= 1
MUTATE ?= ./query/routing ./sources/redact ./sources/store ./printers ./query/eval

.PHONY: help build demo test poison matrix mutate e2e golden lint fuzz fuzz-all audit bench dist docs clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 10

build: ## build bin/kubectl-meshq
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(BIN) .

demo: build ## build, then run some queries on the snapshot that comes with the plugin
	@./scripts/demo $(BIN)

test: ## run all tests of this module, those of concurrent code also with the race detector
	$(GO) test ./...
	$(GO) test -race -run 'Parallel|Cancel|Invariant|Fault' ./query/eval ./sources
	$(GO) test -race ./sources/store

poison: ## run every command, output format and completion on snapshots that attack the terminal and the shell
	$(GO) test ./test/hostile ./test/shell -count=1 -run Poison -full

matrix: ## remove one part of each recorded mesh at a time; no answer may then look complete
	$(GO) test ./test/matrix -count=1 -timeout 30m -full
	$(GO) test ./plugin -count=1 -run OverMixedMesh -full

mutate: ## change the code in 200 places; the tests must notice 9 of 10 changes (MUTATE="-n 50 ./printers", SEED=7)
	$(GO) run ./test/mutate -seed $(SEED) $(MUTATE)

e2e: ## start a real mesh on this machine and test the plugin on it (the first build takes ten minutes more)
	cd test/e2e && $(GO) vet ./... && $(GO) run ./cmd/mesh build && $(GO) test -count=1 -v -timeout 15m .

golden: ## rewrite the expected output of transcripts and tables, then list the changed files
	$(GO) test ./test/docs ./test/transcript ./test/screens ./printers -update
	git --no-pager diff --stat

lint: ## run go vet and staticcheck; check gofmt and go mod tidy
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	for os in windows darwin; do GOOS=$$os CGO_ENABLED=0 $(GO) build -o /dev/null . || exit 1; done
	$(GO) mod tidy -diff

fuzz: ## fuzz one target (T=./query/eval:FuzzEvaluate FUZZTIME=1m)
	$(GO) test -run '^$$' -fuzz '^$(lastword $(subst :, ,$(T)))$$' -fuzztime $(FUZZTIME) $(firstword $(subst :, ,$(T)))

fuzz-all: ## fuzz each target in turn for FUZZTIME
	GO='$(GO)' ./scripts/fuzz $(FUZZTIME)

audit: ## search for known vulnerabilities (govulncheck), and for secrets in all commits (gitleaks)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...
	$(GO) run github.com/zricethezav/gitleaks/v8@v8.30.1 git --redact --no-banner .

bench: build ## compare the plugin with jq, gojq and istioctl and write BENCHMARKS.md (BENCH="-only files", MACHINE="…")
	./scripts/bench $(BIN) $(BENCH)

dist: ## build the release archives, their checksums and krew's manifest (VERSION=v1.2.3)
	./scripts/dist $(VERSION)

docs: ## generate docs/*.md from the same tables as the help
	$(GO) run . docs docs

clean: ## remove bin and dist
	rm -rf bin dist
