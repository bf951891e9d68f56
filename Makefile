# Every task of the project. Each is one script or one cargo command; the scripts say at their head what they do and leave behind.
.DEFAULT_GOAL := help
.PHONY: help run watch test simulate mutants fuzz fuzz-parsers check build deploy bench sixty-days kill-test reset install ci

STACK := infra/stack
# make test ARGS="-p agentwarm-core", make deploy ARGS=--no-confirm-changeset
ARGS ?=
# make simulate SEEDS=1 FIRST_SEED=13
SEEDS ?= 200
FIRST_SEED ?= 1
# make fuzz-parsers SECONDS=600 ARGS=imap_session
SECONDS ?= 10
# make fuzz EXAMPLES=100
EXAMPLES ?= 40

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the whole system on this machine, a virtual day a minute, until Ctrl-C
	@$(STACK)/run.sh $(ARGS)

watch: ## the functions in real time, each reloaded when its source changes, until Ctrl-C
	@$(STACK)/watch.sh $(ARGS)

test: ## all tests, against mail servers and an emulator of their own
	@$(STACK)/test.sh $(ARGS)

simulate: ## the engine on memory, everything going wrong at random: SEEDS worlds from number FIRST_SEED on
	@AW_SEEDS=$(SEEDS) AW_SEED=$(FIRST_SEED) $(STACK)/simulate.sh $(ARGS)

mutants: ## deliberate bugs, each of which the simulation must find
	@tests/mutants/run.sh $(ARGS)

fuzz: ## the API asked what its own document allows, and what it does not, by schemathesis: EXAMPLES of each operation
	@$(STACK)/install.sh fuzz
	@AW_EXAMPLES=$(EXAMPLES) $(STACK)/test.sh -p agentwarm-tests --test fuzz --run-ignored only --no-capture $(ARGS)

fuzz-parsers: ## what reads strangers' bytes under libFuzzer, SECONDS each: servers' answers, mails, spintax, cursors, keys, JSON
	@AW_SECONDS=$(SECONDS) tests/fuzz-parsers/run.sh $(ARGS)

check: ## format, lints, dependencies, template
	@$(STACK)/check.sh

build: ## release zips of every function for `make deploy` in target/lambda
	@$(STACK)/build.sh

deploy: ## what `make build` left, into the AWS account of your credentials, as samconfig.toml says
	@$(STACK)/deploy.sh $(ARGS)

bench: ## cost per warmup mail, speed of the API, planner throughput, cold start
	@$(STACK)/bench.sh $(ARGS)

sixty-days: ## sixty virtual days from the first mail to graduation: on memory, then with real servers
	@$(STACK)/test.sh -p agentwarm-tests --test simulation --run-ignored only --no-capture -E 'test(/^sixty_days/)' $(ARGS)
	@$(STACK)/test.sh --release -p agentwarm-tests --test acceptance --run-ignored only --no-capture -E 'test(/^sixty_days/)' $(ARGS)

kill-test: ## three virtual days in which the process that runs the tasks is killed again and again
	@$(STACK)/test.sh -p agentwarm-tests --run-ignored only --no-capture -E 'test(/^kill_test/)' $(ARGS)

reset: ## forget what `make run` did: tables, mail, mailboxes; what is installed stays
	@$(STACK)/reset.sh

install: ## everything the other targets would install, now
	@$(STACK)/install.sh all

ci: ## what continuous integration runs
	@.ci/run
