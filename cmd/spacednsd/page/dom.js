/**
 * Elements, tables and words.
 *
 * What the server says becomes text nodes and attributes, never markup. Views are made anew at each
 * refresh and laid over what stands there (`show`), so that focus, selection and scrolling stay.
 * Elements made here have no listeners: those are on the forms and buttons of index.html.
 */

const SVG = "http://www.w3.org/2000/svg";
const MINUTE_S = 60,
    HOUR_S = 3600,
    DAY_S = 86400;

// ---- elements ----

function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes))
        if (value !== null && value !== undefined && value !== false)
            node.setAttribute(name, value === true ? "" : value);
    node.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
}

/** An element of HTML; children are nodes, texts, or lists of them. */
export function element(name, attributes = {}, ...children) {
    return fill(document.createElement(name), attributes, children);
}

/** An element of SVG. */
export function shape(name, attributes = {}, ...children) {
    return fill(document.createElementNS(SVG, name), attributes, children);
}

export function byId(id) {
    return document.getElementById(id);
}

// ---- laying new over old ----

const keyOf = (node) => node.dataset?.key;

function isSameKind(old, wanted) {
    return (
        old.nodeType === wanted.nodeType && old.nodeName === wanted.nodeName && keyOf(old) === keyOf(wanted)
    );
}

function matchAttributes(old, wanted) {
    for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of wanted.attributes)
        if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

function matchNode(old, wanted) {
    if (old.nodeType === Node.TEXT_NODE) {
        if (old.data !== wanted.data) old.data = wanted.data;
        return;
    }
    matchAttributes(old, wanted);
    matchChildren(old, [...wanted.childNodes]);
}

/* A child with a key is found wherever it stands; the others by their place. */
function matchChildren(into, wanted) {
    const keys = new Set(wanted.map(keyOf));
    [...into.children].filter((child) => !keys.has(keyOf(child))).forEach((child) => child.remove());
    const keyed = new Map([...into.children].filter(keyOf).map((child) => [keyOf(child), child]));
    let place = into.firstChild;

    for (const node of wanted) {
        const old = keyOf(node) ? keyed.get(keyOf(node)) : place;
        if (!old || !isSameKind(old, node)) {
            into.insertBefore(node, place);
            continue;
        }
        matchNode(old, node);
        if (old === place) place = place.nextSibling;
        else into.insertBefore(old, place);
    }
    while (place) {
        const gone = place;
        place = place.nextSibling;
        gone.remove();
    }
}

/** Makes these nodes and texts the content of an element. */
export function show(container, ...children) {
    const wanted = element("div", {}, ...children);

    matchChildren(container, [...wanted.childNodes]);
}

// ---- words ----

const numbers = new Intl.NumberFormat("en");

export function numberText(number) {
    return numbers.format(number);
}

/** "1 app", "2,000 apps". */
export function countText(count, one, many = `${one}s`) {
    return `${numberText(count)} ${count === 1 ? one : many}`;
}

/** "12:13:05", with the date in front unless it is today's; in UTC, as in the log. */
export function clockText(date) {
    const text = date.toISOString();
    const today = new Date().toISOString().slice(0, 10);

    return `${text.startsWith(today) ? "" : `${text.slice(0, 10)} `}${text.slice(11, 19)}`;
}

export function agoText(seconds) {
    if (seconds < 2 * MINUTE_S) return `${Math.round(seconds)} s`;
    if (seconds < 2 * HOUR_S) return `${Math.floor(seconds / MINUTE_S)} min`;
    return seconds < 2 * DAY_S ? `${Math.floor(seconds / HOUR_S)} h` : `${Math.floor(seconds / DAY_S)} days`;
}

/** A time of the server, "–" if there is none. */
export function time(text) {
    return text === null || text === undefined
        ? "–"
        : element("time", { datetime: text }, clockText(new Date(text)));
}

/** A name, address or code, as typed. */
export function code(text) {
    return element("code", {}, text);
}

/** A state in words, with a mark that does not need its colour. */
export function mark(kind, ...children) {
    const signs = { good: "✓", look: "!", bad: "✗", idle: "·" };

    return element(
        "span",
        { class: `mark ${kind}` },
        element("span", { class: "sign", "aria-hidden": "true" }, signs[kind]),
        " ",
        children,
    );
}

/** A link to a view: link("apps/calm-bay-1", {space: "blue"}, "calm-bay-1"). */
export function link(view, pairs, ...children) {
    const query = new URLSearchParams(pairs).toString();

    return element("a", { href: `#/${view}${query === "" ? "" : `?${query}`}` }, children);
}

/** Pairs of a description list, as children of a <dl>. */
export function facts(pairs) {
    return pairs.map(([term, ...value]) =>
        element("div", {}, element("dt", {}, term), element("dd", {}, value)),
    );
}

// ---- tables ----

/* Narrow screens lay a row out as a card, which takes its meaning from it: the roles give it back. */
function cell(column, row) {
    const role = column.isHead ? "rowheader" : "cell";

    return element(
        column.isHead ? "th" : "td",
        { role, scope: column.isHead ? "row" : null, class: column.kind, "data-label": column.label },
        element("div", {}, column.of(row)),
    );
}

/** One row of a table, for a table that grows by itself. */
export function tableRow(columns, row, keyOfRow) {
    return element(
        "tr",
        { role: "row", "data-key": keyOfRow ? keyOfRow(row) : null },
        columns.map((column) => cell(column, row)),
    );
}

/**
 * A table. `columns` are {label, of(row), isHead, kind}, where kind is a class: "number", "name";
 * `keyOfRow` gives what identifies a row; `empty` is what to say without rows.
 */
export function table({ caption, isCaptionUnseen, kind, columns, rows, keyOfRow, empty }) {
    if (rows.length === 0 && empty !== undefined) return element("p", { class: "empty" }, empty);
    const heads = columns.map((column) =>
        element("th", { role: "columnheader", scope: "col", class: column.kind }, column.label),
    );

    return element(
        "table",
        { role: "table", class: kind },
        element("caption", { class: isCaptionUnseen ? "unseen" : null }, caption),
        element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, heads)),
        element(
            "tbody",
            { role: "rowgroup" },
            rows.map((row) => tableRow(columns, row, keyOfRow)),
        ),
    );
}
