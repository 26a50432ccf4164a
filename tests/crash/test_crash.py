# SPDX-License-Identifier: ISC
"""Processes are killed with SIGKILL at random moments under load; then every message that got its 250 has to be there once,
whole, in each of its mailboxes, and what got none is in all of its mailboxes or in none.

50 kills unless CRASH_KILLS says otherwise; CRASH_SEED repeats a run's choices. By itself: /usr/bin/python3 test_crash.py
"""
import collections
import hashlib
import os
import random
import re
import signal
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Closed, Server, Smtp, dot_stuff, eventually, plain_binary  # noqa: E402

KILLS = int(os.environ.get('CRASH_KILLS', '50'))
CLIENTS = 20
USERS = 6
ROLES = ('store', 'edge', 'filter', 'keys', 'monitor')


class Sent(collections.namedtuple('Sent', 'mid digest users')):
    """A message whose end was sent. `users`: indexes of the mailboxes it goes to."""


def make_message(mid, rnd):
    """A body that proves itself: its hash is in the header."""
    size = rnd.choice((0, 200, 3000, 10000, 70000, 200000) if rnd.random() < 0.2 else (200, 3000))
    body = ''.join(f'{rnd.getrandbits(256):064x}\r\n' for _ in range(size // 66)).encode()
    digest = hashlib.sha256(body).hexdigest()
    return digest, f'X-Mid: {mid}\r\nX-Hash: {digest}\r\nSubject: crash\r\n\r\n'.encode() + body


class Client(threading.Thread):
    """Sends until told to stop; remembers what was acknowledged and what was left open."""

    def __init__(self, number, server, seed, stop):
        super().__init__(daemon=True)
        self.number, self.server, self.stop_event = number, server, stop
        self.rnd = random.Random(f'{seed}.{number}')
        self.acknowledged, self.open, self.refused, self.count = [], [], 0, 0
        self.failure = None

    def run(self):
        try:
            while not self.stop_event.is_set():
                try:
                    self.session()
                except (OSError, Closed):
                    time.sleep(0.02)
        except BaseException as e:  # reported by the test, which runs in another thread
            self.failure = e

    def session(self):
        with Smtp(self.server.ports['smtp'], greet=False, timeout=60) as c:
            if c.reply().code != 220:
                return
            c.cmd('EHLO client.example.com', 250)
            for _ in range(self.rnd.choice((1, 1, 5, 50))):
                if self.stop_event.is_set() or not self.message(c):
                    return

    def message(self, c):
        self.count += 1
        users = sorted(self.rnd.sample(range(USERS), self.rnd.choice((1, 1, 1, 2, USERS))))
        digest, text = make_message(f'{self.number}.{self.count}', self.rnd)
        c.send('MAIL FROM:<load@example.com>\r\n' + ''.join(f'RCPT TO:<u{u}@example.org>\r\n' for u in users) + 'DATA\r\n')
        codes = [c.reply().code for _ in range(len(users) + 2)]
        if codes != [250] * (len(users) + 1) + [354]:
            if any(code // 100 == 5 and code != 503 and code != 554 for code in codes):
                raise AssertionError(f'refused for good: {codes}')
            if codes[-1] != 354:
                self.refused += 1
                time.sleep(0.02)
                return False
            accepted = [u for u, code in zip(users, codes[1:]) if code == 250]
        else:
            accepted = users
        sent = Sent(f'{self.number}.{self.count}', digest, tuple(accepted))
        self.open.append(sent)
        c.send(dot_stuff(text))
        reply = c.reply()
        if reply.code == 250:
            self.acknowledged.append(sent)
            self.open.pop()
        elif reply.code // 100 == 4:
            self.refused += 1  # nothing was kept: it stays in `open`, which allows all or nothing
        else:
            raise AssertionError(f'refused for good: {reply!r}')
        if self.rnd.random() < 0.5:
            time.sleep(self.rnd.random() * 0.03)  # a client that thinks, so that the checks at the end stay short
        return reply.code == 250


def kill_once(server, rnd):
    """All processes at once, the monitor alone (the others notice and go), or one role, which the monitor starts again."""
    choice = rnd.choice(('all',) * 4 + ROLES)
    if choice == 'all':
        server.kill()
        server.start()
    elif choice == 'monitor':
        server.proc.kill()
        server.proc.wait()
        eventually(lambda: not server.processes(), 'the roles go when the monitor is gone')
        server.start()
    else:
        victims = [pid for (role, _), pid in server.roles().items() if role == choice]
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        assert server.proc.poll() is None, 'the monitor ended'
    return choice


def read_back(server):
    """{mid: Counter of users}, and for each mid the hash it names, after checking that the body has it."""
    found = collections.defaultdict(collections.Counter)
    for u in range(USERS):
        for text in server.mailbox(f'u{u}@example.org'):
            header, body = text.split(b'\r\n\r\n', 1)
            mid = re.search(rb'^X-Mid: (\S+)\r$', header, re.M).group(1).decode()
            digest = re.search(rb'^X-Hash: (\S+)(?:\r|$)', header, re.M).group(1).decode()
            assert hashlib.sha256(body).hexdigest() == digest, f'{mid} is torn in mailbox u{u}'
            found[mid][u] += 1
    return found


def judge(found, clients):
    acknowledged = {s.mid: s for c in clients for s in c.acknowledged}
    left_open = {s.mid: s for c in clients for s in c.open}
    for mid, sent in acknowledged.items():
        assert found.get(mid) == collections.Counter(sent.users), f'{mid} got its 250 for {sent.users}, is in {found.get(mid)}'
    for mid, users in found.items():
        if mid not in acknowledged:
            assert mid in left_open, f'{mid} was never sent'
            assert users == collections.Counter(left_open[mid].users), f'{mid}: neither all nor nothing: {users} of {left_open[mid].users}'
    return len(acknowledged), len(found) - len(acknowledged)


def crash_run(server, kills, seed, note=lambda text: None):
    rnd = random.Random(seed)
    for u in range(USERS):
        server.account(f'u{u}@example.org')
    stop = threading.Event()
    clients = [Client(n, server, seed, stop) for n in range(CLIENTS)]
    for c in clients:
        c.start()
    chosen = collections.Counter()
    for n in range(kills):
        time.sleep(rnd.uniform(0.05, 1.2))  # the random moment
        acknowledged = sum(len(c.acknowledged) for c in clients)
        chosen[kill_once(server, rnd)] += 1
        eventually(lambda: sum(len(c.acknowledged) for c in clients) > acknowledged or not any(c.is_alive() for c in clients),
                   'mail flows again', 60)
        assert not any(c.failure for c in clients), [c.failure for c in clients if c.failure]
        if n % 50 == 49:
            note(f'{n + 1} kills, {acknowledged} messages acknowledged')
    stop.set()
    for c in clients:
        c.join(60)
    assert not any(c.failure for c in clients), [c.failure for c in clients if c.failure]
    sure, extra = judge(read_back(server), clients)
    server.check_balance()
    server.check_store()
    note(f'{kills} kills {dict(chosen)}, seed {seed}: {sure} messages acknowledged, none lost, doubled or torn; '
         f'{extra} kept whole without their 250, {sum(c.refused for c in clients)} refused for now')
    assert sure > kills, 'no load'


@pytest.mark.skipif(not os.path.exists(plain_binary()), reason='no build')
def test_killed_under_load(make_server, capsys):
    seed = int(os.environ.get('CRASH_SEED', random.randrange(1 << 32)))
    print(f'CRASH_SEED={seed}')

    def note(text):
        with capsys.disabled():
            print(f'\n  crash: {text}')

    server = make_server('log warn', services=('smtp', 'pop3'), binary=plain_binary())
    crash_run(server, KILLS, seed, note)


if __name__ == '__main__':
    sys.exit(pytest.main(['-s', '-q', __file__]))
