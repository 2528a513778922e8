#!/bin/bash
# Fails when the page could run what a stranger wrote, or ask somebody else: markup from texts, code
# from texts, styles and handlers inside the HTML, addresses elsewhere. A browser refuses most of that
# by the Content-Security-Policy; here it is found without one. Lines have at most 120 characters.
set -euo pipefail
cd "$(dirname "$0")/../../cmd/spacednsd/page"
status=0

# forbid PATTERN WHY FILE...
forbid() {
    local pattern=$1 why=$2
    shift 2
    if grep -nE "$pattern" "$@"; then
        echo "cmd/spacednsd/page: $why" >&2
        status=1
    fi
}

forbid 'innerHTML|outerHTML|insertAdjacentHTML|setHTML|DOMParser|createContextualFragment|document\.write' \
    "make elements and texts (dom.js), no markup" ./*.js
forbid '\beval\(|new Function|setTimeout\(["'\''`]|import\(' "no code from texts" ./*.js
forbid ' style=|<style| on[a-z]+=|javascript:|<script>' "styles and scripts are files of their own" index.html
forbid '@import|url\(' "nothing is loaded by the style" page.css
# The namespace of SVG is a name and no address.
forbid '(https?:)?//[a-z0-9.-]+\.[a-z]{2,}' "nothing is asked of others" \
    <(sed 's,"http://www\.w3\.org/2000/svg",,' ./*.js) <(sed "s,'http://www\.w3\.org/2000/svg',," index.html) page.css
forbid '^.{121,}' "wrap lines at 120 characters" ./*.js page.css
exit $status
