/**
 * The spaces, and one of them: its routers, connections, and who asked whom.
 */

import { read, Refused } from "./client.js";
import { partyText, picture } from "./chart.js";
import { byId, code, countText, element, facts, link, mark, numberText, show, table, time } from "./dom.js";

const PAGE = 50;
const USES_SHOWN = 25; // unless all are wanted
const NARROWEST = 280; // pixels of the picture

// ---- all ----

const upRouters = (space) => space.routers.filter((router) => router.state === "up").length;

function routersText(space) {
    const up = upRouters(space),
        all = space.routers.length;

    if (all === 0) return mark("idle", "none");
    return mark(up === 0 ? "bad" : up < all ? "look" : "good", `${up} of ${all} up`);
}

function connectionsText(space) {
    const open = space.connections.filter((connection) => connection.lets_in).length;

    return space.connections.length === 0 ? "none" : `${open} of ${space.connections.length} let in`;
}

function appsText(space) {
    if (space.unready !== null) return `not ready: ${space.unready}`;
    return `${numberText(space.apps)}, ${numberText(space.internal_apps)} internal`;
}

function spacesTable(spaces, caption) {
    const columns = [
        {
            label: "Space",
            isHead: true,
            kind: "name",
            of: (space) => link(`spaces/${space.name}`, {}, space.name),
        },
        { label: "Address block", of: (space) => (space.cidr === null ? "–" : code(space.cidr)) },
        { label: "Region", of: (space) => space.region ?? "–" },
        { label: "Routers", of: routersText },
        { label: "Peerings, VPNs", of: connectionsText },
        { label: "Apps", of: (space) => link("apps", { space: space.name }, appsText(space)) },
    ];

    return table({
        caption,
        columns,
        rows: spaces,
        keyOfRow: (space) => space.name,
        empty: "No space has that.",
    });
}

function found(spaces, contains) {
    const wanted = contains.trim().toLowerCase();

    return spaces.filter((space) =>
        [space.name, space.cidr ?? "", space.region ?? ""].some((text) => text.includes(wanted)),
    );
}

function pages(from, count, contains) {
    return element(
        "nav",
        { class: "pages", "aria-label": "Pages" },
        from > 0 ? link("spaces", { contains, from: Math.max(0, from - PAGE) }, "Previous") : "",
        " ",
        from + PAGE < count ? link("spaces", { contains, from: from + PAGE }, "Next") : "",
    );
}

/* Spaces change with the generation alone, and there may be 10,000. A new process counts from 1 again. */
const known = { of: "", spaces: [] };

async function spacesOf({ status }) {
    const of = `${status.pid} ${status.generation}`;

    if (known.of !== of) Object.assign(known, { spaces: (await read("api/v1/spaces")).spaces, of });
    return known.spaces;
}

export const spaces = {
    id: "spaces",
    title: () => "Spaces",
    load: (_route, server) => spacesOf(server),

    show(all, route) {
        const contains = route.query.get("contains") ?? "";
        const fitting = found(all, contains);
        const from = Math.min(
            Math.max(0, Number.parseInt(route.query.get("from") ?? "0", 10) || 0),
            Math.max(0, fitting.length - 1),
        );
        const shown = fitting.slice(from, from + PAGE);
        const caption =
            shown.length < fitting.length
                ? `${numberText(from + 1)}–${numberText(from + shown.length)} of ${countText(fitting.length, "space")}`
                : countText(fitting.length, "space");

        show(
            byId("spaces-found"),
            spacesTable(shown, caption),
            shown.length < fitting.length ? pages(from, fitting.length, contains) : "",
        );
    },
};

// ---- one ----

const routerMarks = { up: "good", draining: "look", down: "bad" };

