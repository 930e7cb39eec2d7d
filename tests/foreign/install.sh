#!/bin/sh
# Installs the pinned foreign libraries under <target>/foreign, nowhere else. Run again after a pin has changed.
# Needs python3 (with venv), node with npm, and go; takes them from whatever registries those are configured for.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
for suite in standardwebhooks graph-clients; do
    place=$target/foreign/$suite
    mkdir -p "$place"
    cp "$here/$suite/package.json" "$here/$suite/package-lock.json" "$place/"
    (cd "$place" && npm ci --ignore-scripts --no-audit --no-fund)
    python3 -m venv "$place/venv"
    "$place/venv/bin/pip" install --quiet --requirement "$here/$suite/requirements.txt"
done
(cd "$here/audit" && go build -o "$target/foreign/audit/bin/verify" .)
