# make demo     everything embedded, on http://$(LISTEN)/
# make test     all checks and tests; installs what they need
# make pictures the README's pages as PNG files in $(PICTURES); PICTURES_ALL=1 for every page, then in pictures/
# make fuzz     targets of tests/it/hostile, FOR seconds each (60), led by coverage; TARGET="name csv" for some
# make crashes  kills servers under load, 200 times on each engine, for each of SEEDS
# make sbom     the list of parts, CycloneDX, as $(SBOM); checked to hold every package of the program
# make bench    what docs/PERFORMANCE.md tells; BENCH="list joins", ENGINE=sqlite, ROUNDS, SECONDS, MEMBERS, JSON=FILE

LISTEN ?= 127.0.0.1:8080
# Every page is some 400 files: they are not kept beside those of the README.
PICTURES ?= $(if $(PICTURES_ALL),pictures,docs/pictures)
CARGO ?= cargo
export PICTURES PICTURES_ALL

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
# The steps of `test` share cargo's build folder: in order, also under -j.
.NOTPARALLEL:

WITH_SERVICES := tests/tools/with_services.py
# Where cargo builds, also with CARGO_TARGET_DIR or a configuration of one's own.
PROGRAM = $$($(CARGO) metadata --format-version 1 --no-deps --offline | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/debug/tuantibu

# What make bench measures (everything), on which engine (both), and with MEASURE=PATH of which program.
BENCH ?=
ENGINE ?=
BENCH_ARGUMENTS = $(BENCH) $(if $(ENGINE),--engine $(ENGINE)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
  $(if $(MEMBERS),--members $(MEMBERS)) \
  $(if $(SECONDS),--seconds $(SECONDS)) $(if $(JSON),--json "$(abspath $(JSON))") \
  $(if $(MEASURE),--program "$(abspath $(MEASURE))")

# How long make fuzz stays with a target, and with which (all).
FOR ?= 60
TARGET ?=

SBOM ?= target/tuantibu.cdx.json

.PHONY: sbom demo test install check-fmt lint doc deny test-rust test-document test-browser fresh-clone pictures fuzz \
  bench crashes fmt clean

demo:
	$(CARGO) build --locked --bin tuantibu
	exec "$(PROGRAM)" demo --listen $(LISTEN)

test: install check-fmt lint doc deny test-rust test-document test-browser fresh-clone
	@echo "make test: all passed"

install:
	tests/tools/install.sh

sbom:
	tests/tools/sbom.sh "$(SBOM)"

check-fmt:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked -p tuantibu-benches --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --lib --document-private-items

deny: install
	$(CARGO) fetch --locked --quiet
	.tools/bin/cargo-deny --offline --locked check --hide-inclusion-graph licenses bans sources

test-rust: install
	$(WITH_SERVICES) $(CARGO) test --locked

test-document: install
	$(CARGO) build --locked --bin tuantibu
	.tools/venv/bin/python tests/document/run.py "$(PROGRAM)"

test-browser: install
	$(CARGO) build --locked --bin tuantibu
	node tests/browser/run.mjs "$(PROGRAM)"

fresh-clone:
	tests/tools/fresh_clone.sh

pictures: install
	$(CARGO) build --locked --bin tuantibu
	node tests/browser/run.mjs "$(PROGRAM)" --pictures "$(PICTURES)"
	.tools/venv/bin/python tests/tools/shrink_pictures.py "$(PICTURES)"

bench:
	$(if $(filter sqlite,$(ENGINE)),,$(WITH_SERVICES) --durable) $(CARGO) bench --locked -p tuantibu-benches -- $(BENCH_ARGUMENTS)

# Kills a server 200 times on each engine, under load, for each seed.
SEEDS ?= 1 2 3
crashes: install
	$(CARGO) test --locked --test it --no-run
	for seed in $(SEEDS); do TUANTIBU_KILLS=200 TUANTIBU_SEED=$$seed \
	  $(WITH_SERVICES) $(CARGO) test --locked --test it -- --nocapture crash::; done

fuzz:
	tests/tools/fuzz.sh $(FOR) $(TARGET)

fmt:
	$(CARGO) fmt --all

clean:
	$(CARGO) clean
	rm -rf .tools tests/browser/node_modules tests/smpp/node_modules pictures