function routersTable(routers) {
    const columns = [
        { label: "Router", isHead: true, of: (router) => code(router.ip) },
        { label: "State", of: (router) => mark(routerMarks[router.state] ?? "idle", router.state) },
        { label: "Zone", of: (router) => router.az ?? "–" },
    ];

    return table({
        caption: "Routers: those that are up are answered",
        columns,
        rows: routers,
        keyOfRow: (router) => router.ip,
        empty: "None is declared.",
    });
}

function connectionsTable(connections) {
    const columns = [
        { label: "Name", isHead: true, kind: "name", of: (connection) => code(connection.name) },
        { label: "Kind", of: (connection) => connection.kind },
        { label: "Status", of: (connection) => connection.status },
        {
            label: "Clients",
            of: (connection) => (connection.lets_in ? mark("good", "inside") : mark("bad", "outside")),
        },
        {
            label: "Address blocks",
            kind: "name",
            of: (connection) => connection.cidrs.map((cidr, i) => [i > 0 ? ", " : "", code(cidr)]),
        },
    ];

    return table({
        caption: "Peerings and VPNs: clients of those that are inside get answers",
        columns,
        rows: connections,
        keyOfRow: (connection) => `${connection.kind} ${connection.name}`,
        empty: "None is declared: only dynos ask.",
    });
}

function usesTable(uses, hidden, space) {
    const columns = [
        { label: "Who", isHead: true, kind: "name", of: (use) => partyText(use.from) },
        { label: "App", kind: "name", of: (use) => link(`apps/${use.app}`, { space }, use.app) },
        { label: "Asked", kind: "number", of: (use) => numberText(use.asked) },
        {
            label: "Failed",
            kind: "number",
            of: (use) => (use.failed > 0 ? mark("bad", numberText(use.failed)) : "0"),
        },
        { label: "Last, UTC", of: (use) => time(use.last) },
    ];
    const caption =
        hidden > 0 ? `Most asked first; ${numberText(hidden)} more are not shown` : "Most asked first";

    return table({
        caption,
        columns,
        rows: uses,
        keyOfRow: (use) => JSON.stringify([use.from, use.app]),
        empty: "Nobody has asked for an app of this space since counting began.",
    });
}

/* The server has 500 at most, and counts those it leaves out. */
function showUses({ uses, left_out: leftOut }, route) {
    const shown = route.query.has("all") ? uses : uses.slice(0, USES_SHOWN);

    show(
        byId("picture"),
        uses.length > 0 ? picture(uses, Math.max(NARROWEST, byId("picture").clientWidth)) : "",
    );
    show(
        byId("uses"),
        usesTable(shown, uses.length - shown.length + leftOut, route.item),
        shown.length < uses.length
            ? element(
                  "p",
                  { class: "more" },
                  link(`spaces/${route.item}`, { all: 1 }, `Show ${numberText(uses.length)}`),
              )
            : "",
    );
}

function spaceFacts(space) {
    return element(
        "dl",
        { class: "facts" },
        facts([
            ["Address block", space.cidr === null ? "–" : code(space.cidr)],
            ["Region", space.region ?? "–"],
            ["Routers", routersText(space)],
            ["Peerings, VPNs", connectionsText(space)],
            ["Apps", link("apps", { space: space.name }, appsText(space))],
            ["Live", link("queries", { space: space.name }, "its queries")],
        ]),
    );
}

export const space = {
    id: "space",
    title: (route) => `Space ${route.item}`,

    async load(route, server) {
        const one = (await spacesOf(server)).find(({ name }) => name === route.item);
        if (one === undefined)
            throw new Refused(
                `There is no space ${route.item} in generation ${server.status.generation}; look at all spaces.`,
            );
        return { space: one, uses: await read("api/v1/uses", { space: route.item }) };
    },

    show({ space: one, uses }, route) {
        byId("space-heading").textContent = `Space ${one.name}`;
        show(byId("space-facts"), spaceFacts(one));
        show(byId("routers"), routersTable(one.routers));
        show(byId("connections"), connectionsTable(one.connections));
        showUses(uses, route);
    },
};
