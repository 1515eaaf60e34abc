# The targets that people and .ci/run use. "make test" needs Go, a C compiler (for the race detector), npm (for the third-party
# SQS server of internal/e2e, which that test installs by itself), an Alertmanager, a Prometheus and a Chromium.

GO ?= go
# A number of tries: when a time is given instead, "go test" may end with "context deadline exceeded" and no finding.
FUZZTIME ?= 20000x

LINTER := bin/golangci-lint

.PHONY: build test chart generate lint bench fuzz clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/mailvane ./cmd/mailvane

test: chart
	$(GO) test -race -shuffle=on -timeout=20m ./...

# The chart's tests need Helm and Kubernetes, so they have a module of their own. The chart lies outside of it, and Go would not
# notice that it has changed since a result that it keeps.
chart:
	$(GO) test -C .ci/chart -count=1 ./...

# What is generated is committed; .ci/run fails when it is not current.
generate:
	$(GO) generate ./...
	$(GO) test ./internal/telemetry -run '^TestDocumentIsCurrent$$' -update
	$(GO) test ./internal/structure -run '^TestChartCopies$$' -update

lint: $(LINTER)
	$(LINTER) run --config .ci/golangci.yml ./...

# The linter has a module of its own, so that its dependencies are not the program's.
$(LINTER): .ci/tools/go.mod .ci/tools/go.sum
	$(GO) build -C .ci/tools -o ../../$(LINTER) github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	touch $@

# A million events through the whole path; the results are recorded in docs/performance.md. The parts have benchmarks of
# their own: go test -run '^$' -bench . ./collectors/ses/event
bench: build
	$(GO) run ./internal/bench -daemon bin/mailvane

# Every fuzz target, FUZZTIME each. What it finds is written to the testdata/fuzz of its package: commit that with the mend.
fuzz:
	@grep -rHoE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz\w+' . | while IFS=: read -r file target; do \
		name=$${target#func }; echo "$$(dirname "$$file") $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null || exit 1; \
	done

clean:
	rm -rf bin internal/e2e/fauxqs/node_modules internal/e2e/axe/node_modules
