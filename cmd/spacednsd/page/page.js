/**
 * The page: which view is shown, what is read when, and what is said when the server is gone.
 *
 *     address #/… ──► enter ──► load ──► show ──┐
 *                                 ▲             │ every few seconds, while the tab is seen
 *                                 └─────────────┘
 *
 * A view is {id, title(route), load(route, server), show(data, route, server)} and, if it wants them,
 * enter(route, trouble), leave(), sleep() and wake(route, trouble) with the tab, fail(), isStill: asked
 * once, not again and again. Everything shown is of one moment: its time stands at the top, and when the
 * server does not answer, so does that.
 */

import { forgetToken, hasToken, keepToken, Lost, read, readUnready, Refused, TokenWanted } from "./client.js";
import { app, apps } from "./apps.js";
import { agoText, byId, clockText, show } from "./dom.js";
import { explain } from "./explain.js";
import { overview, reloads } from "./overview.js";
import { listenToPause, queries } from "./queries.js";
import { space, spaces } from "./spaces.js";
import { problemsOf, verdictText } from "./verdict.js";

const TICK_MS = 2000; // how soon it is seen that the server is gone
const HIDDEN_MS = 30000; // in a tab that nobody sees
const VIEW_TICKS = 2; // the views change less than that
const TYPING_MS = 250;

const views = { "": overview, spaces, apps, queries, explain, reloads };
const ones = { spaces: space, apps: app }; // of one item
const typed = ["spaces", "apps"]; // search while one types

const page = {
    route: null,
    view: null,
    server: null, // {status, unready}, as last read
    goodAt: null, // when that was
    isLost: false,
    wantsToken: false,
    ticks: 0,
    isShown: false, // the view has its data
    timer: null,
    verdict: "",
};

// ---- addresses ----

/** "#/apps/calm-bay-1?space=blue" as {name, item, query}; null: another's, as of the skip link. */
function routeOf(hash) {
    if (hash !== "" && !hash.startsWith("#/")) return null;
    const [path, query] = hash.slice(2).split("?", 2);
    const [name, ...rest] = path.split("/");

    return { name, item: safelyDecoded(rest.join("/")), query: new URLSearchParams(query ?? "") };
}

function safelyDecoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

function viewOf(route) {
    return (route.item !== "" && ones[route.name]) || views[route.name] || overview;
}

// ---- what is said at the top ----

function hostText() {
    return location.host || "the server";
}

function showPulse() {
    const at = page.goodAt === null ? "" : `${clockText(page.goodAt)} UTC`;

    byId("pulse").textContent = page.isLost
        ? `No answer${at === "" ? "" : ` since ${at}`}`
        : at === ""
          ? ""
          : `Live, ${at}`;
    document.body.classList.toggle("lost", page.isLost);
    document.title = titleText();
}

function titleText() {
    const title = `${page.view.title(page.route)} · spacedns`;

    if (page.isLost) return `No answer · ${title}`;
    return page.verdict === "" || page.verdict === verdictText([]) ? title : `${page.verdict} · ${title}`;
}

function lostText() {
    return page.goodAt === null
        ? `${hostText()} does not answer. Is the server running? This page asks again every ${TICK_MS / 1000} s.`
        : `${hostText()} does not answer. What is shown is of ${clockText(page.goodAt)} UTC; ` +
              `this page asks again every ${TICK_MS / 1000} s and goes on by itself.`;
}

function showNotice() {
    show(byId("notice"), page.isLost ? lostText() : "");
}

/* Only a verdict that changes is announced. */
function announce(verdict) {
    if (page.verdict !== "" && page.verdict !== verdict) byId("announcement").textContent = verdict;
    page.verdict = verdict;
}

// ---- trouble ----

function setLost(isLost) {
    if (page.isLost && !isLost) byId("announcement").textContent = "The server answers again.";
    page.isLost = isLost;
    showPulse();
    showNotice();
}

function setToken(isWanted, sentence = "") {
    page.wantsToken = isWanted;
    byId("token-problem").textContent = isWanted && hasToken() ? sentence : "";
    byId("token-forget").hidden = !hasToken();
    showView();
    if (isWanted && document.activeElement !== byId("token-text")) byId("token-text").focus();
}

function acceptToken() {
    setToken(false);
    byId(page.view.id).querySelector("h1").focus();
}

/** What a view or a refresh could not do: said where it belongs. */
function trouble(error) {
    if (error instanceof Lost) {
        setLost(true);
    } else if (error instanceof TokenWanted) {
        setToken(true, error.message);
    } else if (error instanceof Refused) {
        byId("view-problem").textContent = error.message;
        page.view.fail?.();
    } else {
        throw error;
    }
}

/* A stream may end alone, as when the server is replaced: whether it answers is asked at once.
   null: it is well again. */
function streamTrouble(error) {
    if (error === null) byId("view-problem").textContent = "";
    else if (error instanceof Lost) refreshNow();
    else trouble(error);
}

async function attempt(work) {
    try {
        await work();
        return true;
    } catch (error) {
        trouble(error);
        return false;
    }
}

// ---- reading ----

