# SPDX-License-Identifier: ISC
"""Clients that send all the time and remember what they were promised; and the judgement of what is in the mailboxes
then."""
import collections
import hashlib
import random
import re
import threading
import time

from harness import Closed, Smtp, dot_stuff

CLIENTS = 20
USERS = 6

# A message whose end was sent. `users`: numbers of the mailboxes it goes to.
Sent = collections.namedtuple('Sent', 'mid users')


def make_message(mid, rnd):
    """A body that proves itself: its hash is in the header."""
    size = rnd.choice((0, 10000, 70000, 200000) if rnd.random() < 0.1 else (200, 3000))
    body = ''.join(f'{rnd.getrandbits(256):064x}\r\n' for _ in range(size // 66)).encode()
    return f'X-Mid: {mid}\r\nX-Hash: {hashlib.sha256(body).hexdigest()}\r\nSubject: load\r\n\r\n'.encode() + body


class Client(threading.Thread):
    """Sends until told to stop. `acknowledged` got their 250; of `open` nobody knows, so each is everywhere or
    nowhere."""

    def __init__(self, name, server, stop):
        super().__init__(daemon=True)
        self.prefix, self.server, self.stopping = name, server, stop
        self.rnd = random.Random(name)
        self.acknowledged, self.open, self.refused, self.count = [], [], 0, 0
        self.failure = None

    def run(self):
        try:
            while not self.stopping.is_set():
                try:
                    self.session()
                except (OSError, Closed):
                    time.sleep(0.02)  # the server is away: do not knock too often
        except BaseException as e:  # reported by the test, which runs in another thread
            self.failure = e

    def session(self):
        with Smtp(self.server.ports['smtp'], greet=False, timeout=60) as c:
            if c.reply().code == 220:
                if c.cmd('EHLO client.example.com', 250, 421).code == 421:
                    return
                for _ in range(self.rnd.choice((1, 1, 5, 50))):
                    if self.stopping.is_set() or not self.message(c):
                        return

    def message(self, c):
        """One transaction; false when the server cannot at the moment."""
        self.count += 1
        mid = f'{self.prefix}.{self.count}'
        users = sorted(self.rnd.sample(range(USERS), self.rnd.choice((1, 1, 1, 2, USERS))))
        c.send(
            'MAIL FROM:<load@example.com>\r\n' + ''.join(f'RCPT TO:<u{u}@example.org>\r\n' for u in users) + 'DATA\r\n'
        )
        mail, *rcpts, data = [c.reply().code for _ in range(len(users) + 2)]
        if data != 354:
            return self.put_off([mail, *rcpts])
        sent = Sent(mid, tuple(u for u, code in zip(users, rcpts) if code == 250))
        self.open.append(sent)
        c.send(dot_stuff(make_message(mid, self.rnd)))
        if (code := c.reply().code) != 250:
            return self.put_off([code])
        self.acknowledged.append(self.open.pop())
        if self.rnd.random() < 0.5:
            time.sleep(self.rnd.random() * 0.03)  # a client that thinks, so that the checks at the end stay short
        return True

    def put_off(self, codes):
        wrong = [code for code in codes if code // 100 == 5 and code != 503]  # 503: no MAIL, which had its 4xx
        assert not wrong, f'refused for good: {codes}'
        self.refused += 1
        time.sleep(0.02)
        return False


class Load:
    """with Load(server, name) as load: ... load.judge()     The name makes the clients' choices, and their messages'
    names."""

    def __init__(self, server, name):
        self.server, self.stopping = server, threading.Event()
        self.clients = [Client(f'{name}.{n}', server, self.stopping) for n in range(CLIENTS)]

    def __enter__(self):
        for c in self.clients:
            c.start()
        return self

    def __exit__(self, *exc):
        self.stopping.set()
        for c in self.clients:
            c.join(90)
            assert not c.is_alive(), 'a client hangs'

    def acknowledged(self):
        self.check_clients()
        return sum(len(c.acknowledged) for c in self.clients)

    def refused(self):
        return sum(c.refused for c in self.clients)

    def check_clients(self):
        failures = [c.failure for c in self.clients if c.failure]
        assert not failures, failures

    def judge(self):
        """(messages that got their 250, messages that are there without): asserts that each of the first is there
        once, whole, in each of its mailboxes, and each of the others in all of them."""
        self.check_clients()
        acknowledged = {s.mid: s for c in self.clients for s in c.acknowledged}
        left_open = {s.mid: s for c in self.clients for s in c.open}
        found = read_back(self.server)
        for mid, sent in acknowledged.items():
            due, got = collections.Counter(sent.users), found.get(mid)
            assert got == due, f'{mid} got its 250 for {sent.users}, is in {got}'
        for mid, users in found.items():
            if mid not in acknowledged:
                assert mid in left_open, f'{mid} was never sent'
                assert users == collections.Counter(left_open[mid].users), f'{mid}: {users} of {left_open[mid].users}'
        return len(acknowledged), len(found) - len(acknowledged)


def make_accounts(server):
    for u in range(USERS):
        server.account(f'u{u}@example.org')


def empty(server):
    for u in range(USERS):
        with server.pop3(f'u{u}@example.org') as p:
            count, _ = p.stat()
            p.send(''.join(f'DELE {n}\r\n' for n in range(1, count + 1)))
            for _ in range(count):
                p.ok()
            p.quit()


def read_back(server):
    """{mid: Counter of users}, after checking that each body is what its hash says."""
    found = collections.defaultdict(collections.Counter)
    for u in range(USERS):
        for text in server.mailbox(f'u{u}@example.org'):
            header, body = text.split(b'\r\n\r\n', 1)
            mid, digest = (
                re.search(rb'^%s: (\S+)' % name, header, re.M).group(1).decode() for name in (b'X-Mid', b'X-Hash')
            )
            assert hashlib.sha256(body).hexdigest() == digest, f'{mid} is torn in mailbox u{u}'
            found[mid][u] += 1
    return found
