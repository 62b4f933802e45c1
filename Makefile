# What a developer of authctl runs. Needs Go, git and make; `make test-deps` brings the
# rest of what the tests can use, on Debian.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
# No CGO and no PIE: both cost start-up time, which `authctl token` is made of. Of HTTP/2,
# which it doesn't speak, half a megabyte stays out, and a quarter of one by not spreading
# out what makes a TLS connection and has big numbers.
SMALL   := -tags nethttpomithttp2 -gcflags=crypto/tls=-l -gcflags=math/big=-l
HOW     := -trimpath -buildmode=exe $(SMALL) -ldflags '-funcalign=16 $(LDFLAGS)'
BUILD   := CGO_ENABLED=0 go build $(HOW)
EXE     := $(shell go env GOEXE)

.PHONY: build install demo test test-deps fuzz check bench completions pictures release

# The linker writes through a mapping, which leaves the file in Linux's memory in the
# smallest pieces: a copy of it starts in four fifths of the time.
build:
	$(BUILD) -o bin/linked ./cmd/authctl
	@install bin/linked bin/authctl$(EXE) && rm bin/linked

install: build
	@to=$$(go list -f '{{.Target}}' ./cmd/authctl) && install -d "$$(dirname "$$to")" && \
		install bin/authctl$(EXE) "$$to" && echo "$$to"

# A provider of its own on loopback, and every command against it.
demo:
	@$(BUILD) -o bin/ ./cmd/authctl
	@$(BUILD) -o bin/ ./cmd/demo-idp
	@bin/demo-idp demo --authctl bin/authctl

# Everything, on the real parts that are here. As root on Debian, and in CI, what is
# missing is installed first and nothing may be left out.
test:
	@sh .ci/test

test-deps:
	@sh .ci/test-deps

# Every fuzz target in turn, for FUZZTIME each. CI gives each 30,000 runs.
FUZZTIME ?= 10m
fuzz:
	@bash .ci/fuzz $(FUZZTIME)

# What .ci/run checks besides the tests.
check:
	@bash .ci/check

bench: build
	@go run ./internal/e2e/bench --authctl bin/authctl

completions: build
	@for shell in bash zsh fish; do bin/authctl completion $$shell > completions/authctl.$$shell; done
	@bin/authctl completion powershell > completions/authctl.ps1

# The README's pictures, of a real session; best with the fonts JetBrains Mono and Inter.
# Needs port 9000, Chromium, bash and curl.
pictures: build
	@go run ./internal/e2e/pictures --authctl bin/authctl --out .github

# Binaries of a tagged version for the systems that people have, with their checksums.
release:
	@rm -rf dist && mkdir dist
	@for os in linux darwin windows; do for arch in amd64 arm64; do \
		exe=; [ $$os = windows ] && exe=.exe; \
		echo authctl-$(VERSION)-$$os-$$arch$$exe; \
		GOOS=$$os GOARCH=$$arch $(BUILD) -o dist/authctl-$(VERSION)-$$os-$$arch$$exe ./cmd/authctl || exit 1; \
	done; done
	@cd dist && sha256sum authctl-* > SHA256SUMS
