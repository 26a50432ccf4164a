# SPDX-License-Identifier: ISC
"""The queue as administrators see it, and what its destinations do to each other."""
import contextlib
import os
import signal
import sqlite3
import threading
import time

import pytest

import relaying
from harness import eventually, free_ports, message
from peer import CLOSE, USUAL, Peer

NO_SUCH_MESSAGE, WRONG_WORDS, MALFORMED = 67, 64, 65


@pytest.fixture
def peer():
    with Peer() as p:
        yield p


def relay(make_server, *routes, settings=''):
    lines = [f'route {pattern} smtp {address}' for pattern, address in routes]
    return make_server('\n'.join(['relay-from 127.0.0.0/8', *lines, settings]))


def nobody():
    return f'127.0.0.1:{free_ports(1)[0]}'


def send(server, *to, n=1, sender='sender@example.com'):
    ids = []
    with server.smtp() as c:
        for _ in range(n):
            ids.append(c.deliver(message(), *to, sender=sender).text.split()[-1])
        c.quit()
    return ids


def deferred(server, n):
    """Until the queue knows why `n` recipients are still there."""
    def there():
        rows = server.json('queue', 'list')
        return rows if len([r for r in rows if r['attempts'] > 0]) >= n else None
    return eventually(there, f'{n} delayed')


def test_list(make_server):
    one, two = (f'127.0.0.1:{port}' for port in free_ports(2))  # what fails at one destination does not wait for the other
    server = relay(make_server, ('example.com', one), ('*', two))
    assert server.cli('queue', 'list').stdout == 'the queue is empty\n'
    assert server.cli('queue', 'list', '--json').stdout == ''
    (mid,) = send(server, 'bob@example.com')
    send(server, 'carol@other.example', sender='')
    deferred(server, 2)
    lines = server.cli('queue', 'list').stdout.splitlines()
    assert lines[0].split() == ['id', 'age', 'sender', 'recipient', 'destination', 'next', 'reply']
    assert len(lines) == 3
    assert lines[1].split()[0] == mid and 'bob@example.com' in lines[1] and ' in ' in lines[1]
    assert ' <> ' in lines[2]
    (row,) = server.json('queue', 'list', mid)
    assert row['state'] == 'waiting' and row['attempts'] == 1 and row['reply']
    assert row['received'] < row['due']
    (row,) = server.json('queue', 'show', 'sender=<>')
    assert row['recipient'] == 'carol@other.example' and row['size'] > 0 and row['expires'] > row['due']
    assert 'carol@other.example' in server.cli('queue', 'show', 'domain=other.example').stdout
    assert server.cli('queue', 'list', 'older=1h').stdout == 'nothing in the queue is like that\n'


def test_wrong_words(make_server):
    server = relay(make_server, ('*', nobody()))
    server.cli('queue', 'dance', expect=WRONG_WORDS)
    server.cli('queue', expect=WRONG_WORDS)
    server.cli('queue', 'drop', expect=MALFORMED)
    server.cli('queue', 'list', 'colour=red', expect=MALFORMED)
    server.cli('queue', 'drop', '1A2B', expect=NO_SUCH_MESSAGE)


def test_without_a_server(make_server):
    server = relay(make_server, ('*', nobody()))
    (mid,) = send(server, 'bob@example.com')
    server.stop()
    assert server.cli('queue', 'hold', mid).stdout == 'affected  1\n'
    assert [r['state'] for r in server.json('queue', 'list')] == ['held']
    server.start()
    assert [r['state'] for r in server.json('queue', 'list')] == ['held']
    assert server.json('queue', 'drop', 'all', 'reason=not wanted') == [{'affected': 1}]
    assert 'not wanted' in server.cli('trace', mid).stdout


def test_flush_when_a_host_is_back(make_server):
    (port,) = free_ports(1)
    server = relay(make_server, ('*', f'127.0.0.1:{port}'))
    send(server, 'bob@example.com', n=20)
    rows = deferred(server, 1)
    assert len(rows) == 20
    with Peer(port=port) as peer:
        server.cli('queue', 'flush', 'example.com')
        peer.wait(20)
        eventually(lambda: server.balance()['relayed'] == 20, 'all are relayed')


def test_a_host_is_back(make_server):
    """What waits only because it was away goes with the next message that gets there, whatever its own time is."""
    (port,) = free_ports(1)
    server = relay(make_server, ('*', f'127.0.0.1:{port}'), settings='queue retry 1s 30m')
    send(server, 'bob@example.com')
    eventually(lambda: [r['attempts'] for r in server.json('queue', 'list')] == [2], 'a second attempt')
    with Peer(port=port, rules={'RCPT greylisted@example.com': '450 4.2.0 later'}) as peer:
        (greylisted,) = send(server, 'greylisted@example.com')
        (mid,) = send(server, 'carol@example.com')
        server.cli('queue', 'retry', mid)  # the host is not tried again for half an hour, unless somebody asks for it
        peer.wait(2)
        assert {to for d in peer.deliveries for to in d.to} == {'bob@example.com', 'carol@example.com'}
        eventually(lambda: [r['id'] for r in server.json('queue', 'list')] == [greylisted], 'one waits')
    assert 'ev=queue.back' in server.log()


