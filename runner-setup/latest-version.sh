#!/usr/bin/env bash
# The update step: asks GitHub for the newest release of actions/runner and writes the file runner-version from it.
# The checksums are those that the release itself states, over TLS; `git diff runner-version` shows what changed.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=layout.sh
source "$HERE/layout.sh"
file=${1:-$HERE/runner-version}
[[ ${1:-} != -* ]] || die "usage: latest-version.sh [FILE]"
release=$(curl -fsSL --max-time 30 https://api.github.com/repos/actions/runner/releases/latest) ||
  die "GitHub can not be asked for the newest release; copy version and checksums by hand from https://github.com/actions/runner/releases"
version=$(jq -r '.tag_name // "" | ltrimstr("v")' <<<"$release")
released=$(jq -r '.published_at // "" | .[0:10]' <<<"$release")
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ && $released =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]] || die "GitHub's answer names no version"
sha256_of() { # the digest that the API gives for the file; empty when it gives none, so that install.sh asks for it
  jq -r --arg name "actions-runner-linux-$1-$version.tar.gz" \
    '[.assets[]? | select(.name == $name) | .digest // "" | ltrimstr("sha256:") | select(test("^[0-9a-f]{64}$"))][0] // ""' <<<"$release"
}
next=$(mktemp "$file.XXXXXX")
{
  grep '^#' "$file" 2>/dev/null || true
  printf 'version=%s\nreleased=%s\nsha256_x64=%s\nsha256_arm64=%s\n' "$version" "$released" "$(sha256_of x64)" "$(sha256_of arm64)"
} >"$next"
chmod 644 "$next"
if cmp -s "$next" "$file"; then rm "$next"; echo "$version is the newest release, and what $file says"; exit 0; fi
mv "$next" "$file"
echo "$file now says $version, released $released. Next: install.sh as before."
