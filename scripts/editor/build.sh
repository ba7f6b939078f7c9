#!/bin/sh
# Build web/static/vendor/codemirror-6.min.js anew from package-lock.json; needs node, which nothing else does.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
vendor=$here/../../web/static/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$here/bundle.js" "$work"
cd "$work"
npm ci --no-audit --no-fund --ignore-scripts
node_modules/.bin/esbuild bundle.js --bundle --minify --format=iife --global-name=CodeMirror --legal-comments=none \
  --outfile=codemirror-6.min.js
cp codemirror-6.min.js "$vendor/codemirror-6.min.js"
{
  echo "codemirror-6.min.js holds these packages, unmodified, put together by scripts/editor/build.sh."
  for licence in node_modules/@codemirror/*/LICENSE node_modules/@lezer/*/LICENSE node_modules/@marijn/*/LICENSE \
    node_modules/crelt/LICENSE node_modules/style-mod/LICENSE node_modules/w3c-keyname/LICENSE; do
    package=${licence#node_modules/}
    printf '\n%s\n\n' "${package%/LICENSE}"
    cat "$licence"
  done
} > "$vendor/codemirror.LICENSE"
sha256sum "$vendor/codemirror-6.min.js" "$vendor/codemirror.LICENSE"
