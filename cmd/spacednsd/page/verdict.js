/**
 * Is it well? What is not, in sentences, worst first.
 */

import { trendOf } from "./chart.js";
import { countText, link } from "./dom.js";

const GROWN = ["new", "growing"];

/** Whether it is a reason to look. */
export function hasGrown(reason) {
    return GROWN.includes(trendOf(reason.by_minute));
}

/** The state of an upstream is the worst that any worker sees. */
export function upstreamState(upstream) {
    const order = ["untried", "up", "no reply yet", "in doubt", "failing"];

    return upstream.workers.reduce(
        (worst, { state }) => (order.indexOf(state) > order.indexOf(worst) ? state : worst),
        "untried",
    );
}

function workerProblems(status) {
    return status.silent_workers.map((number) => [
        "bad",
        `Worker ${number} does not answer: its queries wait. If it stays, restart the server: spacedns upgrade.`,
    ]);
}

function upstreamProblems(status) {
    return status.upstreams
        .map((upstream) => [upstream.upstream, upstreamState(upstream)])
        .filter(([, state]) => state === "failing" || state === "in doubt")
        .map(([name, state]) => [
            "look",
            `Upstream ${name} is ${state}. Names of spaces are answered without it.`,
        ]);
}

function keepingProblems(status) {
    return [
        status.registry?.problem,
        status.registry?.login_problem,
        status.registry?.certificate_problem,
        status.registry?.old,
        status.state?.problem,
        status.upgrade_problem,
    ]
        .filter((problem) => problem)
        .map((problem) => ["look", problem])
        .concat(
            status.devices
                .filter((device) => !device.has_interface)
                .map((device) => [
                    "look",
                    `There is no network interface ${device.name}: clients of its connections are outside.`,
                ]),
        );
}

function reasonProblems(reasons) {
    return reasons
        .filter(hasGrown)
        .map((reason) => [
            "look",
            `${reason.reason} ${trendOf(reason.by_minute) === "new" ? "is new" : "grows"}: ${reason.text}. `,
            link("queries", { reason: reason.reason }, "Who asks?"),
        ]);
}

/** What is not well, worst first: [kind, sentence, link or nothing]. */
export function problemsOf({ status, unready }, reasons = []) {
    return [
        ...unready.map((line) => ["bad", `Not ready: ${line}`]),
        ...workerProblems(status),
        ...upstreamProblems(status),
        ...keepingProblems(status),
        ...reasonProblems(reasons),
    ];
}

/** "All is well", "Not well: 1 problem, 2 things to look at". */
export function verdictText(problems) {
    const bad = problems.filter(([kind]) => kind === "bad").length;
    const more = problems.length - bad;

    if (problems.length === 0) return "All is well";
    return (
        (bad > 0 ? `Not well: ${countText(bad, "problem")}` : "Serving") +
        (more > 0 ? `, ${countText(more, "thing")} to look at` : "")
    );
}
