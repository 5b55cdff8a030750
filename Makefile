# The commands of this checkout. Each sets up what it needs first: see .ci/set-up.
#   make demo ARGS="--payments 100000"     make test ARGS="-k ledger"     make PYTHON=python3.12 test

BIN := .venv/bin
ifdef PYTHON
export PYTHON
endif

.PHONY: help demo check test test-heavy simulate kill-tests fuzz bench format set-up set-up-test set-up-heavy

help:
	@echo "make demo        a month of a district against simulated banks over SFTP, on this machine"
	@echo "make check       format, lint, types, imports"
	@echo "make test        the tests, without those that take long"
	@echo "make test-heavy  the tests that take long"
	@echo "make interop     other implementations as judges of signatures and seals"
	@echo "make simulate    many histories of a simulated world; SEEDS=10000 takes about 40 minutes"
	@echo "make kill-tests  kills of the real process, broken lines, full disks (some minutes)"
	@echo "make fuzz        foreign bytes against every reader of them, SECONDS=60 shared out"
	@echo "make bench       speeds, as ratios taken in one run"

demo: set-up
	@echo "demo: a month of a district through three simulated banks over loopback SFTP"
	@$(BIN)/bankgate demo $(ARGS)

check: set-up
	@echo "check: ruff format, ruff check, mypy, lint-imports"
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: set-up-test
	@echo "test: pytest, without those that take long"
	@$(BIN)/pytest -m "not heavy and not interop" -n auto $(ARGS)

# Status 5 is "no tests collected": right where a checkout has none that take long.
test-heavy: set-up-heavy
	@echo "test-heavy: pytest, those that take long"
	@$(BIN)/pytest -m "heavy and not interop" $(ARGS) || { status=$$?; [ $$status -eq 5 ] && echo "test-heavy: there is none"; }

interop: set-up-interop
	@echo "interop: what others accept of ours, and make for us"
	@$(BIN)/pytest -m interop $(ARGS)

# The same seeds give the same histories; FRESH=1 takes seeds that nobody had before, and says which.
simulate: set-up-test
	@echo "simulate: histories with crashes, faults and banks that err, and an auditor who knows the truth"
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),300) --first $(or $(FIRST),0) --rate $(or $(RATE),1) \
		$(if $(FRESH),--fresh) $(ARGS)

kill-tests: set-up-test
	@echo "kill-tests: the real process is killed at numbered steps and started again"
	@$(BIN)/python -m tests.kills --at-least 200 $(ARGS)
	@echo "kill-tests: stopped processes, broken and late lines, full disks, a changed host key, the demonstration"
	@$(BIN)/pytest tests/kills -q -k "not many_histories"

SECONDS ?= 60
fuzz:
	@.ci/set-up fuzz
	@echo "fuzz: every reader of foreign bytes under atheris"
	@nice -n 10 $(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(ARGS)

bench: set-up
	@echo "bench: ratios against baselines of the same run"
	@$(BIN)/python -m tests.bench $(ARGS)

format: set-up
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

set-up:
	@.ci/set-up all

set-up-test:
	@.ci/set-up test

set-up-heavy:
	@.ci/set-up heavy

set-up-interop:
	@.ci/set-up interop
