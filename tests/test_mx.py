# SPDX-License-Identifier: ISC
"""From a domain to its servers: MX and address records in the DNS of dnsworld.py, servers on addresses of loopback, all on one port."""
import contextlib
import time

import pytest

from harness import eventually, free_ports
from peer import Peer
from relaying import delivered, drained, forget, relay_server, reports, send, start, status_fields, told, trace

dnsworld = pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')

A, B, C = '127.0.0.11', '127.0.0.12', '127.0.0.13'
EQUAL = 16


@pytest.fixture(scope='module')
def world(session_dns):
    """mx.test: each name is a domain; a, b, c are servers, dead listens nowhere, v6 is ::1, both is ::1 and 127.0.0.11."""
    session_dns.zone(
        'mx.test',
        f'a A {A}',
        f'b A {B}',
        f'c A {C}',
        'dead A 127.0.0.99',
        'v6 AAAA ::1',
        f'both A {A}',
        'both AAAA ::1',
        'order MX 30 c',
        'order MX 5 a',
        'order MX 20 b',
        *(f'equal{i} MX 10 {host}' for i in range(EQUAL) for host in 'ab'),
        'evenly MX 10 dead',
        'evenly MX 10 a',
        f'address A {A}',
        *(f'dual{i} MX 1 both' for i in range(3)),
        'sixth MX 1 v6',
        'sixth-address AAAA ::1',
        'partly MX 1 nothing',
        'partly MX 2 a',
        'nothing TXT "no address"',
        'nowhere MX 1 nothing',
        'nowhere MX 2 not-there',
        'null MX 0 .',
        'alias CNAME order',
        'cname-host MX 1 other-name',
        'other-name CNAME a',
        'circle1 CNAME circle2',
        'circle2 CNAME circle1',
        'to-circle MX 1 circle1',
        'ours MX 10 mx.example.org.',
        'ours MX 20 a',
        'loopback MX 10 lo4',
        'lo4 A 127.0.0.1',
        'loopback6 MX 10 lo6',
        'lo6 AAAA ::1',
        'unspecified MX 10 zero',
        'zero A 0.0.0.0',
        'slow MX 1 a',
        'failing MX 1 a',
        'half MX 1 failing-host',
        f'failing-host A {B}',
        'half MX 2 a',
        'mangled MX 1 a',
        'silent MX 1 a',
        'xn--bcher-kva MX 1 a',
    )
    session_dns.zone('old-mx.test', '@ MX 1 a.mx.test.', state='bogus')
    session_dns.zone(
        'plain-mx.test',
        'mangled MX 1 a.mx.test.',
        *(f'crowd MX {i} crowd{i}' for i in range(100)),
        *(f'crowd{i} A {A}' for i in range(100)),
        *(f'many A 127.1.{i // 250}.{i % 250 + 1}' for i in range(700)),
        state='insecure',
    )
    session_dns.load()
    return session_dns


@pytest.fixture(scope='module')
def port():
    return free_ports(1)[0]


@pytest.fixture(scope='module')
def mx(world, port):
    """A server for all tests. What the DNS never answers is asked for at once, so that nobody waits for it in the end."""
    server = relay_server(f'{world.settings}\nroute * mx port {port} loopback allow')
    start(server)
    server.account('author@example.org')
    world.script('silent.mx.test', dnsworld.silence)
    server.unanswered = send(server, 'bob@silent.mx.test')
    yield server
    world.scripts.clear()
    server.close()


@pytest.fixture
def hosts(port):
    """hosts(A, B, ...): servers on these addresses, see Peer."""
    with contextlib.ExitStack() as stack:
        yield lambda *addresses, **kw: [stack.enter_context(Peer(address, port, **kw)) for address in addresses]


# --- which one ---


def test_the_preferred_one(mx, hosts):
    a, b, c = hosts(A, B, C)
    mail = send(mx, 'bob@order.mx.test')
    fate = told(mail, 'relayed')
    assert fate.host == f'a.mx.test[{A}]:{a.port}' and fate.reply == '250 2.0.0 kept' and fate.security == ''
    assert len(a.deliveries) == 1 and b.connections + c.connections == 0
    [row] = trace(mail, 'relayed')
    assert row['host'] == fate.host and row['reply'] == fate.reply


@pytest.mark.parametrize('step, code', [('connect', '421 4.3.2 not now'), ('connect', '554 5.3.2 not here'), ('EHLO', '421 4.3.2 not now'), ('EHLO', '554 5.3.2 not here'),
                                        ('MAIL', '421 4.3.2 not now'), ('MAIL', '451 4.3.0 not now')])
