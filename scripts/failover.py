#!/usr/bin/env python3
"""PostgreSQL fails over under load (fault 143 of docs/FAULTS.md). scripts/test.sh failover runs it; DOORWARD_BIN names the server.

Two PostgreSQL servers, the second a synchronous standby of the first, behind an address that leads to whichever is the primary,
as with any cluster manager. While users are created, tickets redeemed by several at once and tokens minted, the primary dies
(round one: kill -9 of all its processes; round two: an orderly shutdown) and the standby is promoted; in round three nothing dies,
but the network swallows all packets, and connections from then stay open without an answer for good. Then:

- whatever was acknowledged is there, and what was used up stays used up;
- no ticket was good for two;
- in between the answers were 503 with Retry-After, and nothing else;
- within 30 seconds all three kinds of calls succeed again, without a restart.
"""
import collections, glob, http.client, json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, threading, time

WITHIN_S = 30
WRONG = []  # answers that should never be given
ROOT = os.geteuid() == 0


def sh(*command, **options):
    """Runs a PostgreSQL program, which refuses to be run by root."""
    prefix = ["runuser", "-u", "postgres", "--"] if ROOT else []
    done = subprocess.run([*prefix, *map(str, command)], capture_output=True, text=True, cwd="/", **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
    return done.stdout


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Postgres:
    """One server of the pair."""

    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda it: int(it.split("/")[4]))
    bin = pathlib.Path(found[-1]) if found else pathlib.Path(shutil.which("initdb") or sys.exit("PostgreSQL is not installed")).parent

    def __init__(self, directory, name):
        self.data, self.log, self.port = directory / name, directory / f"{name}.log", free_port()

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        sh(self.bin / "pg_ctl", "-D", self.data, "-l", self.log, "-o", options, "-w", "start")

    def make(self):
        sh(self.bin / "initdb", "-D", self.data, "-U", "doorward", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.start()
        self.sql("CREATE DATABASE doorward", "postgres")

    def follow(self, primary):
        """Becomes the synchronous standby of `primary`: from now on that one acknowledges nothing that is not here as well."""
        source = f"host=127.0.0.1 port={primary.port} user=doorward application_name=standby"
        sh(self.bin / "pg_basebackup", "-D", self.data, "-d", source, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync")
        self.start()
        wait("a standby", lambda: "standby" in primary.sql("SELECT application_name FROM pg_stat_replication"))
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        primary.sql("SELECT pg_reload_conf()")
        wait("synchrony", lambda: "sync" == primary.sql("SELECT sync_state FROM pg_stat_replication").strip())

    def sql(self, text, database="doorward"):
        return sh(self.bin / "psql", "-XAtq", "-h", "127.0.0.1", "-p", self.port, "-U", "doorward", "-c", text, database)

    def kill(self):
        os.killpg(self.pid(), signal.SIGKILL)

    def stop(self):
        sh(self.bin / "pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")

    def pid(self):
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def promote(self):
        sh(self.bin / "pg_ctl", "-D", self.data, "-w", "promote")


def wait(what, done):
    began = time.monotonic()
    while not done():
        if WRONG:
            sys.exit(f"FAILED: {WRONG[0]}")
        if time.monotonic() - began > WITHIN_S:
            sys.exit(f"FAILED: {what}: not within {WITHIN_S} s")
        time.sleep(0.05)


class Address:
    """Leads to the primary; whoever was connected when it moves is cut off."""

    def __init__(self, target):
        self.target, self.open, self.lock = target, set(), threading.Lock()
        self.lost, self.silent, self.unanswered = 0, False, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            near, _ = self.listener.accept()
            if self.silent:
                self.unanswered.append(near)
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            with self.lock:
                self.open |= {near, far}
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    def copy(self, source, sink):
        born = self.lost
        try:
            while data := source.recv(65536):
                if born == self.lost:
                    sink.sendall(data)
        except OSError:
            pass
        self.cut({source, sink})

    def cut(self, sockets):
        with self.lock:
            self.open -= sockets
        for it in sockets:
            try:
                it.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            it.close()

    def move(self, target):
        self.target = target
        self.cut(set(self.open))

    def swallow(self):
        """Takes what is sent and passes nothing on; what was open then stays so for good."""
        self.lost, self.silent = self.lost + 1, True

    def speak(self):
        self.silent = False


class Doorward:
    """The server, and the load on it."""

    def __init__(self, directory, address):
        self.public, self.private = free_port(), free_port()
        listen = ["--listen", f"127.0.0.1:{self.public}", "--backend-listen", f"127.0.0.1:{self.private}"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOORWARD_")} | {
            "DOORWARD_DATABASE__URL": f"postgres://doorward@127.0.0.1:{address.port}/doorward",
            "DOORWARD_LIMITS__ENABLED": "false",
            "RUST_LOG": os.environ.get("RUST_LOG", "off"),
        }
        command = [os.environ["DOORWARD_BIN"], "dev", "--data-dir", str(directory / "data"), *listen]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        said = {}
        for line in self.process.stdout:
            if line.startswith("ready"):
                break
            name, _, value = line.strip().partition("=")
            said[name] = value
        self.key = said.get("SECRET_KEY") or sys.exit("doorward does not start")
        self.lock, self.over, self.answers = threading.Lock(), threading.Event(), collections.Counter()
        self.last_success, self.users, self.tickets, self.count = {}, {}, {}, 0

    def ask(self, kind, method, path, body=None):
        """Status and JSON of an answer. Anything but success, refusal and "not now" fails the test."""
        connection = http.client.HTTPConnection("127.0.0.1", self.public if kind == "redeem" else self.private, timeout=40)
        headers = {"Host": f"localhost:{self.public}"} if kind == "redeem" else {"Authorization": f"Bearer {self.key}"}
        headers["Content-Type"] = "application/x-www-form-urlencoded" if kind == "redeem" else "application/json"
        connection.request(method, path, body if body is None or kind == "redeem" else json.dumps(body), headers)
        answer = connection.getresponse()
        text, status = answer.read(), answer.status
        connection.close()
        if status >= 500 and (status != 503 or not answer.headers.get("Retry-After")):
            WRONG.append(f"{method} {path}: {status} {text[:300]}")
        with self.lock:
            self.answers[status] += 1
            if status == 200:
                self.last_success[kind] = time.monotonic()
        return status, json.loads(text)

    def health(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.private, timeout=40)
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def name(self):
        with self.lock:
            self.count += 1
            return f"u{self.count}"

    def create(self):
        name = self.name()
        new = {"external_id": name, "email_address": [f"{name}@example.com"], "skip_password_requirement": True}
        status, user = self.ask("create", "POST", "/v1/users", new)
        if status == 200:
            self.users[name] = user["id"]
        return user["id"] if status == 200 else None

    def redeem(self, ticket):
        status, answer = self.ask("redeem", "POST", "/v1/client/sign_ins?_is_native=1", f"strategy=ticket&ticket={ticket}")
        return status == 200 and answer["response"]["status"] == "complete"

    def tickets_of_one(self):
        user = self.create()
        if not user:
            return
        status, made = self.ask("ticket", "POST", "/v1/sign_in_tokens", {"user_id": user})
        if status != 200:
            return
        successes = []
        at_once = [threading.Thread(target=lambda: successes.append(self.redeem(made["token"]))) for _ in range(4)]
        [it.start() for it in at_once]
        [it.join() for it in at_once]
        self.tickets[made["token"]] = (user, sum(successes))

    def session(self):
        return self.ask("session", "POST", "/v1/sessions", {"user_id": self.create()})[1]["id"]

    def load(self):
        session = self.session()
        mint = lambda: self.ask("mint", "POST", f"/v1/sessions/{session}/tokens", {})
        self.over.clear()

        def again(what):
            while not self.over.is_set():
                what()

        threads = [threading.Thread(target=again, args=(it,), daemon=True) for it in (self.create, self.create, mint, self.tickets_of_one, self.tickets_of_one)]
        [it.start() for it in threads]
        return threads

    def failed_over(self, since):
        kinds = ("create", "ticket", "redeem", "mint")
        return all(self.last_success.get(kind, 0) > since for kind in kinds)

    def check(self):
        for name, user in self.users.items():
            status, found = self.ask("check", "GET", f"/v1/users/{user}")
            assert status == 200 and found["external_id"] == name, f"{user} was acknowledged and is lost: {status}"
        for ticket, (user, successes) in self.tickets.items():
            assert successes <= 1, f"a ticket of {user} was good for {successes}"
            if successes == 1:
                assert not self.redeem(ticket), f"a ticket of {user} that was used up works again"
            _, sessions = self.ask("check", "GET", f"/v1/sessions?user_id={user}")
            assert successes <= len(sessions) <= 1, f"{user} has {len(sessions)} sessions by one ticket"


def goes_away(doorward, away, back):
    """Takes the database away under load, and brings it back; the time until all kinds of calls succeed again, in seconds."""
    threads = doorward.load()
    began = time.monotonic()
    wait("load", lambda: doorward.failed_over(began) and time.monotonic() - began > 2)
    not_now = doorward.answers[503]
    ended = time.monotonic()
    away()
    wait("an answer of 503", lambda: doorward.answers[503] > not_now)
    status, text = doorward.health()
    assert status == 503 and "the database does not answer" in text, f"readiness: {status} {text}"
    back()
    moved = time.monotonic()
    wait("everything again", lambda: doorward.failed_over(moved))
    recovered = time.monotonic() - ended
    doorward.over.set()
    [it.join() for it in threads]
    assert recovered < WITHIN_S and not WRONG, WRONG
    assert doorward.health()[0] == 200
    doorward.check()
    assert not WRONG, WRONG
    return recovered


def tell(doorward, what, seconds):
    used = sum(successes for _, successes in doorward.tickets.values())
    print(f"{what}: all calls again after {seconds:.1f} s; {len(doorward.users)} users, {used} of {len(doorward.tickets)} tickets; {dict(doorward.answers)}", flush=True)


def fail_over(address, doorward, primary, standby, end):
    def back():
        standby.promote()
        address.move(standby.port)

    return goes_away(doorward, lambda: end(primary), back)


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="doorward-failover."))
    if ROOT:
        shutil.chown(directory, "postgres")
    servers, doorward = [Postgres(directory, name) for name in ("one", "two", "three")], None
    try:
        one, two, three = servers
        one.make()
        two.follow(one)
        address = Address(one.port)
        doorward = Doorward(directory, address)
        for primary, standby, end in ((one, two, Postgres.kill), (two, three, Postgres.stop)):
            if standby is three:
                three.follow(two)
            tell(doorward, end.__name__, fail_over(address, doorward, primary, standby, end))
        tell(doorward, "silence", goes_away(doorward, address.swallow, address.speak))
    finally:
        if doorward:
            doorward.process.kill()
            doorward.process.wait()
        for server in servers:
            if (server.data / "postmaster.pid").exists():
                try:
                    server.kill()
                except ProcessLookupError:
                    pass
        shutil.rmtree(directory, ignore_errors=True)


main()
