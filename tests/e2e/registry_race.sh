#!/bin/bash
# Two schedulers write the dynos of one app while its document changes: the app is never answered
# without a router, nor its dynos as none.
# busy: writers, a client, loads
. "$(dirname "$0")/lib.bash"
enter_private_network || skip "no network namespace may be made here"
. "$(dirname "$script")/registry.bash"

seconds=4
start_etcd
fill_registry
replica_more='external_rate: 0'
replica first
put d/test-space/sleepy-river-2739/web '1 up 10.0.131.7\n'
await_answer sleepy-river-2739.herokuapp.com "10.0.0.37 10.0.16.21"

cat >"$work/race.py" <<'END'
import base64, http.client, json, random, socket, struct, sys, threading, time

url, cell, port, seconds, path = sys.argv[1:6]
host, until = url.split("//")[1], time.monotonic() + float(seconds)
text = open(path).read()
code = lambda value: base64.b64encode(value.encode()).decode()
counts = {"web": 0, "document": 0}

def call(link, method, body):
    link.request("POST", "/v3/kv/" + method, json.dumps(body))
    reply = link.getresponse()
    said = reply.read()
    assert reply.status == 200, said
    return json.loads(said)

def schedule(seed):
    """Moves the one dyno that is up to another address, with the list as it was read."""
    dice, link = random.Random(seed), http.client.HTTPConnection(host, timeout=5)
    key = code(cell + "d/test-space/sleepy-river-2739/web")
    while time.monotonic() < until:
        held = call(link, "range", {"key": key})["kvs"][0]
        number = dice.randrange(1, 200)
        value = "".join(f"{number + i} {'up' if i == 0 else dice.choice(['starting', 'crashed', 'up'])} 10.0.13{dice.randrange(3, 8)}.{number + i}\n" for i in range(3))
        said = call(link, "txn", {"compare": [{"key": key, "target": "MOD", "mod_revision": held["mod_revision"]}],
                                  "success": [{"request_put": {"key": key, "value": code(value)}}]})
        counts["web"] += said.get("succeeded", False)
        time.sleep(0.005)

def push():
    """Changes what has nothing to do with it, and what has: the list that the key replaces."""
    link, turn = http.client.HTTPConnection(host, timeout=5), 0
    while time.monotonic() < until:
        turn += 1
        changed = text.replace("state: crashed", ("state: crashed", "state: down")[turn % 2]).replace("10.0.132.9", f"10.0.132.{turn % 200 + 9}")
        call(link, "put", {"key": code(cell + "z/test-space"), "value": code(changed)})
        counts["document"] += 1
        time.sleep(0.03)

threads = [threading.Thread(target=schedule, args=(seed,)) for seed in (1, 2)] + [threading.Thread(target=push)]
for thread in threads:
    thread.start()
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.connect(("127.0.0.1", int(port)))
link.settimeout(2)
asked, empty, first = 0, 0, ""
while any(thread.is_alive() for thread in threads):
    for name, least in (("sleepy-river-2739.herokuapp.com", 2), ("web.sleepy-river-2739.app.localspace", 1)):
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        link.send(struct.pack("!HHHHHH", asked & 0xFFFF, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1")
        octets = link.recv(4096)
        asked += 1
        if octets[3] & 15 != 0 or struct.unpack_from("!H", octets, 6)[0] < least:
            first = first or f" first={name} {octets.hex()}"
            empty += 1
    time.sleep(0.001)
print(f"asked={asked} empty={empty} web={counts['web']} documents={counts['document']}{first}")
END
printed=$(/usr/bin/python3 "$work/race.py" "${etcd_urls[1]}" "$registry/" "$port" "$seconds" zones/test-space.yaml 2>&1)
expect_match "never an empty app" 'asked=[0-9]{3,} empty=0 web=[0-9]{2,} documents=[0-9]{2,}' "$printed"
echo "$printed"
expect_no_match "nothing went wrong" ' error ' "$(cat "$server_log")"
put z/test-space "$(as_value zones/test-space.yaml)"
put d/test-space/sleepy-river-2739/web '4 up 10.0.131.99\n'
await_answer web.sleepy-river-2739.app.localspace 10.0.131.99
await_answer web.open-plain-1001.app.localspace 10.0.132.9
stop
expect "exit code" 0 "$code"
finish
