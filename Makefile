# The few commands of this repository. `make test` is all that CI runs.

CARGO ?= cargo

.PHONY: help test format lint suite documentation run-demo bless bench deny

help:
	@echo 'make test      everything that must hold: format, lints, tests, documentation'
	@echo 'make run-demo  the daemon on the example configuration (start `cargo run --example messenger` before)'
	@echo 'make bless     run the tests and accept changed snapshots; read the difference before you commit it'
	@echo 'make bench     the benchmarks'
	@echo 'make deny      licences, advisories and sources of the dependencies'

test: format lint suite documentation

format:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --locked --all-targets -- -D warnings

# The documents are checked here too: tests/docs runs the README. The benches run for a moment, so that they
# cannot fall behind the daemon that they measure.
suite:
	$(CARGO) test --locked
	SWITCHBOARD_BENCH_MESSAGES=200 SWITCHBOARD_BENCH_CONNECTIONS=8 $(CARGO) test --locked --bench intake
	SWITCHBOARD_BENCH_OPERATORS=20 SWITCHBOARD_BENCH_WAITING=50 $(CARGO) test --locked --bench routing
	SWITCHBOARD_BENCH_WAITING=200 $(CARGO) test --locked --bench queue
	SWITCHBOARD_BENCH_RULES=100 SWITCHBOARD_BENCH_MESSAGES=200 $(CARGO) test --locked --bench rules

documentation:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --no-deps

# The demo's secrets are public: this is for one's own machine.
run-demo:
	TELEGRAM_TOKEN=123456:demo TELEGRAM_SECRET=demo-secret ERP_SECRET=demo-erp HOOK_SECRET=hook-secret \
	  $(CARGO) run --locked -- serve

bless:
	INSTA_UPDATE=always $(CARGO) test --locked --test suite
	git status --short

bench:
	$(CARGO) bench --locked

deny:
	@command -v cargo-deny >/dev/null || { \
	  echo 'cargo-deny is not installed: cargo install cargo-deny --locked'; exit 1; }
	cargo deny --locked check
