/**
 * The first glance: is it well, and which failures grew in the last hour?
 */

import { read } from "./client.js";
import { bar, minutesLine, trendOf } from "./chart.js";
import {
    agoText,
    byId,
    code,
    countText,
    element,
    facts,
    link,
    mark,
    numberText,
    show,
    table,
    time,
} from "./dom.js";
import { hasGrown, problemsOf, upstreamState, verdictText } from "./verdict.js";

// ---- facts ----

/** Who caused a reload: "alice", "signal", "uid 1000". */
export function byText(reload) {
    if (reload.user) return reload.user;
    return /^[0-9,]+$/.test(reload.by ?? "") ? `uid ${reload.by}` : reload.by || "the start";
}

function reloadFact(status, reloads) {
    const last = status.last_reload;

    if (last === null) return ["Last reload", "none since the start"];
    const isRefused = last.result === "refused" || last.result === "guarded";
    return [
        "Last reload",
        mark(isRefused ? "bad" : "good", `${last.result} ${agoText(last.seconds_ago)} ago`),
        reloads.length > 0 ? ` by ${byText(reloads[0])}` : "",
    ];
}

function workersFact(status) {
    const answering = status.workers - status.silent_workers.length;

    return [
        "Workers",
        mark(answering === status.workers ? "good" : "bad", `${answering} of ${status.workers} answer`),
    ];
}

function upstreamsFact(status) {
    const failing = status.upstreams.filter((upstream) => upstreamState(upstream) === "failing").length;

    if (status.upstreams.length === 0) return ["Upstreams", mark("idle", "none")];
    return [
        "Upstreams",
        mark(
            failing === 0 ? "good" : "bad",
            failing === 0
                ? `${status.upstreams.length} of ${status.upstreams.length} not failing`
                : `${failing} of ${status.upstreams.length} failing`,
        ),
    ];
}

/* Where the zones come from, when that is no folder. */
function registryFacts({ registry }) {
    if (registry === null) return [];
    const age = registry.age_seconds === null ? "no word yet" : `${agoText(registry.age_seconds)} old`;
    const kept = ["kept", "held", "unready", "taken"]
        .map((kind) => [kind, registry.kept.filter((space) => space.kind === kind).length])
        .filter(([, count]) => count > 0)
        .map(([kind, count]) => `, ${countText(count, "space")} ${kind}`);

    return [
        [
            "Registry",
            mark(
                registry.stale ? "bad" : registry.connected ? "good" : "look",
                registry.stale ? "silent" : registry.connected ? "followed" : "not connected",
            ),
            `, revision ${numberText(registry.in_force)}, ${age}`,
            ...kept,
            ...(registry.certificate_end === null ? [] : [", certificate until ", time(registry.certificate_end)]),
        ],
    ];
}

const US_PER_MS = 1000;

/* "99 % within 0.3 ms" of a latency in microseconds; null: more than is measured. */
function withinText(us) {
    return us === null
        ? "some slower than is measured"
        : `99\u00a0% within ${(us / US_PER_MS).toFixed(us < 10 * US_PER_MS ? 1 : 0)}\u00a0ms`;
}

function queriesFact(top) {
    const local = top.latencies.find(({ source }) => source === "local");

    return [
        "Queries, last minute",
        `${numberText(top.per_second)} a second`,
        local === undefined ? "" : `, ours ${withinText(local.p99_us)}`,
    ];
}

function factsOf({ status, unready }, reloads, top) {
    return facts([
        ["Ready", mark(unready.length === 0 ? "good" : "bad", unready.length === 0 ? "yes" : "no")],
        ["Generation", numberText(status.generation)],
        ...registryFacts(status),
        reloadFact(status, reloads),
        workersFact(status),
        upstreamsFact(status),
        queriesFact(top),
        [
            "Served",
            link("spaces", {}, countText(status.spaces, "space")),
            ", ",
            link("apps", {}, countText(status.apps, "app")),
        ],
    ]);
}

// ---- tables ----

function trendMark(reason) {
    const trend = trendOf(reason.by_minute);

    return hasGrown(reason) ? mark("look", trend) : mark("idle", trend);
}

function reasonsTable(reasons) {
    const most = Math.max(...reasons.map((reason) => reason.last_hour));
    const columns = [
        {
            label: "Reason",
            isHead: true,
            kind: "reason",
            of: (reason) => [
                link("queries", { reason: reason.reason }, reason.reason),
                " ",
                element("span", { class: "text" }, reason.text),
            ],
        },
        {
            label: "Last hour",
            kind: "number counted",
            of: (reason) => [element("span", {}, numberText(reason.last_hour)), bar(reason.last_hour, most)],
        },
        { label: "By minute", kind: "minutes", of: (reason) => minutesLine(reason.by_minute, reason.reason) },
        { label: "Trend", of: trendMark },
    ];

    return table({
        caption: "Reasons that answers gave in the last hour, most frequent first",
        isCaptionUnseen: true,
        kind: "reasons",
        columns,
        rows: reasons,
        keyOfRow: (reason) => `${reason.reason} ${reason.text}`,
        empty: "Every query of the last hour got what it asked for.",
    });
}

