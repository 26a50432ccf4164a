# SPDX-License-Identifier: ISC
"""The resolver of the running server, asked by `pombo dns lookup`, in the DNS of dnsworld.py."""
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from harness import HERE, Server, eventually, need

dnsworld = pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')
numbers = itertools.count(1)


@pytest.fixture(scope='module')
def world(session_dns):
    """Zones of all kinds."""
    w = session_dns
    w.zone(
        'secure.test',
        '@ MX 20 mx2',
        '@ MX 10 mx1',
        'mx1 77 A 127.0.0.2',
        'mx1 AAAA ::1',
        'mx2 A 127.0.0.3',
        '_25._tcp.mx1 TLSA 3 1 1 ' + 'ab' * 32,
        '_submissions._tcp SRV 0 1 465 mx1',
        'alias CNAME mx1',
        'abroad CNAME www.plain.test.',
        'to-old CNAME www.old.test.',
        'to-none CNAME none.secure.test.',
        'loop1 CNAME loop2',
        'loop2 CNAME loop1',
        *(f'chain{i} CNAME chain{i + 1}' for i in range(30)),
        'chain30 A 127.0.0.2',
        '*.wild A 127.0.0.9',
        *(f'n{i} A 127.0.0.9' for i in range(100)),
        'big TXT ' + ' '.join(f'"{i:02d}{"x" * 240}"' for i in range(40)),
        *(f'many A 10.0.{i // 250}.{i % 250}' for i in range(900)),
        'null MX 0 .',
        ttl=120,
    )
    w.zone('plain.test', 'www A 127.0.0.4', 'txt TXT "v=spf1" " -all"', state='insecure')
    w.zone('old.test', 'www A 127.0.0.5', state='bogus')
    w.zone('stripped.test', 'www A 127.0.0.6', state='unsigned')
    w.zone('0.0.127.in-addr.arpa', '2 PTR mx1.secure.test.')
    w.zone('2.0.192.in-addr.arpa', '7 PTR mx1.secure.test.', state='insecure')
    w.load()
    return w


@pytest.fixture(scope='module')
def resolving(world):
    server = Server(world.settings)
    try:
        server.start()
        eventually(lambda: ('resolve', 0) in server.roles(), 'resolve is there')
        yield server
    finally:
        world.scripts.clear()
        server.close()


@pytest.fixture
def lookup(world, resolving):
    def ask(name, rdtype='A', server=resolving):
        return server.json('dns', 'lookup', name, rdtype)

    roles = resolving.roles()
    yield ask
    world.scripts.clear()
    resolving.check_log()
    assert {r for r in roles} == {r for r in resolving.roles()}


def fresh():
    """A name that nobody has asked for."""
    return f'n{next(numbers)}.secure.test'


def one(rows):
    assert len(rows) == 1, rows
    return rows[0]


def data(rows):
    return sorted(row['data'] for row in rows)


# --- what can be trusted ---


def test_secure(lookup):
    rows = lookup('secure.test', 'MX')
    assert data(rows) == ['10 mx1.secure.test', '20 mx2.secure.test']
    assert {row['security'] for row in rows} == {'secure'}
    assert {row['rcode'] for row in rows} == {'NOERROR'}
    assert all(0 < row['ttl'] <= 120 for row in rows)


@pytest.mark.parametrize(
    'name,rdtype,want',
    [
        ('mx1.secure.test', 'A', '127.0.0.2'),
        ('mx1.secure.test', 'AAAA', '::1'),
        ('_25._tcp.mx1.secure.test', 'TLSA', '3 1 1 ' + 'ab' * 32),
        ('_submissions._tcp.secure.test', 'SRV', '0 1 465 mx1.secure.test'),
        ('null.secure.test', 'MX', '0 .'),
        ('Mx1.SECURE.test', 'A', '127.0.0.2'),
        ('anything.wild.secure.test', 'A', '127.0.0.9'),
    ],
)
def test_types(lookup, name, rdtype, want):
    row = one(lookup(name, rdtype))
    assert (row['data'], row['security']) == (want, 'secure')


