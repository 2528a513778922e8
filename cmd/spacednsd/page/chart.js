/**
 * Figures as drawings: a line of minutes, a bar, and who asked whom.
 *
 * None stands alone: the number, or a table with the same figures, is beside it.
 */

import { element, numberText, shape } from "./dom.js";

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

// ---- a line of minutes ----

const LINE_HEIGHT = 16;

/** The 60 minutes of an hour, oldest first, as a small filled line. */
export function minutesLine(minutes, what) {
    const most = Math.max(1, ...minutes);
    const steps = minutes.map((count) => `V${(LINE_HEIGHT * (1 - count / most)).toFixed(1)}h1`).join("");
    const label =
        sum(minutes) === 0
            ? `${what} by minute: none in the last hour`
            : `${what} by minute in the last hour: ${numberText(most)} at most, now ${numberText(minutes.at(-1))}`;

    return shape(
        "svg",
        {
            class: "minutes",
            role: "img",
            "aria-label": label,
            viewBox: `0 -1 ${minutes.length} ${LINE_HEIGHT + 2}`,
            preserveAspectRatio: "none",
        },
        shape("path", { class: "base", d: `M0 ${LINE_HEIGHT}h${minutes.length}` }),
        shape("path", { class: "area", d: `M0 ${LINE_HEIGHT}${steps}V${LINE_HEIGHT}Z` }),
    );
}

const RECENT = 10; // minutes
const FEW = 3; // a typo or two is no trend

/** How a count moves, from the last ten minutes and the 50 before: "over", "few", "new", "growing", "steady". */
export function trendOf(minutes) {
    const recent = sum(minutes.slice(-RECENT)),
        before = sum(minutes.slice(0, -RECENT));
    const usual = (before * RECENT) / (minutes.length - RECENT);

    if (recent < FEW) return recent === 0 ? "over" : "few";
    if (before === 0) return "new";
    return recent > 2 * usual ? "growing" : "steady";
}

/** A bar beside its number, relative to the longest. */
export function bar(value, most) {
    return shape(
        "svg",
        { class: "bar", "aria-hidden": "true", viewBox: "0 0 100 1", preserveAspectRatio: "none" },
        shape("rect", {
            width: Math.max(value > 0 ? 1 : 0, (100 * value) / Math.max(most, 1)).toFixed(1),
            height: 1,
        }),
    );
}

// ---- who asked whom ----

const ENDS_MOST = 12; // on each side; the table has the rest
const THICKEST = 18; // pixels of the largest count; others by their square root
const GAP = 12;
const TEXT_HEIGHT = 16;
const LETTER_WIDTH = 7.3; // of the widest letters in common use, at the size that page.css sets
const NAMES_SHARE = 0.36; // of the width, for each side's names
const NAMES_MOST = 260;

/** "app calm-bay-1", "vpn office", "outside". */
export function partyText(party) {
    return party.name ? `${party.kind} ${party.name}` : party.kind;
}

/* Cut in its middle: the ends of names tell them apart. */
function shorten(text, letters) {
    const half = Math.max(2, Math.floor((letters - 1) / 2));

    return text.length <= letters ? text : `${text.slice(0, letters - half - 1)}…${text.slice(-half)}`;
}

/* Those asking or asked most, each with its count. */
function endsOf(uses, textOf) {
    const counts = new Map();

    for (const use of uses) counts.set(textOf(use), (counts.get(textOf(use)) ?? 0) + use.asked);
    return [...counts]
        .sort((a, b) => b[1] - a[1])
        .slice(0, ENDS_MOST)
        .map(([text]) => text);
}

/* One end with its flows stacked: {text, height, flows}; y comes later. */
function stack(text, flows) {
    const height = Math.max(TEXT_HEIGHT, sum(flows.map((flow) => flow.thickness)));

    return { text, height, flows };
}

function heightOf(stacks) {
    return sum(stacks.map((one) => one.height + GAP)) - GAP;
}

/* Gives each flow the middle of its end on this side. */
function place(stacks, top, side) {
    let y = top;

    for (const one of stacks) {
        let at = y + (one.height - sum(one.flows.map((flow) => flow.thickness))) / 2;
        one.middle = y + one.height / 2;
        for (const flow of one.flows) {
            flow[side] = at + flow.thickness / 2;
            at += flow.thickness;
        }
        y += one.height + GAP;
    }
}

function flowsOf(uses, parties, apps) {
    const most = Math.max(1, ...uses.map((use) => use.asked));

    return uses
        .map((use) => ({
            use,
            party: partyText(use.from),
            app: use.app,
            thickness: Math.max(1.5, THICKEST * Math.sqrt(use.asked / most)),
        }))
        .filter((flow) => parties.includes(flow.party) && apps.includes(flow.app));
}

function flowShape(flow, left, right) {
    const middle = (left + right) / 2;
    const from = flow.from.toFixed(1),
        to = flow.to.toFixed(1);
    const d = `M${left} ${from}C${middle} ${from} ${middle} ${to} ${right} ${to}`;

    return [
        shape("path", { class: "flow", d, "stroke-width": flow.thickness.toFixed(1) }),
        flow.use.failed > 0 ? shape("path", { class: "flow failed", d }) : "",
    ];
}

function nameShape(one, x, side, letters) {
    return shape(
        "text",
        { class: side, x, y: one.middle.toFixed(1), "dominant-baseline": "central" },
        shape("title", {}, one.text),
        shorten(one.text, letters),
    );
}

/* Where everything stands, in pixels. */
function layOut(uses, width) {
    const parties = endsOf(uses, (use) => partyText(use.from)),
        apps = endsOf(uses, (use) => use.app);
    const flows = flowsOf(uses, parties, apps);
    const left = parties.map((text) =>
        stack(
            text,
            flows.filter((flow) => flow.party === text),
        ),
    );
    const right = apps.map((text) =>
        stack(
            text,
            flows.filter((flow) => flow.app === text),
        ),
    );
    const height = Math.max(heightOf(left), heightOf(right)) + GAP;

    place(left, (height - heightOf(left)) / 2, "from");
    place(right, (height - heightOf(right)) / 2, "to");
    return { flows, left, right, height, names: Math.min(NAMES_MOST, width * NAMES_SHARE) };
}

/** Parties on the left, apps on the right, between them flows as thick as their counts. */
export function picture(uses, width) {
    const { flows, left, right, height, names } = layOut(uses, width);
    const letters = Math.floor((names - GAP) / LETTER_WIDTH);
    const hidden = uses.length - flows.length;

    return element(
        "figure",
        { class: "picture" },
        shape(
            "svg",
            {
                role: "img",
                "aria-label": "Who asked whom, drawn; the table below has the same figures",
                width,
                height: height.toFixed(0),
                viewBox: `0 0 ${width} ${height.toFixed(0)}`,
            },
            flows.map((flow) => flowShape(flow, names, width - names)),
            left.map((one) => nameShape(one, names - GAP / 2, "left", letters)),
            right.map((one) => nameShape(one, width - names + GAP / 2, "right", letters)),
        ),
        element(
            "figcaption",
            {},
            "Left who asked, right which app; the thicker, the more often. Dashed: some of it failed.",
            hidden > 0 ? ` ${numberText(hidden)} thinner ones are in the table alone.` : "",
        ),
    );
}
