# Every target sets up what is missing first; ARGS goes on to the command behind the target.
.DEFAULT_GOAL := help
.PHONY: help setup demo browser pooler test check pictures bench
BIN := .venv/bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile

setup: ## create .venv with the pinned dependencies; does nothing while they are unchanged
	@sh scripts/setup.sh

demo: setup ## run the example processes and show them; stays up until Ctrl-C (ARGS=--once: ends after the table)
	@$(BIN)/procession demo $(ARGS)

browser: ## install the browser of the tests, where apt may
	@sh scripts/browser.sh

pooler: ## install the pooler of the tests, where apt may
	@sh scripts/pooler.sh

test: check browser pooler ## check, then run all tests (ARGS: more arguments for pytest)
	@$(BIN)/pytest -n 4 --dist loadscope --no-loadscope-reorder $(ARGS)

check: setup ## format, lint, types and imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

pictures: setup browser ## make the pictures of docs/web.md anew
	@PICTURES=1 $(BIN)/pytest -q -n 0 tests/web/test_pictures.py

bench: setup ## measure (ARGS: arguments for procession bench)
	@$(BIN)/procession bench $(ARGS)