def test_insecure(lookup):
    """The parent proves that there are no signatures."""
    row = one(lookup('www.plain.test'))
    assert (row['data'], row['security']) == ('127.0.0.4', 'insecure')
    assert one(lookup('txt.plain.test', 'TXT'))['data'] == '"v=spf1" " -all"'


@pytest.mark.parametrize('zone', ['old', 'stripped'])
def test_bogus(lookup, zone):
    """Signatures that have expired; none where the parent says that there are some."""
    row = one(lookup(f'www.{zone}.test'))
    assert (row['data'], row['security']) == ('', 'bogus')
    assert row['why']


def test_a_forged_answer_is_bogus(lookup, world):
    name = fresh()
    world.script(name, dnsworld.records(b'\x0a\0\0\1'), 'A')
    assert one(lookup(name))['security'] == 'bogus'


def test_denials_are_proved(lookup):
    row = one(lookup('no-such-name.secure.test', 'MX'))
    assert (row['rcode'], row['security'], row['data']) == ('NXDOMAIN', 'secure', '')
    row = one(lookup('mx1.secure.test', 'MX'))
    assert (row['rcode'], row['security'], row['data']) == ('NOERROR', 'secure', '')
    row = one(lookup('no-such-name.plain.test', 'MX'))
    assert (row['rcode'], row['security']) == ('NXDOMAIN', 'insecure')


def test_private_networks_have_names(lookup):
    """127.in-addr.arpa stays at home; what is written in documents is asked for like anything else."""
    assert one(lookup('1.0.0.127.in-addr.arpa', 'PTR'))['data'] == 'localhost'
    assert one(lookup('7.2.0.192.in-addr.arpa', 'PTR'))['data'] == 'mx1.secure.test'


# --- chains ---


def test_alias(lookup):
    row = one(lookup('alias.secure.test'))
    assert (row['name'], row['data'], row['security']) == ('mx1.secure.test', '127.0.0.2', 'secure')
    assert row['ttl'] <= 77, 'the least of the chain'
    assert one(lookup('alias.secure.test', 'CNAME'))['data'] == 'mx1.secure.test'


def test_an_alias_is_as_safe_as_its_weakest_link(lookup):
    row = one(lookup('abroad.secure.test'))
    assert (row['name'], row['data'], row['security']) == ('www.plain.test', '127.0.0.4', 'insecure')
    assert one(lookup('to-old.secure.test'))['security'] == 'bogus'
    row = one(lookup('to-none.secure.test'))
    assert (row['rcode'], row['security']) == ('NXDOMAIN', 'secure')


@pytest.mark.parametrize('name', ['loop1', 'chain0'])
def test_bad_input_44_alias_loops_and_long_chains(lookup, name):
    start = time.monotonic()
    rows = lookup(f'{name}.secure.test')
    assert all(row['data'] == '' for row in rows)
    assert time.monotonic() - start < 15


# --- large answers ---


def test_bad_input_44_many_records(lookup):
    assert len(lookup('many.secure.test')) == 900


def test_large_text_over_tcp(lookup, world):
    row = one(lookup('big.secure.test', 'TXT'))
    assert len(row['data']) > 9000 and row['security'] == 'secure'
    assert ('big.secure.test', 'TXT', 'tcp') in world.questions


def test_truncated(lookup, world):
    name = fresh()
    world.script(name, dnsworld.truncated)
    assert one(lookup(name))['data'] == '127.0.0.9'


# --- servers that fail ---


@pytest.mark.parametrize('what', ['SERVFAIL', 'REFUSED'])
def test_bad_input_45_failure(lookup, world, what):
    name = fresh()
    world.script(name, dnsworld.rcode(what))
    row = one(lookup(name))
    assert (row['rcode'], row['data']) == ('SERVFAIL', '')


