# `make dev` runs Doorward with the example app beside it; `make test` checks everything. Both install what they need.
.DEFAULT_GOAL := help
.PHONY: help dev test check bench setup pages

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: ## Doorward and the example app, ready to sign in
	@scripts/dev.sh

test: ## everything: lints, both databases, WASM, OpenAPI, real browsers
	@scripts/test.sh all

check: ## the fast loop: compile, and the Rust suite on SQLite
	cargo check --workspace --all-targets --locked
	@scripts/test.sh sqlite

bench: ## the load generator: prints a table, writes bench/out/latest.json
	cargo build --release --locked --package doorward-server --package doorward-bench
	BENCH_POSTGRES_URL=$$(scripts/postgres.sh start) target/release/doorward-bench

pages: ## the account pages that the server shows, for the next build of it
	@scripts/pages.sh

setup: ## only install what the others need
	@scripts/setup.sh
