/**
 * Why a client gets what it gets for a name: the steps as `spacedns explain` prints them. The question is
 * in the address, so that an explanation can be sent to others as a link.
 */

import { read, Refused } from "./client.js";
import { byId, element, mark, numberText, show } from "./dom.js";

const fields = ["name", "from", "type", "to"];
const NAME_MOST = 1024; // characters; a name with every octet escaped has fewer

function verdictOf(decision) {
    const what = `${decision.name} ${decision.type} from ${decision.from} (${decision.class})`;

    if (decision.forwarded) return mark("good", `${what}: forwarded to an upstream`);
    return mark(
        decision.data ? "good" : "bad",
        `${what}: ${decision.rcode}${decision.data ? " with data" : " without data"}`,
    );
}

function reasonOf(reason) {
    return element(
        "p",
        { class: "reason" },
        element("strong", {}, `${reason.code} ${reason.description}. `),
        `What to do: ${reason.remedy}.`,
    );
}

/* A step is "key=value …": the first key stands out, so that the eye finds the step it looks for. */
function stepOf(step) {
    const [, key, rest] = /^([a-z_]+)=(.*)$/s.exec(step) ?? [null, "", step];

    return element("li", {}, key === "" ? "" : element("span", { class: "key" }, `${key}=`), rest);
}

/* It would not even fit in a request. */
function refuseLong(name) {
    const length = numberText(name.length);

    if (name.length > NAME_MOST)
        throw new Refused(
            `A name has at most 255 octets, and this text has ${length} characters; write one as api.example.com.`,
        );
}

export const explain = {
    id: "explain",
    title: () => "Explain",
    isStill: true, // asked once, not again and again

    load(route) {
        if (!route.query.get("name") || !route.query.get("from")) return null;
        refuseLong(route.query.get("name"));
        return read(
            "api/v1/explain",
            Object.fromEntries(fields.map((field) => [field, route.query.get(field)])),
        );
    },

    show(decision) {
        if (decision === null) {
            show(byId("explained"), "");
            return;
        }
        show(
            byId("explained"),
            element("p", { class: "verdict" }, verdictOf(decision)),
            decision.reason === null ? "" : reasonOf(decision.reason),
            element("ol", { class: "steps" }, decision.steps.map(stepOf)),
        );
    },

    fail: () => show(byId("explained"), ""),
};