def test_failures_are_not_remembered_for_long(lookup, world):
    name = fresh()
    world.script(name, dnsworld.rcode('SERVFAIL'))
    assert one(lookup(name))['rcode'] == 'SERVFAIL'
    world.scripts.clear()
    eventually(lambda: one(lookup(name))['data'] == '127.0.0.9', 'the server is asked again')


def test_a_lost_packet_does_no_harm(lookup, world):
    name = fresh()
    world.script(name, dnsworld.first(1, dnsworld.silence))
    assert one(lookup(name))['data'] == '127.0.0.9'


def test_answers_of_others_do_not_count(lookup, world):
    name = fresh()
    world.script(name, dnsworld.first(1, dnsworld.wrong_id))
    assert one(lookup(name))['data'] == '127.0.0.9'


def test_garbage(lookup, world):
    name = fresh()
    world.script(name, dnsworld.garbage)
    row = one(lookup(name))
    assert row['data'] == '' and row['rcode'] == 'SERVFAIL'


@pytest.mark.parametrize('octets', [b'', b'\0', b'\0\x0a', b'\0\x0a\x04mai', b'\0\x0a\xc0\xff', b'\0\x0a\x01a\0x'])
def test_bad_input_43_record_data(lookup, world, octets):
    """Of a zone that is not signed, as it would come from anybody."""
    name = f'n{next(numbers)}.plain.test'
    world.script(name, dnsworld.records(octets), 'MX')
    for row in lookup(name, 'MX'):
        assert row['data'] == '' or row['data'].startswith('\\# '), 'no name was made of it'


@pytest.mark.parametrize('octets', [b'', b'\3', b'\3\1', b'\3\1\1'])
def test_bad_input_43_tlsa(lookup, world, octets):
    name = f'n{next(numbers)}.plain.test'
    world.script(name, dnsworld.records(octets), 'TLSA')
    for row in lookup(name, 'TLSA'):
        assert row['data'] == '' or row['data'].startswith('\\# ')


@pytest.mark.parametrize('octets', [b'', b'\5abc', b'\1ab\4c'])
def test_bad_input_43_txt(lookup, world, octets):
    name = f'n{next(numbers)}.plain.test'
    world.script(name, dnsworld.records(octets), 'TXT')
    for row in lookup(name, 'TXT'):
        assert row['data'] == '' or row['data'].startswith('\\# ')


def test_control_characters_do_not_reach_the_terminal(lookup, resolving, world):
    name = f'n{next(numbers)}.plain.test'
    world.script(name, dnsworld.records(b'\5\x1b[2J\n'), 'TXT')
    assert '\x1b' not in resolving.cli('dns', 'lookup', name, 'TXT').stdout


# --- the cache, and the process ---


def test_what_was_heard_is_remembered(lookup, world):
    name = fresh()
    first = one(lookup(name))
    asked = world.asked(name)
    assert one(lookup(name))['data'] == first['data']
    assert world.asked(name) == asked


def test_a_silent_resolver_is_given_up(make_server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(('127.0.0.1', 0))
        server = make_server(f'resolver 127.0.0.1:{silent.getsockname()[1]}')
        start = time.monotonic()
        r = server.cli('dns', 'lookup', 'example.com', 'A', '--json', expect=None)
        assert r.returncode == 75 or json.loads(r.stdout)['rcode'] == 'SERVFAIL'
        assert 2 < time.monotonic() - start < 28


def test_another_anchor_makes_everything_bogus(make_server, world):
    """The one that is built in does not know our root."""
    server = make_server(world.settings.splitlines()[1])
    assert one(server.json('dns', 'lookup', 'mx1.secure.test', 'A'))['security'] == 'bogus'


def test_killing_the_role(lookup, resolving):
    assert one(lookup('mx1.secure.test'))['data'] == '127.0.0.2'
    victim = resolving.roles()['resolve', 0]
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: resolving.roles().get(('resolve', 0), victim) != victim, 'it is started again')

    def answers():
        r = resolving.cli('dns', 'lookup', 'mx1.secure.test', 'A', '--json', expect=None)
        return r.returncode == 0 and json.loads(r.stdout)['data'] == '127.0.0.2'

    eventually(answers, 'it answers again')


