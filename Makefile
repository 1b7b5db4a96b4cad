# The house's one front door for builders. "make help" says what is behind it.

SHELL := bash
GO    ?= go
BIN   := bin/kubectl-meshq
S     ?= demo
T     ?= ./query/syntax:FuzzSuperset
FUZZTIME ?= 30s
SEED  ?= 1
MUTATE ?= ./query/library/routing ./sources/redact ./sources/store ./printers ./query/eval

.PHONY: help build demo test poison matrix mutate e2e golden lint fuzz fuzz-all audit bench dist docs clean

help: ## what can be made
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 10

build: ## bin/kubectl-meshq
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(BIN) .

demo: build ## build, then ask the snapshot that comes with the plugin
	@./scripts/demo $(BIN)

test: ## all tests of this module, with the race detector where it counts
	$(GO) test ./...
	$(GO) test -race -run 'Parallel|Cancel|Invariant|Fault' ./query/eval ./sources
	$(GO) test -race ./sources/store

poison: ## captures that attack the terminal and the shell, through every command, output and completion
	$(GO) test . -count=1 -run Poison -full

matrix: ## every question to every capture, with one part of it removed at a time
	$(GO) test ./test/matrix -count=1 -timeout 30m -full

mutate: ## change the product 200 times; the tests must notice 9 of 10 changes (MUTATE="-n 50 ./printers", SEED=7)
	$(GO) run ./test/mutate -seed $(SEED) $(MUTATE)

e2e: ## a real mesh on this machine, asked by a real kubectl (ten minutes when its parts have to be built first)
	cd test/e2e && $(GO) vet ./... && $(GO) run ./cmd/mesh build && $(GO) test -count=1 -v -timeout 15m .

golden: ## rewrite what the transcripts and tables are expected to print, then show what changed
	$(GO) test . ./printers -update
	git --no-pager diff --stat

lint: ## go vet, staticcheck, gofmt, go mod tidy
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	$(GO) mod tidy -diff

fuzz: ## fuzz one target: make fuzz T=./query/eval:FuzzEvaluate FUZZTIME=1m
	$(GO) test -run '^$$' -fuzz '^$(lastword $(subst :, ,$(T)))$$' -fuzztime $(FUZZTIME) $(firstword $(subst :, ,$(T)))

fuzz-all: ## fuzz every target, one after the other, each for FUZZTIME
	GO='$(GO)' ./scripts/fuzz $(FUZZTIME)

audit: ## known holes in what is built (govulncheck), secrets in any commit (gitleaks)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...
	$(GO) run github.com/zricethezav/gitleaks/v8@v8.30.1 git --redact --no-banner .

bench: build ## measure it beside jq, gojq and istioctl: BENCHMARKS.md (BENCH="-only files", MACHINE="…")
	./scripts/bench $(BIN) $(BENCH)

dist: ## archives for the platforms krew knows, their checksums and krew's manifest (VERSION=v1.2.3)
	./scripts/dist $(VERSION)

docs: ## docs/*.md anew, out of the tables that help is printed from
	$(GO) run . docs docs

clean: ## remove what was built
	rm -rf bin dist
