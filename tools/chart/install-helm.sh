#!/usr/bin/env bash
# Prints where helm is, after building it from its Go module where it is not there yet (some three minutes of a processor, once for
# each version). The Go module proxy and its checksum database say what is built. Needs Go 1.26 or newer.
#
# Helm 4: version 3 gets no more features since September 2026 and no more security patches after 10 February 2027. The chart is one
# of apiVersion v2, which both take.
set -euo pipefail

version=v4.3.1
module=helm.sh/helm/v4/cmd/helm
directory="${XDG_CACHE_HOME:-$HOME/.cache}/stockyard/helm-$version"

if [ ! -x "$directory/helm" ]; then
  command -v go >/dev/null || { echo 'Missing: go. Install Go 1.26 or newer: https://go.dev/dl' >&2; exit 1; }
  mkdir -p "$directory"
  # Under a name of its own until it is whole: another run may look at the same time.
  building="$(mktemp -d "$directory/building-XXXXXX")"
  trap 'rm -rf "$building"' EXIT
  # Neither optimised nor inlined, and with fewer rounds of the compiler's own garbage collector: it renders in a tenth of a second
  # all the same, and a fifth of the building is saved.
  GOGC=400 GOBIN="$building" GOFLAGS=-trimpath go install -gcflags='all=-N -l' -ldflags='-s -w' "$module@$version" >&2
  mv "$building/helm" "$directory/helm"
fi
echo "$directory/helm"