const upstreamMarks = { up: "good", failing: "bad", "in doubt": "look", "no reply yet": "look" };

function roundTrip(upstream) {
    const times = upstream.workers.map((worker) => worker.rtt_ms).filter((rtt) => rtt !== undefined);

    return times.length === 0 ? "–" : `${Math.max(...times)}\u00a0ms`;
}

function upstreamsTable(upstreams) {
    const columns = [
        { label: "Upstream", isHead: true, kind: "name", of: (upstream) => code(upstream.upstream) },
        {
            label: "State",
            of: (upstream) => mark(upstreamMarks[upstreamState(upstream)] ?? "idle", upstreamState(upstream)),
        },
        { label: "Round trip", kind: "number", of: roundTrip },
        {
            label: "For names below",
            kind: "name",
            of: (upstream) =>
                upstream.zones
                    .map((zone) => (zone === "." ? "all others" : zone.replace(/\.$/, "")))
                    .join(", "),
        },
    ];

    return table({
        caption: "Upstreams",
        isCaptionUnseen: true,
        columns,
        rows: upstreams,
        keyOfRow: (upstream) => upstream.upstream,
        empty: "None: names outside the spaces are not forwarded.",
    });
}

const reloadMarks = { refused: "bad", guarded: "bad", unchanged: "idle", tried: "idle" };

function commandText(reload) {
    const words = [reload.command, reload.note].filter((text) => text).join(": ");

    return words === "" ? "" : element("span", { class: "below" }, " ", words);
}

/** Reloads, newest first; `isShort` leaves out what a glance does not need. */
export function reloadsTable(reloads, isShort) {
    const columns = [
        { label: "Time, UTC", isHead: true, of: (reload) => time(reload.at) },
        { label: "Result", of: (reload) => mark(reloadMarks[reload.result] ?? "good", reload.result) },
        { label: "By", of: (reload) => [byText(reload), isShort ? "" : commandText(reload)] },
        { label: "Generation", kind: "number", of: (reload) => numberText(reload.generation) },
    ];
    const more = [
        { label: "Took", kind: "number", of: (reload) => `${numberText(reload.duration_ms)}\u00a0ms` },
        { label: "Files changed", kind: "number", of: (reload) => numberText(reload.files_changed) },
        { label: "Cause", kind: "name", of: (reload) => reload.cause ?? "–" },
    ];

    return table({
        caption: "Reloads, newest first",
        isCaptionUnseen: true,
        columns: isShort ? columns : [...columns, ...more],
        rows: reloads,
        keyOfRow: (reload) => `${reload.at} ${reload.result}`,
        empty: "None since the start.",
    });
}

// ---- the views ----

const SHORT = 5;

export const overview = {
    id: "overview",
    title: () => "Overview",

    async load() {
        const [{ reasons }, { reloads }, top] = await Promise.all([
            read("api/v1/reasons"),
            read("api/v1/reloads"),
            read("api/v1/top"),
        ]);
        return {
            reasons: reasons
                .filter((reason) => reason.last_hour > 0)
                .sort((a, b) => b.last_hour - a.last_hour),
            reloads,
            top,
        };
    },

    show({ reasons, reloads, top }, _route, server) {
        const problems = problemsOf(server, reasons);

        byId("verdict").textContent = verdictText(problems);
        show(
            byId("problems"),
            problems.length === 0
                ? ""
                : element(
                      "ul",
                      { class: "problems" },
                      problems.map(([kind, ...words]) => element("li", {}, mark(kind, words))),
                  ),
        );
        show(byId("facts"), factsOf(server, reloads, top));
        show(byId("reasons"), reasonsTable(reasons));
        show(byId("upstreams"), upstreamsTable(server.status.upstreams));
        show(
            byId("last-reloads"),
            reloadsTable(reloads.slice(0, SHORT), true),
            reloads.length > SHORT
                ? element("p", { class: "more" }, link("reloads", {}, `All ${reloads.length}`))
                : "",
        );
    },
};

export const reloads = {
    id: "reloads",
    title: () => "Reloads",
    load: () => read("api/v1/reloads"),
    show: (data) => show(byId("reloads-found"), reloadsTable(data.reloads, false)),
};
