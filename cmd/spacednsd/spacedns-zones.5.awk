# Makes the manual page spacedns-zones(5) of zones/README.md, the one description of the format.
# Usage: awk -v version=VERSION -v date=DATE -f spacedns-zones.5.awk README.md
#
# It handles what that file uses: headings, paragraphs, lists, tables and blocks of text.

function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    return text
}

# `code` is set in bold; of [a link](there) only the text is kept.
function marked(text,    out, part) {
    while (match(text, /\[[^]]*\]\([^)]*\)/)) {
        part = substr(text, RSTART + 1, RLENGTH - 1)
        sub(/\]\(.*/, "", part)
        text = substr(text, 1, RSTART - 1) part substr(text, RSTART + RLENGTH)
    }
    text = escaped(text)
    while (match(text, /`[^`]*`/)) {
        out = out substr(text, 1, RSTART - 1) "\\fB" substr(text, RSTART + 1, RLENGTH - 2) "\\fR"
        text = substr(text, RSTART + RLENGTH)
    }
    return out text
}

function print_line(text) {
    print (text ~ /^[.']/ ? "\\&" : "") text
}

# A row of a table: the first cell is the term, the others follow with the titles of their columns.
function print_row(    i, line) {
    print ".TP"
    print_line("\\fB" marked(cell[1]) "\\fR")
    line = marked(cell[2])
    for (i = 3; i <= cells; i++)
        if (cell[i] != "" && cell[i] != "–")
            line = line (title[i] == "default" && cell[i] != "required" ? "; default " : "; ") \
                (title[i] == "example" ? "example: " : "") marked(cell[i])
    print_line(line)
}

function read_cells(    i, row) {
    row = $0
    sub(/^\| */, "", row)
    sub(/ *\|$/, "", row)
    cells = split(row, cell, / *\| */)
}

function begin_text() {
    if (gap && !fresh) print ".PP"
    gap = fresh = 0
}

BEGIN {
    printf ".TH SPACEDNS\\-ZONES 5 \"%s\" \"spacedns %s\" \"File Formats\"\n", date, version
    print ".SH NAME\nspacedns\\-zones \\- zone files of spacednsd\n.SH DESCRIPTION"
    fresh = 1
}

/^```/ {
    if (!in_block) begin_text()
    print (in_block ? ".EE\n.RE" : ".RS\n.EX")
    in_block = !in_block
    next
}
in_block { print_line(escaped($0)); next }
/^# / { next }
/^## / { print ".SH " toupper(escaped(substr($0, 4))); fresh = 1; gap = 0; next }
/^### / { print ".SS " escaped(substr($0, 5)); fresh = 1; gap = 0; next }
/^\| ---/ { next }
/^\|/ {
    read_cells()
    if (!in_table) {
        for (i = 1; i <= cells; i++) title[i] = cell[i]
        in_table = 1
    } else {
        print_row()
    }
    next
}
{ in_table = 0 }
/^$/ { gap = 1; next }
/^\* / { print ".IP \\(bu 2"; gap = fresh = 0; print_line(marked(substr($0, 3))); next }
{
    begin_text()
    sub(/^  /, "")
    print_line(marked($0))
}

END { print ".SH SEE ALSO\n.BR spacedns (1),\n.BR spacednsd (8)" }
