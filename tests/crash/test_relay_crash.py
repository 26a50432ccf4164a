# SPDX-License-Identifier: ISC
"""Processes are killed with SIGKILL at random moments while mail leaves; the server at the other end remembers what it acknowledged, and now and then refuses, or
breaks off before it does. In the end every recipient of every message that we took is there, has one credit, and has come twice only where the other server's 250
was not recorded: the credit names the last one that came.

12 kills unless RELAY_CRASH_KILLS says otherwise; CRASH_SEED repeats a run's choices. By itself: /usr/bin/python3 tests/crash/test_relay_crash.py
"""
import collections
import os
import random
import re
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import Closed, Smtp, dot_stuff, eventually, free_ports, plain_binary  # noqa: E402
from peer import LOST_REPLY, USUAL, Peer  # noqa: E402
from test_crash import kill  # noqa: E402

KILLS = int(os.environ.get('RELAY_CRASH_KILLS', '12'))
VICTIMS = ('send',) * 4 + ('store',) * 3 + ('all',) * 3 + ('resolve', 'edge', 'monitor')
CLIENTS = 6
LOOKED_AT = 100  # recipients who got their mail twice
DEAD = 2000  # recipients that wait for a server that is not there, all the time


class Client(threading.Thread):
    """Sends until told to stop. `acknowledged`: {mid: recipients} that got their 250; what became of `open` it does not know."""

    def __init__(self, port, name, stopping):
        super().__init__(daemon=True)
        self.port, self.prefix, self.stopping, self.rnd = port, name, stopping, random.Random(name)
        self.acknowledged, self.open, self.count, self.failure = {}, {}, 0, None

    def run(self):
        try:
            while not self.stopping.is_set():
                try:
                    self.session()
                except (OSError, Closed):
                    time.sleep(0.02)  # the server is away
        except BaseException as e:  # told by the test, which runs in another thread
            self.failure = e

    def session(self):
        with Smtp(self.port, greet=False, timeout=60) as c:
            if c.reply().code != 220 or c.cmd('EHLO client.example.com', 250, 421).code != 250:
                return
            while not self.stopping.is_set() and self.message(c):
                time.sleep(self.rnd.random() * 0.03)

    def message(self, c):
        """False: the server cannot at the moment."""
        self.count += 1
        mid = f'{self.prefix}.{self.count}'
        to = tuple(f'r{n}@{self.rnd.choice("abc")}.test' for n in range(self.rnd.choice((1, 1, 2, 5))))
        c.send('MAIL FROM:<load@elsewhere.test>\r\n' + ''.join(f'RCPT TO:<{t}>\r\n' for t in to) + 'DATA\r\n')
        codes = [c.reply().code for _ in range(len(to) + 2)]
        if codes[-1] != 354 or set(codes[:-1]) != {250}:
            assert not [code for code in codes[:-1] if code // 100 == 5 and code != 503], codes
            if codes[-1] == 354:
                raise Closed('ends the session in the middle, so that nothing is sent')
            return False
        self.open[mid] = to
        size = self.rnd.choice((100, 100, 3000, 200000))
        c.send(dot_stuff(f'X-Mid: {mid}\r\nSubject: load\r\n\r\n{"x" * 70}\r\n'.encode() + b'0123456789abcdef\r\n' * (size // 18)))
        if c.reply().code != 250:
            return False
        self.acknowledged[mid] = self.open.pop(mid)
        return True


def moods(rnd):
    """Of the other server, at the end of a message: as a rule it is good."""

    def mood(peer, line):
        dice = rnd.random()
        return LOST_REPLY if dice < 0.02 else '451 4.3.0 try again' if dice < 0.05 else USUAL

    return mood


def arrivals(peer):
    """{(mid, recipient): [places in peer.deliveries, in order]}"""
    found = collections.defaultdict(list)
    for place, d in enumerate(peer.deliveries):
        for address in d.to:
            found[d.header('X-Mid'), address].append(place)
    return found


def id_of(delivery):
    return re.search(r'\sid\s+(\w+)', delivery.header('Received')).group(1)


def judge_doubles(server, peer, found, rnd):
    """How many came more than once: of each that is looked at the credit names the last."""
    doubles = {key: places for key, places in found.items() if len(places) > 1}
    for (_, address), places in rnd.sample(sorted(doubles.items()), min(len(doubles), LOOKED_AT)):
        story = server.json('trace', id_of(peer.deliveries[places[-1]]))
        [number] = [row['recipient'] for row in story if row['event'] == 'accepted' and row['to'] == address]
        credits = [row['reply'] for row in story if row['event'] == 'relayed' and row['recipient'] == number]
        assert credits == [f'250 2.0.0 kept {places[-1]}'], (address, places, story)
    return len(doubles)


def judge(server, peer, clients, rnd):
    acknowledged = {(mid, to) for c in clients for mid, all_of_them in c.acknowledged.items() for to in all_of_them}
    left_open = {(mid, to) for c in clients for mid, all_of_them in c.open.items() for to in all_of_them}
    found = arrivals(peer)
    lost = acknowledged - set(found)
    assert not lost, f'{len(lost)} recipients were lost: {sorted(lost)[:5]}'
    strange = set(found) - acknowledged - left_open
    assert not strange, f'{len(strange)} were never sent: {sorted(strange)[:5]}'
    books = server.check_balance()
    assert books['relayed'] == len(found) and books['bounced'] == 0 and books['discarded'] == 0, (books, len(found))
    return len(found), judge_doubles(server, peer, found, rnd)


def fill_with_the_dead(server):
    with server.smtp() as c:
        for first in range(0, DEAD, 100):
            c.deliver(b'Subject: waits\r\n\r\nHello.\r\n', *(f'r{n}@dead.test' for n in range(first, first + 100)))
        c.quit()


def failures(clients):
    return [c.failure for c in clients if c.failure]


def crash_run(server, peer, kills, seed):
    rnd, chosen, stopping = random.Random(seed), collections.Counter(), threading.Event()
    clients = [Client(server.ports['smtp'], f'{seed}.{n}', stopping) for n in range(CLIENTS)]
    for c in clients:
        c.start()
    try:
        for _ in range(kills):
            time.sleep(rnd.uniform(0.05, 0.6))  # the random moment
            before, victim = len(peer.deliveries), rnd.choice(VICTIMS)
            chosen[victim] += 1
            kill(server, victim)
            eventually(lambda: len(peer.deliveries) > before or failures(clients), f'mail leaves again after {victim} was killed', 60)
    finally:
        stopping.set()
        for c in clients:
            c.join(90)
    assert not [c for c in clients if c.is_alive()], 'a client hangs'
    assert not failures(clients), failures(clients)
    eventually(lambda: server.balance()['queued'] == DEAD, 'all but what cannot leave has left', 60)
    return chosen, *judge(server, peer, clients, rnd)


def test_killed_while_mail_leaves(make_server, capsys):
    seed = int(os.environ.get('CRASH_SEED', random.randrange(1 << 32)))
    print(f'CRASH_SEED={seed}')
    [dead] = free_ports(1)
    with Peer(numbered=True, rules={'end': moods(random.Random(seed))}) as peer:
        server = make_server(f'log warn\nrelay-from 127.0.0.0/8\nroute dead.test smtp 127.0.0.1:{dead}\nroute * smtp {peer.address}\nqueue retry 1s', services=('smtp',),
                             binary=plain_binary())
        fill_with_the_dead(server)
        chosen, arrived, doubles = crash_run(server, peer, KILLS, seed)
        server.check_store()
    with capsys.disabled():
        print(f'\n  relay crash: {sum(chosen.values())} kills {dict(chosen)}, seed {seed}: {arrived} recipients reached, none lost; {doubles} twice, before the 250 was recorded')


if __name__ == '__main__':
    sys.exit(pytest.main(['-s', '-q', '-o', 'faulthandler_timeout=0', os.path.abspath(__file__)]))