def test_the_next_one(mx, hosts, step, code):
    """What is about the server, not about the recipient, is not the other servers' opinion."""
    a, b = hosts(A, B, extensions=())
    a.rules.update({step: code, 'HELO': code})
    mail = send(mx, 'bob@order.mx.test')
    assert told(mail, 'relayed').host.startswith('b.mx.test')
    assert a.connections == 1 and len(b.deliveries) == 1


def test_nobody_listens_at_the_first_two(mx, hosts):
    [c] = hosts(C)
    send(mx, 'bob@order.mx.test')
    c.wait()


def test_a_refused_recipient_is_not_taken_elsewhere(mx, hosts):
    a, b = hosts(A, B)
    a.rules['RCPT'] = '550 5.1.1 no such user'
    mail = send(mx, 'bob@order.mx.test', sender='')
    assert told(mail, 'failed').reply == '550 5.1.1 no such user'
    assert b.connections == 0


def test_a_busy_recipient_waits_for_the_same(mx, hosts):
    a, b = hosts(A, B)
    a.rules['RCPT'] = '450 4.2.1 busy'
    mail = send(mx, 'bob@order.mx.test')
    assert told(mail, 'delayed').reply == '450 4.2.1 busy'
    a.rules.clear()
    delivered(mail)
    assert b.connections == 0


def test_equals_share(mx, hosts):
    """RFC 5321 5.1: in random order."""
    a, b = hosts(A, B)
    mail = send(mx, *(f'bob@equal{i}.mx.test' for i in range(EQUAL)))
    delivered(mail)
    assert len(a.deliveries) + len(b.deliveries) == EQUAL
    assert a.deliveries and b.deliveries


def test_an_equal_one_is_dead(mx, hosts):
    hosts(A)
    for _ in range(3):
        assert told(send(mx, 'bob@evenly.mx.test'), 'relayed').host.startswith('a.mx.test')


def test_domains_by_any_case(mx, hosts):
    [a] = hosts(A)
    delivered(send(mx, 'Bob@ORDER.mx.TEST'))
    assert [d.to for d in a.deliveries] == [['Bob@order.mx.test']]


def test_names_beyond_ascii(mx, hosts):
    """RFC 5890: who does not know SMTPUTF8 is told the A-label."""
    [a] = hosts(A, extensions=('8BITMIME',))
    mail = send(mx, 'bob@bücher.mx.test', params='SMTPUTF8')
    delivered(mail)
    assert [d.to for d in a.deliveries] == [['bob@xn--bcher-kva.mx.test']]


# --- where it is ---


@pytest.mark.parametrize('domain, address', [('address', A), ('sixth', '::1'), ('sixth-address', '::1'), ('cname-host', A), ('alias', A)])
def test_other_ways_to_a_server(mx, hosts, domain, address):
    """RFC 5321 5.1: without MX the domain itself; a CNAME is followed."""
    [peer] = hosts(address)
    fate = told(send(mx, f'bob@{domain}.mx.test'), 'relayed')
    assert len(peer.deliveries) == 1 and f'[{address}]:' in fate.host


@pytest.mark.parametrize('literal, address', [(f'[{A}]', A), ('[IPv6:::1]', '::1')])
def test_literals(mx, hosts, literal, address):
    [peer] = hosts(address)
    delivered(send(mx, f'bob@{literal}'))
    assert len(peer.deliveries) == 1


def test_ipv6_first_ipv4_as_well(mx, hosts):
    four, six = hosts(A, '::1')
    assert '[::1]' in told(send(mx, 'bob@dual0.mx.test'), 'relayed').host
    assert four.connections == 0
    six.rules['connect'] = '421 4.3.2 not over IPv6'
    assert f'[{A}]' in told(send(mx, 'bob@dual1.mx.test'), 'relayed').host
    assert len(four.deliveries) == 1


def test_ipv4_alone_answers(mx, hosts):
    [four] = hosts(A)
    delivered(send(mx, 'bob@dual2.mx.test'))
    assert len(four.deliveries) == 1


def test_a_host_without_an_address(mx, hosts):
    hosts(A)
    delivered(send(mx, 'bob@partly.mx.test'))


def test_no_host_has_an_address(mx):
    mail = send(mx, 'bob@nowhere.mx.test', sender='')
    assert told(mail, 'failed').status == '5.4.4'


# --- nobody is there ---


def test_null_mx(mx, hosts):
    """RFC 7505."""
    [a] = hosts(A)
    mail = send(mx, 'bob@null.mx.test', sender='author@example.org')
    assert told(mail, 'failed').status == '5.1.10'
    [report] = eventually(lambda: reports(mx, 'author@example.org'), 'a report')
    fields = status_fields(report)
    assert fields['status'] == '5.1.10' and fields['action'] == 'failed' and 'diagnostic-code' not in fields
    assert a.connections == 0


