/**
 * Queries as they come, newest first, each with its reason.
 *
 * The server filters. Rows are added in batches, as a name asked a thousand times a second must not
 * hold the browser up, and the oldest go beyond SHOWN_MOST. While it pauses, the newest are kept to
 * be shown later. A tab that nobody sees gives its place at the server (8 in all) to others.
 */

import { follow, Lost, Refused, TokenWanted } from "./client.js";
import { byId, code, countText, element, link, mark, numberText, show, table, tableRow } from "./dom.js";

const SHOWN_MOST = 200;
const KEPT_FIRST = 100; // asked of the server, which keeps more
const BATCH_MS = 250;
const AGAIN_MS = 2000;
const filters = ["app", "space", "client", "reason", "failed"];

// ---- rows ----

function queryTime(query) {
    return element("time", { datetime: query.time }, query.time.slice(11, 19));
}

function question(query) {
    const pairs = { name: query.host ?? ".", from: query.fwd, type: query.qtype ?? "A" };

    return [link("explain", pairs, query.host ?? "(no name)"), " ", query.qtype ?? ""];
}

function whose(query) {
    return query.app
        ? link(`apps/${query.app}`, { space: query.space ?? "" }, query.app)
        : query.upstream
          ? ["upstream ", code(query.upstream)]
          : "–";
}

function resultOf(query) {
    const kind = query.at === "error" ? "bad" : "good";

    return mark(
        kind,
        query.status ?? "–",
        query.code ? [" ", element("span", { class: "why" }, `${query.code} ${query.desc}`)] : "",
    );
}

const columns = [
    { label: "Time, UTC", kind: "when", of: queryTime },
    { label: "Name and type", isHead: true, kind: "name what", of: question },
    { label: "Client", kind: "who", of: (query) => [code(query.fwd), " ", query.class ?? ""] },
    { label: "App", kind: "name whose", of: whose },
    { label: "Result", kind: "result", of: resultOf },
    { label: "Took", kind: "number took", of: (query) => query.service ?? "" },
];

// ---- the list ----

const list = {
    waiting: [], // come, but not shown yet; oldest first
    dropped: 0, // lost on the way, as said by the server, or pushed out unseen
    isPaused: false,
    isOpen: false,
    timer: null,
    stream: null, // AbortController of the request
    filter: "",
    newest: "", // time of the newest that came
    seen: "", // the newest before the stream broke: what the server sends again is not shown again
};

function stateText() {
    const dropped =
        list.dropped > 0 ? ` ${countText(list.dropped, "query", "queries")} came too fast to be shown.` : "";

    if (list.isPaused) return ["Paused; ", `${numberText(list.waiting.length)} came since.`, dropped];
    return [list.isOpen ? "Live." : "Not connected; trying again.", dropped];
}

function showState() {
    show(
        byId("queries-state"),
        list.isOpen && !list.isPaused ? mark("good", stateText()) : mark("look", stateText()),
    );
}

function bodyOfTable() {
    if (byId("queries-found").querySelector("tbody") === null)
        byId("queries-found").replaceChildren(
            table({
                caption: "Newest first; a name leads to its explanation",
                kind: "log",
                columns,
                rows: [],
            }),
        );
    return byId("queries-found").querySelector("tbody");
}

/* Rows that stand are left as they are, so that focus and selection stay. */
function showWaiting() {
    list.timer = null;
    if (!list.isPaused && list.waiting.length > 0) {
        const body = bodyOfTable();
        const rows = list.waiting
            .splice(0)
            .reverse()
            .map((query) => tableRow(columns, query));
        body.prepend(...rows);
        while (body.rows.length > SHOWN_MOST) body.lastElementChild.remove();
    }
    showState();
}

function showSoon() {
    list.timer ??= setTimeout(showWaiting, BATCH_MS);
}

function takeQuery(query) {
    if (query.time <= list.seen) return;
    list.newest = query.time;
    list.waiting.push(query);
}

function takeEvent({ name, data }) {
    if (name === "query") takeQuery(data);
    else if (name === "dropped") list.dropped += data.count;
    while (list.waiting.length > SHOWN_MOST) {
        list.waiting.shift();
        list.dropped += list.isPaused ? 0 : 1;
    }
    showSoon();
}

// ---- the stream ----

function clear() {
    clearTimeout(list.timer);
    Object.assign(list, { waiting: [], dropped: 0, timer: null, newest: "", seen: "" });
    byId("queries-found").replaceChildren(element("p", { class: "empty" }, "No query yet that fits."));
}

function open() {
    list.seen = list.newest;
    list.isOpen = true;
    showState();
}

async function followOnce(pairs, stream, trouble) {
    const onOpen = () => {
        open();
        trouble(null);
    };

    try {
        await follow(
            "api/v1/queries",
            { ...pairs, n: KEPT_FIRST },
            { signal: stream.signal, onOpen, onEvent: takeEvent },
        );
    } catch (error) {
        if (!(error instanceof Lost || error instanceof Refused || error instanceof TokenWanted)) throw error;
        trouble(error);
    }
    list.isOpen = false;
}

async function followOn(pairs, stream, trouble) {
    while (!stream.signal.aborted) {
        await followOnce(pairs, stream, trouble);
        if (stream.signal.aborted) return;
        showState();
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
}

function stop() {
    list.stream?.abort();
    Object.assign(list, { stream: null, isOpen: false });
}

function start(route, trouble) {
    const pairs = Object.fromEntries(filters.map((name) => [name, route.query.get(name)]));
    const filter = JSON.stringify(pairs);

    if (list.stream !== null && list.filter === filter) return;
    stop();
    if (list.filter !== filter) clear();
    list.stream = new AbortController();
    list.filter = filter;
    followOn(pairs, list.stream, trouble);
}

function setPause(isPaused) {
    list.isPaused = isPaused;
    byId("queries-pause").setAttribute("aria-pressed", String(isPaused));
    showWaiting();
}

/** Once, at the start. */
export function listenToPause() {
    byId("queries-pause").addEventListener("click", () => setPause(!list.isPaused));
}

export const queries = {
    id: "queries",
    title: () => "Queries",
    isStill: true, // it has a stream of its own

    enter(route, trouble) {
        start(route, trouble);
        showState();
    },

    sleep: stop,
    wake: start,

    leave() {
        stop();
        list.filter = "";
    },

    load: () => null,
    show() {},
};
