/**
 * Asks the server: JSON, readiness, and streams of queries.
 *
 * Every failure is one of three: the server does not answer (Lost), it wants a token (TokenWanted), or
 * it refuses with a sentence (Refused). Addresses are relative to the page, which may stand behind a
 * proxy below some path.
 */

const PATIENCE_MS = 5000; // a worker that stands still delays the server by less
const EVENT_MOST = 65536; // characters of one event; the longest line of the log has 10,000
const TOKEN = "spacedns-token";

export class Lost extends Error {}
export class TokenWanted extends Error {}
export class Refused extends Error {}

// ---- the token ----

export function hasToken() {
    return sessionStorage.getItem(TOKEN) !== null;
}

export function keepToken(token) {
    sessionStorage.setItem(TOKEN, token);
}

export function forgetToken() {
    sessionStorage.removeItem(TOKEN);
}

function headersFor(accepted) {
    const headers = { Accept: accepted };
    const token = sessionStorage.getItem(TOKEN);

    if (token !== null) headers.Authorization = `Bearer ${token}`;
    return headers;
}

// ---- requests ----

/** "api/v1/explain?name=…" of a path and pairs; empty values are left out. */
export function addressOf(path, pairs = {}) {
    const given = Object.entries(pairs).filter(
        ([, value]) => value !== null && value !== undefined && value !== "",
    );
    const query = new URLSearchParams(given).toString();

    return query === "" ? path : `${path}?${query}`;
}

async function send(address, accepted, signal) {
    const url = new URL(address, document.baseURI);

    try {
        return await fetch(url, {
            headers: headersFor(accepted),
            cache: "no-store",
            redirect: "error",
            credentials: "omit",
            signal,
        });
    } catch (cause) {
        throw new Lost("the server does not answer", { cause });
    }
}

/** Reads the whole text; a connection that breaks meanwhile is Lost, too. */
async function textOf(response) {
    try {
        return await response.text();
    } catch (cause) {
        throw new Lost("the server stopped in the middle of its answer", { cause });
    }
}

function refusalIn(text, status) {
    try {
        return JSON.parse(text).error;
    } catch {
        return `the server refuses this with status ${status}`;
    }
}

async function refuse(response) {
    const sentence = refusalIn(await textOf(response), response.status);

    throw response.status === 401 ? new TokenWanted(sentence) : new Refused(sentence);
}

/** Returns the object at an address. */
export async function read(path, pairs) {
    const response = await send(addressOf(path, pairs), "application/json", AbortSignal.timeout(PATIENCE_MS));

    if (!response.ok) await refuse(response);
    const text = await textOf(response);
    try {
        return JSON.parse(text);
    } catch (cause) {
        throw new Lost("the server's answer was cut", { cause });
    }
}

/** Returns what keeps the server from being ready, a line each; none: it is ready. */
export async function readUnready() {
    const response = await send("readyz", "text/plain", AbortSignal.timeout(PATIENCE_MS));

    if (response.status === 401) await refuse(response);
    const text = await textOf(response);
    return response.ok ? [] : text.split("\n").filter((line) => line !== "");
}

// ---- streams ----

/** One event of text/event-stream as {name, data}; null: a comment, or nothing. */
function eventIn(block) {
    const event = { name: "message", data: [] };

    for (const line of block.split("\n")) {
        if (line.startsWith("event:")) event.name = line.slice(6).trim();
        else if (line.startsWith("data:")) event.data.push(line.slice(5).trimStart());
    }
    return event.data.length === 0 ? null : { name: event.name, data: JSON.parse(event.data.join("\n")) };
}

/** Calls for each whole event in the text, and returns what is left of it. */
function takeEvents(text, onEvent) {
    const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
    const rest = blocks.pop();

    for (const event of blocks.map(eventIn)) if (event !== null) onEvent(event);
    if (rest.length > EVENT_MOST) throw new Lost("the server sent an event without an end");
    return rest;
}

async function readEvents(body, onEvent) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";

    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        text = takeEvents(text + value, onEvent);
    }
}

/**
 * Calls onOpen once, then onEvent with {name, data} for each event. Returns when the signal ends it;
 * throws when the server does. fetch instead of EventSource, which can send no token.
 */
export async function follow(path, pairs, { signal, onOpen, onEvent }) {
    try {
        const response = await send(addressOf(path, pairs), "text/event-stream", signal);
        if (!response.ok) await refuse(response);
        onOpen();
        await readEvents(response.body, onEvent);
    } catch (error) {
        if (signal.aborted) return;
        throw error instanceof TypeError || error instanceof SyntaxError
            ? new Lost("the stream broke", { cause: error })
            : error;
    }
    throw new Lost("the server ended the stream");
}
