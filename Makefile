# make help lists the targets. The work is in dev/.
.POSIX:
.SUFFIXES:
.DEFAULT_GOAL := help
SHELL := /bin/sh
.PHONY: help deps build demo fractal pulp down test test-safety test-truth bench bench-check bench-operator lint fmt generate site deny release reproducible images clean

help: ## this list
	@echo 'usage: make TARGET'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 @ \2/p' Makefile | awk -F ' @ ' '{printf "%-14s %s\n", $$1, $$2}'
	@echo 'Variables: DEMO_KUBECONFIG=FILE (demo on that cluster), IMAGE_REGISTRY=HOST/PATH, LOADTEST_CACHE=FOLDER (~/.cache/loadtest-operator)'

deps: ## install the Debian packages that are missing (as root), or name them
	@dev/deps

build: ## build all binaries without optimisation
	cargo build --locked --workspace

demo: ## a cluster, the operator, an application and one load test, followed to its verdict
	@dev/demo

fractal: ## a real fractal-server in the demo's cluster, and its example followed to the verdict
	@dev/application fractal

pulp: ## a real Pulp in the demo's cluster, and its example followed to the verdict
	@dev/application pulp

down: ## end the demo's cluster and delete its data
	@dev/demo down

test: ## run every test level; the last line is "N passed, N failed"
	@dev/test

test-safety: ## all that shows that load is fired once and everything is put back; ends with four lines of figures
	@dev/test-safety

test-truth: ## plants every lie a result could tell and prints, by name, what it got; ends with "lies: N planted, N caught"
	@dev/test-truth

bench: ## the load engine beside wrk, oha and hey, as one table of ratios
	@dev/bench

bench-check: ## count the instructions of a request; the last line is "instructions a request: N (bound N)"
	@dev/bench-check

bench-operator: ## what the operator costs with 1,000 finished and 20 running tests, as a table
	@dev/bench-operator

lint: ## formatting, clippy, shellcheck and helm lint
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	dev/lint-shell
	"$$(dev/helm/build)" lint --strict charts/loadtest-operator

fmt: ## format the code
	cargo fmt --all

generate: ## write the generated files: CRD, its copy in the chart, API reference
	dev/generate

site: ## build the documents as a web site (mdBook) and print its folder
	@dev/site

deny: ## licences, sources and doubled versions of all crates (cargo-deny)
	@dev/deny

release: ## what a release consists of, in dist/release: image, chart, resource definition, bill of materials, checksums
	@dev/release

reproducible: ## build the operator's image twice, in two folders, and compare the archives byte for byte
	@dev/reproducible

images: ## build the images as OCI archives and print their paths
	@dev/images

clean: ## delete what cargo built in this checkout (the cache outside it stays)
	rm -rf target dist
