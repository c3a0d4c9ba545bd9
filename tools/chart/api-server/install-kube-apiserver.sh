#!/usr/bin/env bash
# Prints where kube-apiserver is, after building it from its Go modules where it is not there yet (some ten minutes of a
# processor, once for each version; 2 GB of Go's caches). It runs at the lowest priority. Needs Go 1.26 or newer.
set -euo pipefail

version=1.37.2
directory="${XDG_CACHE_HOME:-$HOME/.cache}/stockyard/kube-apiserver-v$version"

if [ ! -x "$directory/kube-apiserver" ]; then
  command -v go >/dev/null || { echo 'Missing: go. Install Go 1.26 or newer: https://go.dev/dl' >&2; exit 1; }
  mkdir -p "$directory"
  building="$(mktemp -d "$directory/building-XXXXXX")"
  trap 'rm -rf "$building"' EXIT
  cd "$building"
  # The modules that Kubernetes keeps in its own tree are published as v0.MINOR.PATCH; its go.mod leads to that tree, which a module
  # does not bring along, so the leads are laid anew.
  kubernetes="$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')"
  {
    printf 'module stockyard/kube-apiserver\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v%s\n\n' "$version"
    sed -n "s|^\t\(k8s.io/[a-z-]*\) => \./staging.*|replace \1 => \1 v0.${version#1.}|p" "$kubernetes"
  } >go.mod
  set_version="-X k8s.io/component-base/version.gitVersion=v$version"
  nice -n 15 env GOFLAGS='-mod=mod -trimpath' go build -ldflags="-s -w $set_version" -o kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver >&2
  mv kube-apiserver "$directory/kube-apiserver"
fi
echo "$directory/kube-apiserver"