def test_reload_with_another_resolver(make_server, world):
    server = make_server('resolver 127.0.0.1:9\ntrust-anchor ' + world.anchor)
    server.settings = world.settings
    server.write_config()
    server.cli('reload')
    assert one(server.json('dns', 'lookup', 'mx1.secure.test', 'A'))['security'] == 'secure'


def test_single(make_server, world):
    server = make_server(world.settings, single=True)
    assert one(server.json('dns', 'lookup', 'mx1.secure.test', 'A'))['security'] == 'secure'


def test_a_bad_anchor_stops_the_start(make_server, tmp_path):
    anchor = tmp_path / 'anchor'
    anchor.write_text('<html>\n')
    server = make_server(f'trust-anchor {anchor}', start=False)
    with pytest.raises(AssertionError):
        server.start()
    assert 'trust anchor' in server.log()
    server.kill()


def test_questions_that_cannot_be(lookup, resolving):
    resolving.cli('dns', 'lookup', 'example.com', 'NOPE', expect=65)
    resolving.cli('dns', 'lookup', 'ex ample.com', 'A', expect=65)
    assert resolving.cli('dns', 'lookup', 'a' * 64 + '.example.com', 'A', expect=None).returncode in (65, 71, 75)
    resolving.cli('dns', 'lookup', expect=64)


def test_without_a_server(make_server):
    make_server(start=False).cli('dns', 'lookup', 'example.com', expect=69)


# --- without a resolver: from the root ---

ROOT_SERVERS = (
    '198.41.0.4 199.9.14.201 192.33.4.12 199.7.91.13 192.203.230.10 192.5.5.241 192.112.36.4 198.97.190.53 '
    '192.36.148.17 192.58.128.30 193.0.14.129 199.7.83.42 202.12.27.33'
).split()
NAME_SERVER = '192.0.2.53'


def test_from_the_root():
    """In a network of its own, in which the addresses of the root servers are ours."""
    need('unshare'), need('ip')
    if subprocess.run(['unshare', '-n', 'true'], capture_output=True).returncode != 0:
        pytest.skip('no network namespace can be made')
    addresses = ''.join(f'ip address add {a}/32 dev lo && ' for a in ROOT_SERVERS + [NAME_SERVER])
    inside = f'ip link set lo up && {addresses} exec "$0" "$1"'
    r = subprocess.run(
        ['unshare', '-n', 'sh', '-c', inside, sys.executable, os.path.join(HERE, 'test_resolve.py')],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert r.returncode == 0, r.stdout + r.stderr


def ask_from_the_root():
    world = dnsworld.DnsWorld(root_servers=ROOT_SERVERS, name_server=NAME_SERVER)
    world.zone('secure.test', '@ MX 10 mx', 'mx A 127.0.0.2')
    world.zone('plain.test', '@ MX 10 mx', state='insecure')
    world.zone('old.test', '@ MX 10 mx', state='bogus')
    world.load()
    server = Server(world.settings)
    try:
        server.start()
        for zone, security in (('secure', 'secure'), ('plain', 'insecure'), ('old', 'bogus')):
            row = one(server.json('dns', 'lookup', f'{zone}.test', 'MX'))
            assert row['security'] == security, row
            assert row['data'] == ('' if security == 'bogus' else f'10 mx.{zone}.test'), row
        assert one(server.json('dns', 'lookup', 'none', 'MX'))['rcode'] == 'NXDOMAIN'
    finally:
        server.close()
        world.close()


if __name__ == '__main__':
    ask_from_the_root()
