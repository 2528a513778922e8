"""The page in a browser: page.sh says with what. Prints what fails, then a count.

    page.py --work FOLDER --chromium PROGRAM [--axe FILE] [--shots FOLDER] [--patience S]
"""
import argparse
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE_DIR"], "tests", "support"))
from browser import Browser, Failed  # noqa: E402

DNS_PORT = "5300"
HTTP = "127.0.0.1:9153"
ORIGIN = f"http://{HTTP}/"
DYNO = "10.0.130.56"
SLEEPY = "sleepy-river-2739.herokuapp.com"
MARKUP = "<img src=x onerror=document.title='markup'>"
MANY_APPS = 60
AT_ONCE = 0.4  # of the patience
VIEWS = {
    "overview": "#/",
    "spaces": "#/spaces",
    "space": "#/spaces/test-space",
    "apps": "#/apps",
    "app": "#/apps/frozen-oasis-70544?space=test-space",
    "queries": "#/queries",
    "explain": f"#/explain?name={SLEEPY}&from={DYNO}&type=A",
    "reloads": "#/reloads",
}
FILLED = {  # what is there once a view has its data
    "overview": "#reasons tbody tr",
    "space": "#uses tbody tr",
    "app": "#used-by tbody tr",
    "explain": ".steps li",
}


class Checks:
    def __init__(self):
        self.good = self.bad = 0

    def that(self, what, is_so, detail=""):
        if is_so:
            self.good += 1
            return
        self.bad += 1
        print(f"FAILED: {what}")
        for line in str(detail).splitlines()[:30]:
            print(f"    {line}")

    def same(self, what, wanted, got):
        self.that(what, wanted == got, f"expected: {wanted}\ngot:      {got}")

    def soon(self, what, page, expression, seconds=None):
        self.that(what, page.until(expression, seconds), f"not in time: {expression}\n{page.text('body')}")