def test_a_dead_host_delays_nobody(make_server, peer):
    server = relay(make_server, ('dead.example', nobody()), ('*', peer.address))
    send(server, 'bob@dead.example', n=300)
    send(server, 'bob@live.example', n=20)
    peer.wait(20)
    assert server.balance()['queued'] == 300


def test_senders_take_turns(make_server):
    """Whoever sends a hundred messages to one place delays nobody else's to it."""
    goes_on = threading.Event()
    with Peer(rules={'end': lambda p, line: USUAL if goes_on.wait(60) else CLOSE}) as peer:
        server = relay(make_server, ('*', peer.address), settings='queue per-destination 1')
        send(server, 'bob@example.com', n=100)
        send(server, 'bob@example.com', sender='someone@other.example')
        peer.wait_line('^(DATA|BDAT)')
        goes_on.set()
        senders = [d.sender for d in peer.wait(101)]
        assert senders.index('someone@other.example') < 10


def test_a_start_in_the_far_future(make_server):
    """As though the clock said that fourteen years had passed since the server was stopped: nothing is given up for that."""
    server = relay(make_server, ('*', nobody()))
    (mid,) = send(server, 'bob@example.com')
    deferred(server, 1)
    server.stop()
    years = 14 * 365 * 86400 * 1000000
    with contextlib.closing(sqlite3.connect(os.path.join(server.data, 'pombo.db'))) as db, db:
        db.execute("UPDATE meta SET value = value - ? WHERE key = 'clock'", [years])
        db.execute('UPDATE queue SET due = due - ?, expires = expires - ?', [years, years])
    server.start()
    rows = eventually(lambda: [r for r in server.json('queue', 'list') if r['attempts'] == 2], 'another attempt')
    assert rows[0]['id'] == mid and rows[0]['state'] == 'waiting'
    assert server.json('queue', 'show', mid)[0]['expires'] > time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(time.time() + 4 * 86400))
    assert 'ev=queue.clock' in server.log()


def test_held_back_mail_that_is_failed():
    """Its sender is told, also of mail for a mailbox here."""
    with relaying.relaying() as server:
        alice, bob = server.account('alice@example.org'), server.account('bob@example.org')
        mail = relaying.send(server, bob, sender=alice, params='HOLDFOR=3600')
        assert [r['state'] for r in server.json('queue', 'list')] == ['waiting']
        server.cli('queue', 'fail', mail.mid, 'reason=not today')
        fields = relaying.status_fields(relaying.report(server, alice))
        assert fields['action'] == 'failed' and fields['final-recipient'].endswith(bob)
        assert relaying.told(mail, 'failed').reply == 'not today'
        assert server.mailbox(bob) == []


def test_the_store_dies_while_mail_leaves(make_server, peer):
    """All arrives, and nothing twice: what was sent meanwhile is told to the new store, and what is being sent is not begun again."""
    server = relay(make_server, ('*', peer.address), settings='queue retry 1s')
    peer.delay = 0.01
    sent = {f'r{i}@example.com' for i in range(200)}
    for to in sorted(sent):
        send(server, to)
    for _ in range(3):
        before = len(peer.deliveries)
        peer.wait_for(lambda p: len(p.deliveries) >= min(before + 10, 200), 'more mail')
        os.kill(eventually(lambda: server.roles().get(('store', 0)), 'a store'), signal.SIGKILL)
    eventually(lambda: server.balance()['relayed'] == 200, 'all are relayed')
    assert sorted(to for d in peer.deliveries for to in d.to) == sorted(sent)


def test_the_store_dies_while_a_message_is_in_the_air(make_server):
    goes_on = threading.Event()
    with Peer(rules={'end': lambda p, line: USUAL if goes_on.wait(60) else CLOSE}) as peer:
        server = relay(make_server, ('*', peer.address))
        send(server, 'bob@example.com')
        peer.wait_line('^(DATA|BDAT)')
        os.kill(server.roles()['store', 0], signal.SIGKILL)
        eventually(lambda: 'ev=relay.in-hand' in server.log(), 'it is leased again')
        goes_on.set()
        eventually(lambda: server.balance()['relayed'] == 1, 'it is relayed')
        assert len(peer.deliveries) == 1
