"""A headless Chromium, driven over a pipe by the DevTools protocol.

    with Browser("chromium", folder) as browser:
        page = browser.open("http://127.0.0.1:9153/")
        page.until("document.title.includes('spacedns')")

No library: messages are JSON with a zero octet behind each (--remote-debugging-pipe). Every wait is
bounded. What the console has, uncaught errors, and violations of the Content-Security-Policy are in
`page.complaints`. The process and its children end with the `with`.
"""
import base64
import json
import os
import select
import signal
import subprocess
import time

FLAGS = ["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check",
         "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-default-apps", "--hide-scrollbars",
         "--no-proxy-server", "--lang=en-US", "--force-color-profile=srgb", "--disable-breakpad"]


class Failed(Exception):
    pass


def _descriptors(read_end, write_end):
    """Puts the pipe where Chromium wants it: it reads 3 and writes 4."""
    def prepare():
        reading, writing = os.dup(read_end), os.dup(write_end)
        os.dup2(reading, 3)
        os.dup2(writing, 4)
        os.set_inheritable(3, True)
        os.set_inheritable(4, True)
    return prepare


class Browser:
    def __init__(self, program, folder, patience=10, root=False):
        self.patience = patience
        self.buffer = b""
        self.last_id = 0
        self.pages = {}
        to_read, self.to_browser = os.pipe()
        self.from_browser, to_write = os.pipe()
        flags = [*FLAGS, f"--user-data-dir={folder}"] + (["--no-sandbox"] if root else [])
        with open(os.path.join(folder, "log"), "wb") as log:
            self.process = subprocess.Popen([program, *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            close_fds=False, start_new_session=True,
                                            preexec_fn=_descriptors(to_read, to_write))
        os.close(to_read)
        os.close(to_write)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session, made above
        except ProcessLookupError:
            pass
        self.process.wait(self.patience)

    # ---- messages ----

    def _receive(self, seconds):
        """The next message, None if none comes in time."""
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.from_browser], [], [], left)[0]:
                return None
            octets = os.read(self.from_browser, 1 << 20)
            if octets == b"":
                raise Failed("Chromium has ended; its log is beside its data")
            self.buffer += octets
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def _take_event(self, message):
        page = self.pages.get(message.get("sessionId"))
        if page is not None and "method" in message:
            page.on_event(message["method"], message["params"])

    def call(self, method, session=None, **params):
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self.patience
        while True:
            answer = self._receive(end - time.monotonic())
            if answer is None:
                raise Failed(f"{method}: no answer within {self.patience} s")
            if answer.get("id") != self.last_id:
                self._take_event(answer)
            elif "error" in answer:
                raise Failed(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def take_events(self):
        while (message := self._receive(0)) is not None:
            self._take_event(message)

    def open(self, url):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        self.pages[session] = page
        for domain in "Page", "Runtime", "Log", "Network":
            page.call(f"{domain}.enable")
        page.go(url)
        return page


KEYS = {"Tab": 9, "Enter": 13, "Space": 32}


class Page:
    def __init__(self, browser, target, session):
        self.browser = browser
        self.target = target
        self.session = session
        self.complaints = []
        self.requested = []

    def on_event(self, method, params):
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append("uncaught: " + details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append("console: " + " ".join(str(one.get("value", one.get("description"))) for one in params["args"]))
        elif method == "Log.entryAdded":
            entry = params["entry"]
            self.complaints.append(f"{entry['source']} {entry['level']}: {entry['text']} {entry.get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def go(self, url):
        self.call("Page.navigate", url=url)

    def reload(self):
        self.value("window.isOld = true")
        self.call("Page.reload")
        if not self.until("!window.isOld && document.readyState === 'complete'"):
            raise Failed("the page does not load again")

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    # ---- looking ----

    def value(self, expression):
        """The value of an expression, awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise Failed(f"{expression}: {details.get('exception', {}).get('description', details['text'])}")
        return result["result"].get("value")

    def until(self, expression, seconds=None):
        """Whether it becomes true in time; what cannot be evaluated yet is not."""
        end = time.monotonic() + (seconds or self.browser.patience)
        while not self.value(f"(() => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }})()"):
            if time.monotonic() > end:
                return False
            time.sleep(0.03)
        return True

    def text(self, selector):
        """The text that is seen there, on one line; None if there is no such element."""
        text = self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")
        return None if text is None else " ".join(text.split())

    # ---- doing ----

    def fill(self, selector, text):
        """Types a text over what a field has."""
        self.value(f"(() => {{ const field = document.querySelector({json.dumps(selector)}); field.focus(); field.select(); }})()")
        if text == "":
            self.value(f"document.querySelector({json.dumps(selector)}).value = ''")
        else:
            self.call("Input.insertText", text=text)

    def click(self, selector):
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key, shift=False):
        modifiers = 8 if shift else 0
        text = {"Enter": "\r", "Space": " "}.get(key)
        shared = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **shared, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    # ---- appearance ----

    def set_width(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def set_scheme(self, scheme, motion="no-preference"):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                          {"name": "prefers-reduced-motion", "value": motion}])

    def shoot(self, path):
        """A screenshot of the whole page."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
