# SPDX-License-Identifier: ISC
"""Processes are killed with SIGKILL at random moments under load; then every message that got its 250 has to be there
once, whole, in each of its mailboxes, and what got none is in all of its mailboxes or in none.

50 kills unless CRASH_KILLS says otherwise; CRASH_SEED repeats a run's choices. By itself: /usr/bin/python3
tests/crash/test_crash.py
"""
import collections
import os
import random
import signal
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import eventually, plain_binary  # noqa: E402
from load import Load, empty, make_accounts  # noqa: E402

KILLS = int(os.environ.get('CRASH_KILLS', '50'))
ROUND = 50  # kills after which all is read back and the mailboxes are emptied
ROLES = ('store', 'edge', 'filter', 'keys')


def kill_all(server):
    server.kill()
    server.start()


def kill_monitor(server):
    """The others notice that it is gone, and go."""
    server.proc.kill()
    server.proc.wait()
    eventually(lambda: not server.processes(), 'the roles go when the monitor is gone')
    server.start()


def kill_role(server, role):
    """The monitor starts it again."""
    for (name, _), pid in server.roles().items():
        if name == role:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    assert server.proc.poll() is None, 'the monitor ended'


def kill(server, victim):
    {'all': kill_all, 'monitor': kill_monitor}.get(victim, lambda s: kill_role(s, victim))(server)


def logins_work(server):
    """Mail comes in without `keys`; who reads it has to wait until that is back too."""
    try:
        with server.pop3('u0@example.org') as p:
            p.quit()
    except (AssertionError, OSError):
        return False
    return True


def crash_round(server, name, kills, rnd, chosen):
    """(messages that got their 250, messages kept without, messages put off)"""
    with Load(server, name) as load:
        for n in range(1, kills + 1):
            time.sleep(rnd.uniform(0.05, 1.2))  # the random moment
            before = load.acknowledged()
            victim = rnd.choice(('all',) * 4 + ('monitor',) + ROLES)
            chosen[victim] += 1
            kill(server, victim)
            eventually(
                lambda: load.acknowledged() > before, f'mail flows again after kill {n} of {name} ({victim})', 60
            )
    eventually(lambda: logins_work(server), f'logins work after the kills of {name}', 60)
    sure, extra = load.judge()
    server.check_balance()
    server.check_store()
    return sure, extra, load.refused()


def crash_run(server, kills, seed, note):
    rnd, chosen, totals = random.Random(seed), collections.Counter(), [0, 0, 0]
    make_accounts(server)
    for first in range(0, kills, ROUND):
        counts = crash_round(server, f'{seed}.{first}', min(ROUND, kills - first), rnd, chosen)
        totals = [a + b for a, b in zip(totals, counts)]
        note(
            f'{sum(chosen.values())} kills {dict(chosen)}, seed {seed}: {totals[0]} messages acknowledged, none lost, '
            f'doubled or torn; {totals[1]} kept whole without their 250, {totals[2]} put off'
        )
        empty(server)


def test_killed_under_load(make_server, capsys):
    def note(text):
        with capsys.disabled():
            print(f'\n  crash: {text}')

    seed = int(os.environ.get('CRASH_SEED', random.randrange(1 << 32)))
    print(f'CRASH_SEED={seed}')
    crash_run(make_server('log warn', services=('smtp', 'pop3'), binary=plain_binary()), KILLS, seed, note)


if __name__ == '__main__':
    sys.exit(pytest.main(['-s', '-q', '-o', 'faulthandler_timeout=0', os.path.abspath(__file__)]))