class Server:
    """spacednsd, started and ended as the story wants."""

    def __init__(self, options):
        self.options = options
        self.socket = os.path.join(options.work, "control.sock")
        self.zones = os.path.join(options.work, "zones")
        self.process = None

    def start(self, *more):
        flags = ["--zones", self.zones, "--listen", f"127.0.0.1:{DNS_PORT}", "--workers", "2", "--upstream", "none",
                 "--user", subprocess.check_output(["id", "-un"], text=True).strip(), "--log-queries", "none",
                 "--control-socket", self.socket, *(more or ("--http-listen", HTTP))]
        self.log = os.path.join(self.options.work, "server.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", os.environ["SPACEDNSD"], *flags], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=log)
        end = time.monotonic() + self.options.patience
        while " info ready " not in self.text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed("the server does not start:\n" + self.text())
            time.sleep(0.02)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(self.options.patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def command(self, *words):
        return subprocess.check_output([os.environ["SPACEDNS"], *words, "--socket", self.socket], text=True, stderr=subprocess.DEVNULL)

    def ask(self, name, *more, client=DYNO):
        subprocess.run(["dig", "@127.0.0.1", "-p", DNS_PORT, "+tries=1", f"+time={self.options.patience}", "-b", client, name, *more],
                       stdout=subprocess.DEVNULL, check=False)


class Story:
    def __init__(self, options, browser, server):
        self.options = options
        self.browser = browser
        self.server = server
        self.checks = Checks()
        self.page = None

    def view(self, name):
        self.page.value(f"location.hash = {json.dumps(VIEWS[name])}")
        self.checks.soon(f"view {name} is shown", self.page, f"!document.getElementById('{name}').hidden")

    def fill_view(self, name):
        self.view(name)
        self.checks.soon(f"view {name} has its data", self.page, f"document.querySelector('#{name} {FILLED.get(name, 'tbody tr')}')")

    # ---- the first glance ----

    def first_glance(self):
        self.page = self.browser.open(ORIGIN)
        page, checks = self.page, self.checks
        checks.soon("the page says that all is well", page, "document.querySelector('#verdict').textContent === 'All is well'")
        facts = page.text("#facts")
        for fact in "Ready ✓ yes", "Generation 1", "✓ 2 of 2 answer", "2 spaces, 63 apps":
            checks.that(f"a fact: {fact!r}", fact in facts, facts)
        checks.that("it is alive", re.match(r"Live, \d\d:\d\d:\d\d UTC$", page.text("#pulse")), page.text("#pulse"))
        checks.same("nobody asked yet", "Every query of the last hour got what it asked for.", page.text("#reasons"))

    def failures_are_counted(self):
        for _ in range(3):
            self.server.ask(SLEEPY)
        self.checks.soon("a reason that is new", self.page, "/Q10 App crashed.*3.*new/s.test(document.querySelector('#reasons').innerText)")
        self.checks.soon("and a thing to look at", self.page, "document.querySelector('#verdict').textContent === 'Serving, 1 thing to look at'")
        self.checks.soon("they are counted, and how fast they were answered", self.page, "/Queries, last minute\\s*\\d+ a second, ours 99.% within [0-9.]+/s.test(document.querySelector('#facts').innerText)")
        self.checks.that("it is said which", "Q10 is new: App crashed." in self.page.text("#problems"), self.page.text("#problems"))

    def reloads_are_listed(self):
        with open(os.path.join(self.server.zones, "many.yaml"), "a", encoding="utf-8") as zone:
            zone.write("  - name: many-later-1\n")
        self.server.reload()
        who = json.dumps(pwd.getpwuid(os.getuid()).pw_name)
        self.checks.soon("a reload, by whom", self.page, f"/done/.test(document.querySelector('#last-reloads').innerText) && document.querySelector('#last-reloads').innerText.includes({who})")
        self.view("reloads")
        self.checks.soon("it is in the history", self.page, "document.querySelector('#reloads-found tbody').rows.length >= 1")

    # ---- spaces and apps ----

    def spaces(self):
        page, checks = self.page, self.checks
        self.view("spaces")
        checks.soon("the space is listed", page, "/test-space.*10\\.0\\.0\\.0\\/16.*2 of 2 up/s.test(document.querySelector('#spaces-found').innerText)")
        self.view("space")
        checks.soon("its routers", page, "document.querySelectorAll('#routers tbody tr').length === 2")
        connections = page.text("#connections")
        for line in r"pcx-111aaa111.*active.*inside", r"pcx-222bbb222.*pending-acceptance.*outside", r"office.*inside", r"branch.*failed.*outside":
            checks.that(f"a connection: {line}", re.search(line, connections), connections)

    def who_asked_whom(self):
        page, checks = self.page, self.checks
        self.server.ask("frozen-oasis-70544.herokuapp.com", client="10.0.132.9")
        self.server.ask("frozen-oasis-70544.herokuapp.com", client="10.20.3.4")
        checks.soon("who asked is in the table", page, "/peering pcx-111aaa111/.test(document.querySelector('#uses').innerText) && /app open-plain-1001/.test(document.querySelector('#uses').innerText)", 20)
        rows = page.value("[...document.querySelectorAll('#uses tbody tr')].length")
        checks.same("the picture has a flow for each row", rows, page.value("document.querySelectorAll('#picture .flow:not(.failed)').length"))
        checks.that("and both ends", {"app open-plain-1001", "peering pcx-111aaa111"} <= set(page.value("[...document.querySelectorAll('#picture title')].map((title) => title.textContent)")))

    def apps(self):
        page, checks = self.page, self.checks
        self.view("apps")
        checks.soon("a part of the apps", page, "document.querySelectorAll('#apps-found tbody tr').length === 50")
        checks.same("which says so", "First 50 of 64, by space and name", page.text("#apps-found caption"))
        page.value("[...document.querySelectorAll('#apps-found .pages a')].at(-1).click()")
        checks.soon("the next part", page, "document.querySelectorAll('#apps-found tbody tr').length === 14")
        self.view("apps")
        page.fill("#apps-contains", "sleepy")
        checks.soon("found while typing", page, "document.querySelectorAll('#apps-found tbody tr').length === 1")
        row = page.text("#apps-found tbody")
        checks.that("internal, and none is up", re.search(r"sleepy-river-2739.*internal.*✗ none", row, re.S), row)
        page.click("#apps-found tbody a")
        checks.soon("one app", page, "/web\\.1.*crashed/s.test(document.querySelector('#formation').innerText)")
        checks.soon("who uses it", page, "/app frozen-oasis-70544/.test(document.querySelector('#used-by').innerText)", 20)

    # ---- why ----

    def explains(self):
        page, checks = self.page, self.checks
        page.value("location.hash = '#/explain'")
        checks.soon("the box", page, "!document.getElementById('explain').hidden")
        page.fill("#explain-name", SLEEPY)
        page.fill("#explain-from", DYNO)
        page.press("Enter")
        checks.soon("an explanation", page, "document.querySelectorAll('.steps li').length > 2")
        wanted = json.loads(self.server.command("explain", SLEEPY, "--from", DYNO, "--json"))
        checks.same("the steps are those of the command", wanted["steps"], page.value("[...document.querySelectorAll('.steps li')].map((step) => step.textContent)"))
        checks.that("the reason has its remedy", wanted["reason"]["remedy"] in page.text("#explained"), page.text("#explained"))

    def explains_no_markup(self):
        """A name may have any octets: they are shown, and are no elements."""
        page, checks = self.page, self.checks
        self.put_to_explain(MARKUP)
        checks.soon("markup is explained as a name", page, "document.querySelector('.steps')?.textContent.includes('<img')")
        for what, text in (("64 KB", "a." * 32768), ("64 KB of markup", MARKUP * 1500)):
            self.put_to_explain(text)
            checks.soon(f"{what} in the explain box: a sentence", page, f"document.querySelector('#view-problem').textContent.includes('this text has {len(text):,} characters; write one as')")
            checks.same(f"{what}: and no explanation is left", "", page.text("#explained"))
        self.put_to_explain("a" * 1000)
        checks.soon("a label that is too long: the server's sentence", page, "/is not a domain name; /.test(document.querySelector('#view-problem').textContent)")
        checks.same("nothing of it is an element", 0, page.value("document.querySelectorAll('img').length"))

    def put_to_explain(self, name):
        self.page.value(f"document.querySelector('#explain-name').value = {json.dumps(name)}")
        self.page.fill("#explain-from", DYNO)
        self.page.click("#explain-form button")

    # ---- live ----

    def live_queries(self):
        page, checks = self.page, self.checks
        self.view("queries")
        checks.soon("the stream is open", page, "/Live/.test(document.querySelector('#queries-state').innerText)")
        self.server.ask("api.example.com", "AAAA")
        first = "document.querySelector('#queries-found tbody tr')?.innerText ?? ''"
        checks.soon("a query comes live", page, f"/api\\.example\\.com.*AAAA.*10\\.0\\.130\\.56/s.test({first})")
        self.server.ask(SLEEPY)
        checks.soon("a failure with its reason", page, f"/sleepy.*NOERROR.*Q10 App crashed/s.test({first})")
        self.server.ask(f"{MARKUP.replace(' ', chr(92) + '032')}.example.org")
        checks.soon("a hostile name is a text", page, f"/<img/.test({first})")
        checks.same("and no element", 0, page.value("document.querySelectorAll('img').length"))
        page.click("#queries-pause")
        rows = page.value("document.querySelectorAll('#queries-found tbody tr').length")
        self.server.ask(SLEEPY)
        checks.soon("paused: it is counted", page, "/Paused; 1 came since/.test(document.querySelector('#queries-state').innerText)")
        checks.same("paused: it is not shown", rows, page.value("document.querySelectorAll('#queries-found tbody tr').length"))
        page.click("#queries-pause")
        checks.soon("and shown on", page, f"document.querySelectorAll('#queries-found tbody tr').length === {rows + 1}")
        page.fill("#queries-app", "sleepy-river-2739")
        page.press("Enter")
        checks.soon("a filter of the server", page, "document.querySelectorAll('#queries-found tbody tr').length > 1 && [...document.querySelectorAll('#queries-found tbody tr')].every((row) => /sleepy/.test(row.innerText))")
        page.value("location.hash = '#/queries?reason=Q1'")
        checks.soon("a filter that there is not: a sentence", page, "/Q1/.test(document.querySelector('#view-problem').textContent)")

    def unseen_tab(self):
        """Browsers without a screen show every tab, so the page is made to believe that it is hidden."""
        page, checks = self.page, self.checks
        self.fill_view("queries")
        self.set_hidden(True)
        self.server.ask("hidden.example.org")
        self.set_hidden(False)
        checks.soon("a tab that is seen again is live again", page, "/Live/.test(document.querySelector('#queries-state').innerText)")
        checks.soon("and has what came meanwhile", page, "/hidden\\.example/.test(document.querySelector('#queries-found tbody tr').innerText)")
        asked = page.value("performance.getEntriesByType('resource').filter(({ name }) => name.includes('/queries')).length")
        checks.that("its stream is a new one", asked > 1, asked)

    def set_hidden(self, is_hidden):
        self.page.value(f"Object.defineProperty(document, 'hidden', {{ value: {json.dumps(is_hidden)}, configurable: true }}), document.dispatchEvent(new Event('visibilitychange'))")

    # ---- everybody can use it ----

    def keyboard(self):
        page, checks = self.page, self.checks
        self.view("overview")
        page.reload()
        checks.soon("the overview", page, "!document.getElementById('overview').hidden && /yes/.test(document.querySelector('#facts').textContent)")
        seen = []
        for _ in range(8):
            page.press("Tab")
            seen.append(page.value("document.activeElement.textContent.trim().slice(0, 40)"))
            checks.that(f"the focus is seen at {seen[-1]!r}", page.value("getComputedStyle(document.activeElement).outlineStyle") != "none")
        checks.same("the order of the keyboard", ["To the content", "Overview", "Spaces", "Apps", "Queries", "Explain", "Reloads"], seen[:7])
        page.value("document.querySelector('#skip').focus()")
        page.press("Enter")
        checks.same("to the content", "main", page.value("document.activeElement.id"))
        checks.same("which is no other view", "#/", page.value("location.hash"))
        page.value("document.querySelector('#views li:nth-child(2) a').focus()")
        page.press("Enter")
        checks.soon("a view that is entered gets the focus", page, "document.activeElement.id === 'spaces-heading'")

    def focus_stays(self):
        page, checks = self.page, self.checks
        self.view("apps")
        checks.soon("apps", page, "document.querySelectorAll('#apps-found tbody a').length > 4")
        page.value("(() => { const link = document.querySelectorAll('#apps-found tbody a')[4]; link.focus(); window.focused = link; })()")
        before = page.text("#pulse")
        checks.soon("it is refreshed", page, f"document.querySelector('#pulse').textContent !== {json.dumps(before)}")
        checks.soon("and twice, the view, too", page, "performance.getEntriesByType('resource').filter((entry) => /api.v1.apps/.test(entry.name)).length > 3", 15)
        checks.that("the focus stays where it was", page.value("document.activeElement === window.focused"))

    def fields_have_labels(self):
        """axe-core takes a placeholder for a label; it is gone once somebody types."""
        nameless = self.page.value("[...document.querySelectorAll('input')].filter((input) => input.labels.length === 0).map((input) => input.id)")
        self.checks.same("every field has a label", [], nameless)

    def look_at_each(self):
        """No finding of axe-core in any view and scheme, as cards and as tables; none scrolls sideways."""
        for scheme in "light", "dark":
            self.page.set_scheme(scheme, "reduce")
            for width in 320, 768, 1440:
                self.page.set_width(width)
                for name in VIEWS:
                    self.look_at(name, scheme, width)

    def look_at(self, name, scheme, width):
        self.fill_view(name)
        wide = self.page.value("document.documentElement.scrollWidth")
        self.checks.that(f"{name} at {width} px does not scroll sideways", wide <= width, f"it is {wide} px wide")
        if self.options.axe and (scheme, width) in (("light", 320), ("dark", 1440)):
            self.inspect(f"{name}, {scheme}, {width} px")

    def inspect(self, what):
        if not self.page.value("typeof axe === 'object'"):
            with open(self.options.axe, encoding="utf-8") as file:
                self.page.value(file.read() + "; 0")
        found = self.page.value("axe.run().then(({ violations }) => violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0].html} ${nodes[0].failureSummary}`))")
        self.checks.that(f"axe-core finds nothing in {what}", found == [], "\n".join(found))

    def shoot(self):
        """Each view as it is, for eyes."""
        if not self.options.shots:
            return
        for scheme in "light", "dark":
            self.page.set_scheme(scheme)
            for width in 360, 768, 1440:
                self.page.set_width(width, 740 if width == 360 else 1000)
                for name in VIEWS:
                    self.fill_view(name)
                    self.page.shoot(os.path.join(self.options.shots, f"{name}-{width}-{scheme}.png"))

    # ---- when something breaks ----

    def server_stops(self):
        page, checks = self.page, self.checks
        self.view("queries")
        checks.soon("live", page, "/Live/.test(document.querySelector('#queries-state').innerText)")
        self.server.stop()
        checks.soon("it is said at once that the server is gone", page, "/No answer since \\d\\d:\\d\\d:\\d\\d UTC/.test(document.querySelector('#pulse').textContent)", self.options.patience * AT_ONCE)
        checks.that("what is shown is dated", re.search(r"does not answer\. What is shown is of \d\d:\d\d:\d\d UTC", page.text("#notice")), page.text("#notice"))
        checks.that("also in the title", page.value("document.title").startswith("No answer"))
        checks.that("also by the list of queries", "Not connected" in page.text("#queries-state"), page.text("#queries-state"))
        self.server.start()
        checks.soon("it goes on by itself", page, "/^Live/.test(document.querySelector('#pulse').textContent)")
        checks.same("and the notice goes", "", page.text("#notice"))
        checks.same("which a screen reader reads out", "The server answers again.", page.value("document.querySelector('#announcement').textContent"))
        checks.soon("the stream, too", page, "/Live/.test(document.querySelector('#queries-state').innerText)")
        self.server.ask(SLEEPY)
        checks.soon("and queries come", page, "/sleepy/.test(document.querySelector('#queries-found tbody tr')?.innerText)")

    def reload_is_refused(self):
        page, checks = self.page, self.checks
        self.view("overview")
        path = os.path.join(self.server.zones, "test-space.yaml")
        with open(path, encoding="utf-8") as file:
            good = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(good.replace("routers: [10.0.0.37", "routers: [10.0.130.37"))
        self.server.reload()
        checks.soon("a refused reload is not well", page, "/^Not well/.test(document.querySelector('#verdict').textContent)")
        checks.that("and is said why", re.search(r"Not ready: the last reload was refused.*test-space\.yaml:\d+:\d+: E-ROUTER", page.text("#problems")), page.text("#problems"))
        checks.that("the title says it, too", page.value("document.title").startswith("Not well"), page.value("document.title"))
        with open(path, "w", encoding="utf-8") as file:
            file.write(good)
        self.server.reload()
        checks.soon("and well again", page, "!/^Not well/.test(document.querySelector('#verdict').textContent)")

    def token(self):
        page, checks = self.page, self.checks
        self.server.stop()
        settings = os.path.join(self.options.work, "settings.yaml")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(f"http_listen: [{json.dumps(HTTP)}]\nhttp_token: sixteen-octets-or-more-4711\n")
        os.chmod(settings, 0o600)
        self.server.start("--settings", settings)
        checks.soon("a token is asked for", page, "!document.getElementById('token').hidden && document.activeElement.id === 'token-text'")
        page.fill("#token-text", "wrong")
        page.press("Enter")
        checks.soon("a wrong one is refused with a sentence", page, "document.querySelector('#token-problem').textContent !== ''")
        self.look_at_token()
        page.fill("#token-text", "sixteen-octets-or-more-4711")
        page.press("Enter")
        checks.soon("the right one shows the view", page, "document.getElementById('token').hidden && /^Live/.test(document.querySelector('#pulse').textContent)")
        self.view("queries")
        checks.soon("streams send it, too", page, "/Live/.test(document.querySelector('#queries-state').innerText)")
        checks.same("it is kept for the tab alone", [1, 0, ""], page.value("[sessionStorage.length, localStorage.length, document.cookie]"))
        page.click("#token-forget")
        checks.soon("forgotten when told", page, "!document.getElementById('token').hidden && sessionStorage.length === 0")

    def look_at_token(self):
        if self.options.axe:
            self.inspect("the token form")

    def nothing_to_complain(self):
        self.browser.take_events()
        # The console has each refused request, and this story has some.
        others = [one for one in self.page.complaints if not one.startswith("network error: Failed to load resource")]
        self.checks.same("no error, warning or violation in the console", [], others)
        foreign = [url for url in self.page.requested if not url.startswith((ORIGIN, "data:", "about:"))]
        self.checks.same("nothing is asked of others", [], foreign)

    def play(self):
        for act in (self.first_glance, self.failures_are_counted, self.reloads_are_listed, self.spaces, self.who_asked_whom,
                    self.apps, self.explains, self.explains_no_markup, self.live_queries, self.unseen_tab, self.keyboard, self.focus_stays,
                    self.fields_have_labels, self.look_at_each, self.shoot, self.reload_is_refused, self.server_stops):
            begun = time.monotonic()
            act()
            if self.options.times:
                print(f"{time.monotonic() - begun:5.1f} s  {act.__name__}")
        self.token()
        self.nothing_to_complain()


def write_zones(folder):
    os.makedirs(folder)
    with open(os.path.join(os.environ["SOURCE_DIR"], "zones", "test-space.yaml"), encoding="utf-8") as file:
        zone = file.read()
    with open(os.path.join(folder, "test-space.yaml"), "w", encoding="utf-8") as file:
        file.write(zone)
    with open(os.path.join(folder, "many.yaml"), "w", encoding="utf-8") as file:
        file.write("space: many\ncidr: 10.1.0.0/16\napps:\n")
        file.writelines(f"  - name: many-{number:03}\n" for number in range(MANY_APPS))


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True)
    parser.add_argument("--chromium", required=True)
    parser.add_argument("--axe")
    parser.add_argument("--shots")
    parser.add_argument("--patience", type=int, default=10)
    parser.add_argument("--times", action="store_true")
    return parser.parse_args()


def main():
    options = read_options()
    profile = os.path.join(options.work, "chromium")
    os.mkdir(profile)
    server = Server(options)
    write_zones(server.zones)
    server.start()
    try:
        with Browser(options.chromium, profile, options.patience, os.geteuid() == 0) as browser:
            story = Story(options, browser, server)
            story.play()
    finally:
        server.stop()
    print(f"{story.checks.bad} of {story.checks.good + story.checks.bad} checks failed" if story.checks.bad else f"{story.checks.good} checks passed")
    sys.exit(1 if story.checks.bad else 0)


main()