async function readServer() {
    const [status, unready] = await Promise.all([read("api/v1/status"), readUnready()]);

    const isOther = page.server !== null && page.server.status.version !== status.version;
    if (isOther) location.reload(); // the page is of the version before
    page.server = { status, unready };
    page.goodAt = new Date();
    byId("version").textContent = `spacedns ${status.version}, up for ${agoText(status.uptime_seconds)}`;
    announce(verdictText(problemsOf(page.server)));
    setLost(false);
    if (page.wantsToken) acceptToken();
}

/* The view may have changed while its data were on their way. */
async function readView() {
    const { view, route } = page;
    const data = await view.load(route, page.server);

    if (page.route !== route) return;
    byId("view-problem").textContent = "";
    view.show(data, route, page.server);
}

function isViewDue() {
    return !page.isShown || (!page.view.isStill && page.ticks % VIEW_TICKS === 0);
}

async function refresh() {
    const isGood = await attempt(readServer);

    if (isGood && isViewDue()) await attempt(readView);
    page.ticks++;
}

/* One timer, so that refreshes never overlap. */
async function tick() {
    clearTimeout(page.timer);
    page.timer = null;
    await refresh();
    clearTimeout(page.timer);
    page.timer = setTimeout(tick, document.hidden ? HIDDEN_MS : TICK_MS);
}

function refreshNow() {
    page.ticks = 0;
    if (page.timer !== null) tick();
}

// ---- views ----

function showView() {
    const shown = page.wantsToken ? "token" : page.view.id;

    for (const section of document.querySelectorAll(".view")) section.hidden = section.id !== shown;
    for (const anchor of byId("views").querySelectorAll("a")) {
        const isOurs = routeOf(anchor.hash).name === page.route.name;
        isOurs ? anchor.setAttribute("aria-current", "page") : anchor.removeAttribute("aria-current");
    }
    showPulse();
}

/* What the address asks for stands in the form, but for a field in which somebody types just now. */
function fillForm() {
    for (const input of document.querySelectorAll(`#${page.view.id}-form input`)) {
        const value = page.route.query.get(input.name) ?? "";
        if (input.type === "checkbox") input.checked = value === input.value;
        else if (input !== document.activeElement || !typed.includes(page.view.id)) input.value = value;
    }
}

/* Whether it begins elsewhere: in another view, of another item, at another part of a list. */
function isMoved(from, to) {
    const partOf = (route) =>
        JSON.stringify([viewOf(route).id, route.item, route.query.get("after"), route.query.get("from")]);

    return from !== null && partOf(from) !== partOf(to);
}

/* The focus goes along, unless somebody types. */
function focusHeading() {
    if (!(document.activeElement instanceof HTMLInputElement)) byId(page.view.id).querySelector("h1").focus();
}

function enter(route) {
    const hasMoved = isMoved(page.route, route);

    if (page.view !== viewOf(route)) page.view?.leave?.();
    page.route = route;
    page.view = viewOf(route);
    page.isShown = false;
    byId("view-problem").textContent = "";
    showView();
    fillForm();
    page.view.enter?.(route, streamTrouble);
    if (hasMoved) focusHeading();
}

async function navigate() {
    const route = routeOf(location.hash);

    if (route === null && page.view !== null) return;
    enter(route ?? routeOf(""));
    if (page.server === null) refreshNow();
    else if (!page.wantsToken) await attempt(readView);
}

// ---- forms and buttons ----

function addressOfForm(form) {
    const pairs = [...new FormData(form)]
        .filter(([, value]) => value !== "")
        .map(([name, value]) => [name, value.trim()]);
    const query = new URLSearchParams(pairs).toString();

    return `#/${form.id.replace("-form", "")}${query === "" ? "" : `?${query}`}`;
}

/* The same once more is asked anew. */
function submit(form) {
    if (location.hash === addressOfForm(form)) navigate();
    else location.hash = addressOfForm(form);
}

function listenToForm(form) {
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        submit(form);
    });
}

/* Searching while one types leaves one entry in the browser's history, not one for each letter. */
function listenToTyping(form) {
    let timer = null;

    form.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
            history.replaceState(null, "", addressOfForm(form));
            navigate();
        }, TYPING_MS);
    });
}

function useToken(event) {
    event.preventDefault();
    keepToken(byId("token-text").value.trim());
    byId("token-text").value = "";
    refreshNow();
}

function dropToken() {
    forgetToken();
    page.server = null;
    refreshNow();
}

function skip(event) {
    event.preventDefault();
    byId("main").focus();
}

/* A tab that is not seen gives its stream back; what it shows then is read anew. */
function onVisibility() {
    if (document.hidden) {
        page.view.sleep?.();
        return;
    }
    page.view.wake?.(page.route, streamTrouble);
    refreshNow();
}

function listen() {
    ["spaces", "apps", "queries", "explain"].forEach((name) => listenToForm(byId(`${name}-form`)));
    typed.forEach((name) => listenToTyping(byId(`${name}-form`)));
    listenToPause();
    byId("token-form").addEventListener("submit", useToken);
    byId("token-forget").addEventListener("click", dropToken);
    byId("skip").addEventListener("click", skip);
    addEventListener("hashchange", navigate);
    document.addEventListener("visibilitychange", onVisibility);
}

listen();
await navigate();
tick();