@pytest.mark.parametrize('domain', ['not-there.mx.test', 'nothing.mx.test'])
def test_bad_input_45_no_such_domain(mx, domain):
    mail = send(mx, f'bob@{domain}', sender='')
    assert told(mail, 'failed').status == '5.1.2'


# --- not to be known now ---


def test_bad_input_45_bogus(mx):
    """Signatures that do not hold are somebody's attempt to lead mail elsewhere, or an accident: it waits."""
    mail = send(mx, 'bob@old-mx.test')
    fate = told(mail, 'delayed')
    assert fate.status == '4.7.5' and 'old-mx.test' in fate.reply and fate.host == ''
    forget([mail])


def test_bad_input_45_servfail(mx, world, hosts):
    [a] = hosts(A)
    world.script('failing.mx.test', dnsworld.rcode('SERVFAIL'))
    mail = send(mx, 'bob@failing.mx.test')
    assert told(mail, 'delayed').status == '4.4.3'
    assert a.connections == 0
    forget([mail])


def test_servfail_of_one_host(mx, world, hosts):
    """The other one is as good."""
    [a] = hosts(A)
    world.script('failing-host.mx.test', dnsworld.rcode('SERVFAIL'))
    delivered(send(mx, 'bob@half.mx.test'))
    assert len(a.deliveries) == 1


@pytest.mark.parametrize('domain', ['mangled.mx.test', 'mangled.plain-mx.test'])
@pytest.mark.parametrize('octets', [b'', b'\0', b'\0\1', b'\0\1\3ab'], ids=['0', '1', '2', 'cut'])
def test_bad_input_43_mx_records(mx, world, hosts, domain, octets):
    """Nobody makes a name of it, and mail is not lost by it."""
    [a] = hosts(A)
    world.script(domain, dnsworld.records(octets), 'MX')
    mail = send(mx, f'bob@{domain}')
    assert told(mail, 'delayed', 'failed').status[0] == '4'
    assert a.connections == 0
    world.scripts.pop((domain, 'MX'))
    forget([mail])


# --- loops ---


@pytest.mark.parametrize('domain', ['circle1.mx.test', 'to-circle.mx.test'])
def test_bad_input_44_names_in_a_circle(mx, domain):
    mail = send(mx, f'bob@{domain}', sender='')
    told(mail, 'delayed', 'failed')
    forget([mail])


@pytest.mark.parametrize('domain', ['crowd', 'many'])
def test_bad_input_44_a_crowd_of_hosts(mx, hosts, domain):
    """An attempt is bounded, in servers and in time."""
    [a] = hosts(A, rules={'connect': '421 4.3.2 not now'})
    begun = time.monotonic()
    mail = send(mx, f'bob@{domain}.plain-mx.test')
    told(mail, 'delayed')
    assert a.connections <= 5 and time.monotonic() - begun < 20
    forget([mail])


@pytest.fixture(scope='module')
def strict(world, port):
    server = start(relay_server(f'{world.settings}\nroute * mx port {port}'))
    yield server
    server.close()


@pytest.mark.parametrize('domain', ['ours.mx.test', 'loopback.mx.test', 'loopback6.mx.test', 'unspecified.mx.test', '[127.0.0.1]', '[127.9.9.9]', '[IPv6:::1]', '[0.0.0.0]',
                                    '[IPv6:::ffff:127.0.0.1]'])
def test_bad_input_36_mail_for_this_machine(strict, hosts, domain):
    """RFC 5321 5.1, 3.6.2: it would come back for ever."""
    servers = hosts('127.0.0.1', '::1', A)
    mail = send(strict, f'bob@{domain}', sender='')
    fate = told(mail, 'failed')
    assert fate.status == '5.4.6', fate
    assert sum(s.connections for s in servers) == 0


def test_bad_input_36_null_mx(strict):
    assert told(send(strict, 'bob@null.mx.test', sender=''), 'failed').status == '5.1.10'


# --- the one that never answered ---


def test_bad_input_45_silence(mx, world, hosts):
    """It did not hold up anything above; now it has been given up, for a while."""
    assert told(mx.unanswered, 'delayed', timeout=60).status == '4.4.3'
    [a] = hosts(A)
    world.script('silent.mx.test', None)
    mx.cli('queue', 'retry', mx.unanswered.mid)
    delivered(mx.unanswered, timeout=60)
    drained(mx)
