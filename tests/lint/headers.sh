#!/bin/bash
# Fails when a header of lib is no manual page (what it is, threads, memory), or when
# lib/README.md is not the list of them.
#
#     headers.sh            compares
#     headers.sh --write    writes lib/README.md
set -euo pipefail
cd "$(dirname "$0")/../.."

# Prints the list. Ends with 1 when a header is no manual page.
list() {
    awk -v headers="$(echo lib/*/*.h)" '
    function complain(header, text) {
        print header ": " text > "/dev/stderr"
        status = 1
    }
    # The first sentence of the text at the top of a header, on one line.
    function first_sentence(text) {
        sub(/^\n+/, "", text)
        sub(/\n\n.*/, "", text)
        gsub(/\n/, " ", text)
        sub(/ +$/, "", text)
        sub(/\. [A-Z].*/, ".", text)
        gsub(/\|/, "\\|", text)
        return text
    }
    # Reads that text, without its comment marks.
    function read_header(header, line, number, text) {
        number = 0
        text = ""
        while ((getline line < header) > 0 && !(number > 1 && line ~ /\*\//)) {
            number++
            if (number == 1 && line != "#pragma once" || number == 2 && line !~ /^\/\*\*/)
                complain(header, "begin it with #pragma once and what the thing is")
            sub(/^\/\*\*| \*/, "", line)
            sub(/^ /, "", line)
            if (number > 1)
                text = text line "\n"
        }
        close(header)
        if (text !~ /(^|\n)(Threads[,:]|Sources, threads,)/)
            complain(header, "say under `Threads:` who may call it")
        if (text !~ /(^|\n|  )Memory:|[Tt]hreads, memory[,:]/)
            complain(header, "say under `Memory:` what it takes and who frees it")
        return first_sentence(text)
    }
    # The table of modules in README.md says what each has.
    FILENAME == "README.md" {
        if (match($0, /^\| `[a-z]+` \| /)) {
            split($0, cells, / \| /)
            module = cells[1]
            gsub(/[|` ]/, "", module)
            purpose[module] = toupper(substr(cells[2], 1, 1)) substr(cells[2], 2) "."
        }
        next
    }
    {
        module = $0
        sub(/:.*/, "", module)
        below = $0
        sub(/^[a-z]*: ?/, "", below)
        gsub(/ /, "`, `", below)
        print "\n## " module "\n\n" purpose[module]
        if (below != "")
            print "\nIncludes `" below "`."
        print "\n| header | what it is |\n| --- | --- |"
        count = split(headers, all, " ")
        for (i = 1; i <= count; i++)
            if (index(all[i], "lib/" module "/") == 1) {
                name = all[i]
                sub(/.*\//, "", name)
                print "| `" name "` | " read_header(all[i]) " |"
            }
    }
    BEGIN {
        print "# The modules\n"
        print "From the bottom up: each may include those named behind it (`deps.txt`). A header begins with what"
        print "its users must know; this list has the first sentence of each."
    }
    END { exit status }' README.md lib/deps.txt
}

status=0
text=$(list) || status=1
if [ "${1-}" = --write ]; then
    printf '%s\n' "$text" >lib/README.md
elif ! diff -u lib/README.md - <<<"$text" >&2; then
    echo "lib/README.md is not current: tests/lint/headers.sh --write" >&2
    status=1
fi
exit $status
