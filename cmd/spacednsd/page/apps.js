/**
 * The apps, a part of them at a time, and one of them: dynos, domains, who uses it.
 */

import { read } from "./client.js";
import { minutesLine, partyText } from "./chart.js";
import { byId, code, countText, element, facts, link, mark, numberText, show, table, time } from "./dom.js";

const PAGE = 50;

// ---- all ----

function routingMark(app) {
    return app.internal_routing ? mark("good", "internal") : mark("idle", "public");
}

function webMark(app) {
    if (app.web_dynos_up > 0) return mark("good", numberText(app.web_dynos_up));
    return mark(app.internal_routing ? "bad" : "idle", "none");
}

function nameAndSpace(app) {
    return [
        link(`apps/${app.name}`, { space: app.space }, app.name),
        element("span", { class: "below" }, " in ", link(`spaces/${app.space}`, {}, app.space)),
    ];
}

const columns = [
    { label: "App and space", isHead: true, kind: "name", of: nameAndSpace },
    { label: "Routing", of: routingMark },
    { label: "Web dynos up", of: webMark },
    { label: "Dynos", kind: "number", of: (app) => numberText(app.dynos) },
    { label: "Asked, last minute", kind: "number", of: (app) => numberText(app.asked_last_minute) },
    {
        label: "Asked, last hour",
        kind: "minutes",
        of: (app) => minutesLine(app.asked_by_minute, `${app.name} asked`),
    },
];

/* The server counts all, but not those that fit. */
function captionOf({ apps: rows, next }, query, all) {
    const isChosen = query.get("space") || query.get("contains");
    const isWhole = next === null && !query.get("after");
    const which = isChosen ? " that fit" : isWhole ? "" : ` of ${numberText(all)}`;

    return isWhole
        ? countText(rows.length, "app")
        : `${query.get("after") ? "Next" : "First"} ${numberText(rows.length)}${which}, by space and name`;
}

function pages({ next }, query) {
    const pairs = { contains: query.get("contains") ?? "", space: query.get("space") ?? "" };

    return element(
        "nav",
        { class: "pages", "aria-label": "Pages" },
        query.get("after") ? link("apps", pairs, "First") : "",
        " ",
        next !== null ? link("apps", { ...pairs, after: next }, "Next") : "",
    );
}

export const apps = {
    id: "apps",
    title: () => "Apps",

    load: ({ query }) =>
        read("api/v1/apps", {
            limit: PAGE,
            space: query.get("space"),
            contains: query.get("contains"),
            after: query.get("after"),
        }),

    show(data, { query }, server) {
        show(
            byId("apps-found"),
            table({
                caption: captionOf(data, query, server.status.apps),
                columns,
                rows: data.apps,
                keyOfRow: (app) => `${app.space}/${app.name}`,
                empty: "No app has that.",
            }),
            data.next !== null || query.get("after") ? pages(data, query) : "",
        );
    },
};

// ---- one ----

function appFacts(app) {
    return element(
        "dl",
        { class: "facts" },
        facts([
            ["Space", link(`spaces/${app.space}`, {}, app.space)],
            ["Routing", routingMark(app)],
            ["Web dynos up", webMark(app)],
            ["Asked, last minute", numberText(app.asked_last_minute)],
            ["Asked, last hour", minutesLine(app.asked_by_minute, "Asked")],
            [
                "Live",
                link("queries", { app: app.name }, "its queries"),
                ", ",
                link("queries", { app: app.name, failed: 1 }, "those that fail"),
            ],
        ]),
    );
}

const dynoMarks = { up: "good", starting: "look", crashed: "bad" };

function formationTable(formation) {
    const dynos = formation.flatMap(({ type, dynos: all }) =>
        all.map((dyno) => ({ ...dyno, name: `${type}.${dyno.number}` })),
    );

    return table({
        caption: "Dynos of all process types",
        isCaptionUnseen: true,
        rows: dynos,
        keyOfRow: (dyno) => dyno.name,
        empty: "None is declared.",
        columns: [
            { label: "Dyno", isHead: true, kind: "name", of: (dyno) => dyno.name },
            { label: "State", of: (dyno) => mark(dynoMarks[dyno.state] ?? "idle", dyno.state) },
            { label: "Address", of: (dyno) => (dyno.private_ip ? code(dyno.private_ip) : "–") },
        ],
    });
}

function domainsTable(domains) {
    return table({
        caption: "Domains, the initial one first",
        isCaptionUnseen: true,
        rows: domains,
        keyOfRow: (domain) => domain.hostname,
        empty: "It has none.",
        columns: [
            { label: "Domain", isHead: true, kind: "name", of: (domain) => code(domain.hostname) },
            { label: "DNS target", kind: "name", of: (domain) => (domain.cname ? code(domain.cname) : "–") },
        ],
    });
}

function outcome(label, key) {
    return {
        label,
        kind: "number",
        of: (use) =>
            key === "failed" && use[key] > 0 ? mark("bad", numberText(use[key])) : numberText(use[key] ?? 0),
    };
}

function usedByTable(usedBy) {
    return table({
        caption: "Who asked for it, and how that ended",
        isCaptionUnseen: true,
        rows: usedBy,
        keyOfRow: (use) => JSON.stringify([use.kind, use.space, use.name]),
        empty: "Nobody has asked for it since counting began.",
        columns: [
            { label: "Who", isHead: true, kind: "name", of: partyText },
            outcome("Answered", "answered"),
            outcome("Empty", "empty"),
            outcome("Refused", "refused"),
            outcome("Failed", "failed"),
            { label: "First, UTC", of: (use) => time(use.first) },
            { label: "Last, UTC", of: (use) => time(use.last) },
        ],
    });
}

export const app = {
    id: "app",
    title: (route) => `App ${route.item}`,
    load: (route) =>
        read(`api/v1/apps/${encodeURIComponent(route.item)}`, { space: route.query.get("space") }),

    show(one) {
        byId("app-heading").textContent = `App ${one.name}`;
        show(byId("app-facts"), appFacts(one));
        show(byId("formation"), formationTable(one.formation));
        show(byId("domains"), domainsTable(one.domains));
        show(byId("used-by"), usedByTable(one.used_by));
    },
};
