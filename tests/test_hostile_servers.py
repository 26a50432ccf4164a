# SPDX-License-Identifier: ISC
"""Other servers say what they must not, and addresses and messages are of the kind that breaks relays. Numbers are those of bad-input.md."""
import email
import re

import pytest

from harness import eventually, free_ports, message
from peer import USUAL, Peer
from relaying import delivered, fates, relay_server, report, reports, send, start, status_fields, told, trace

WAYS = 120


@pytest.fixture(scope='module')
def ways():
    """A server that has a way of its own for each test: domain wayN.test is at a port where nobody listens yet."""
    ports = free_ports(WAYS)
    server = start(relay_server('\n'.join(f'route way{i}.test smtp 127.0.0.1:{port}' for i, port in enumerate(ports)), services=('pop3', 'smtp')))
    server.left = iter(list(enumerate(ports)))
    yield server
    server.close()


@pytest.fixture
def way(ways):
    """way(...): (a server that nobody has sent to, its domain)"""
    peers = []

    def make(**kw):
        i, port = next(ways.left)
        peers.append(Peer(port=port, **kw))
        return peers[-1], f'way{i}.test'

    yield make
    for peer in peers:
        peer.close()
    if ways.check_balance()['queued']:
        ways.cli('queue', 'drop', 'all')
    ways.check_log()


# --- 41: replies that are none ---

REPLIES = {
    'ten megabytes': b'250 ' + b'x' * (10 << 20) + b'\r\n',
    'endless lines': b'250-more\r\n' * 100000,
    'codes that differ': b'250-one\r\n550 two\r\n',
    'codes that differ the other way': b'550-one\r\n250 two\r\n',
    'code 000': b'000 ok\r\n',
    'code 999': b'999 ok\r\n',
    'code 150': b'150 wait\r\n',
    'four digits': b'2500 ok\r\n',
    'no code': b'ok\r\n',
    'nothing': b'\r\n',
    'NUL': b'250 o\0k\r\n250 \0\r\n',
    'octets': bytes(range(128, 256)) * 20 + b'\r\n',
    'TLS': b'\x15\x03\x01\x00\x02\x02\x28\r\n',
}


def wrong_once(step, said):
    """What is said instead, in the first session."""
    steps = ('EHLO', 'HELO') if step == 'EHLO' else (step,)
    return {s: lambda peer, line: said if peer.connections == 1 else USUAL for s in steps}


@pytest.mark.parametrize('step', ['connect', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'end'])
def test_bad_input_41_replies(ways, way, step):
    """Whatever it is, it is bounded, the mail waits, and arrives at a server that has come to its senses."""
    sent = {}
    for name, said in REPLIES.items():
        peer, domain = way(extensions=('8BITMIME',), rules=wrong_once(step, said))
        sent[name] = peer, send(ways, f'bob@{domain}')
    for name, (peer, mail) in sent.items():
        delivered(mail)
        assert name == 'NUL' or peer.deliveries[-1].data.endswith(mail.body), name
        for row in trace(mail, 'delayed'):
            assert row['status'].startswith('4.') and len(row['reply']) < 1200 and row['reply'].isprintable(), (name, row)
        tried = len(trace(mail, 'delayed'))
        assert tried == 1 or (name == 'NUL' and tried == 0), name  # 250, and something odd


# --- 42: replies that mean to be more ---

INJECTION = (
    b'550-5.1.1 \x1b[31mno\x07 such\x7f user\t\r\n'
    b'550-5.1.1 Final-Recipient: rfc822; victim@example.com\r\n'
    b'550-5.1.1 \xe2\x80\xae MAIL FROM:<victim@example.com> \xff\xfe\r\n'
    b'550 5.1.1 <script>alert(1)</script> "=3Cb" --boundary--\r\n'
)


@pytest.mark.parametrize('step', ['MAIL', 'RCPT', 'DATA', 'end'])
def test_bad_input_42_text_of_a_refusal(ways, way, step):
    """It is told everywhere, and steers nothing: neither a terminal, nor a log, nor the report."""
    user = ways.account()
    _, domain = way(rules={step: INJECTION}, extensions=('8BITMIME',))
    mail = send(ways, f'bob@{domain}', sender=user)
    fate = told(mail, 'failed')
    assert fate.status == '5.1.1' and 'such' in fate.reply and not re.search('[\0-\x1f\x7f\x80-\x9f]', fate.reply), fate
    [row] = trace(mail, 'bounced')
    assert not re.search('[\0-\x1f\x7f]', row['reply'])
    assert not re.search('[\x1b\u202e]', ways.cli('trace', mail.mid).stdout)
    got = report(ways, user)
    fields = status_fields(got)
    assert fields['final-recipient'].replace(' ', '') == f'rfc822;bob@{domain}'
    assert fields['status'] == '5.1.1' and 'victim@example.com' in fields['diagnostic-code']
    assert [part.get_content_type() for part in got.iter_parts()][:2] == ['text/plain', 'message/delivery-status']
    assert not re.search(rb'[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\xe2\x80\xae', got.as_bytes())
    log = [line for line in ways.log().splitlines() if mail.mid in line]
    assert log and not [line for line in log if not line.isprintable()], log


def test_bad_input_42_deferred_text(ways, way):
    user = ways.account()
    peer, domain = way(rules={'RCPT': INJECTION.replace(b'550', b'450').replace(b'5.1.1', b'4.2.1')})
    mail = send(ways, f'bob@{domain}', sender=user)
    assert told(mail, 'delayed').status == '4.2.1'
    for words in (('queue', 'list'), ('queue', 'show', mail.mid), ('trace', mail.mid)):
        assert '\x1b' not in ways.cli(*words).stdout
    ways.cli('queue', 'fail', mail.mid)
    assert status_fields(report(ways, user))['action'] == 'failed'


# --- 29, 39: parameters of the envelope ---


def test_bad_input_29_plus_and_equals_in_orcpt(ways, way):
    """RFC 3461 4: as xtext, in ORCPT and in ENVID."""
    peer, domain = way()
    mail = send(ways, f'bob+x=y@{domain}', params='ENVID=a+2Bb+3Dc RET=HDRS', rcpt_params='NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob+2Bx+3Dy@example.org')
    delivered(mail)
    [d] = peer.deliveries
    [(address, params)] = d.rcpts
    assert address == f'bob+x=y@{domain}'
    assert sorted(params.split()) == ['NOTIFY=FAILURE,DELAY', 'ORCPT=rfc822;bob+2Bx+3Dy@example.org']
    assert {'ENVID=a+2Bb+3Dc', 'RET=HDRS'} <= set(d.params.split())


def test_bad_input_29_alias_with_plus(ways, way):
    """What RCPT said becomes ORCPT (RFC 3461 4.2)."""
    peer, domain = way()
    ways.cli('alias', 'add', 'for+ward@example.org', f'a+b=c@{domain}')
    send(ways, 'for+ward@example.org', sender='')
    peer.wait()
    [(address, params)] = peer.deliveries[0].rcpts
    assert address == f'a+b=c@{domain}' and 'for+ward@' not in params


@pytest.mark.parametrize('sender, params', [('user', 'NOTIFY=NEVER'), ('user', 'NOTIFY=DELAY'), ('user', 'NOTIFY=SUCCESS'), ('', '')])
def test_bad_input_39_reports_that_nobody_asked_for(ways, way, sender, params):
    peer, domain = way(rules={'RCPT': '550 5.1.1 no such user'})
    user = ways.account()
    before = ways.balance()['accepted']
    mail = send(ways, f'bob@{domain}', sender=sender and user, rcpt_params=params)
    told(mail, 'failed')
    assert ways.balance()['accepted'] == before + 1
    assert reports(ways, user) == []


def test_bad_input_39_mail_of_lists_and_machines(ways, way):
    """A failure is reported whatever the header says: to the envelope's sender, who is the list (RFC 3461 5.2)."""
    peer, domain = way(rules={'RCPT': '550 5.1.1 no such user'})
    user = ways.account()
    body = message(Auto_Submitted='auto-generated', List_Id='<list.example.com>', Precedence='bulk')
    send(ways, f'bob@{domain}', sender=user, body=body)
    got = report(ways, user)
    assert got['To'].strip('<>') == user and got['Auto-Submitted'].startswith('auto-') and got['Return-Path'] == '<>'


# --- 38: reports about reports, and to those who never wrote ---


def test_bad_input_38_a_report_that_cannot_be_delivered(ways, way):
    """It ends there: no report about a report, and nothing that goes round."""
    _, domain = way(rules={'RCPT': '550 5.1.1 no such user'})
    before = ways.balance()
    mail = send(ways, f'bob@{domain}', sender=f'forged@{domain}')
    told(mail, 'failed')
    eventually(lambda: ways.balance()['bounced'] == before['bounced'] + 2, 'its report failed too')
    books = ways.balance()
    assert books['accepted'] == before['accepted'] + 2 and books['queued'] == before['queued']


def test_bad_input_38_forged_senders_get_nothing(ways):
    """What we do not take is refused while its client is there."""
    with ways.smtp() as c:
        c.mail('victim@elsewhere.test')
        for address in ('nobody@example.org', 'bob@elsewhere.test', 'srs0=aaaa=bb=elsewhere.test=victim@example.org'):
            c.rcpt(address, expect=550)
        c.cmd('DATA', 503, 554)


def test_bad_input_38_to_an_alias_that_leads_out(ways, way):
    """Forwarded mail that fails goes to its sender by the address that we made for it, and through us to no one else."""
    _, domain = way(rules={'RCPT': '550 5.1.1 no such user'})
    back, home = way()
    ways.cli('alias', 'add', 'away@example.org', f'bob@{domain}')
    with ways.smtp() as c:
        c.deliver(message(), 'away@example.org', sender=f'author@{home}')
    [d] = back.wait()
    assert d.sender == '' and d.to == [f'author@{home}'] and b'no such user' in d.data


# --- 35: addresses beyond ASCII ---


def test_bad_input_35_next_hop_without_smtputf8(ways, way):
    peer, domain = way(extensions=('8BITMIME', 'DSN'))
    user = ways.account()
    mail = send(ways, f'jürgen@{domain}', sender=user, params='SMTPUTF8')
    assert told(mail, 'failed').status == '5.6.7'
    assert not peer.deliveries and not [line for line in peer.lines if not line.isascii()]
    assert status_fields(report(ways, user))['status'] == '5.6.7'


def test_bad_input_35_one_of_two_recipients(ways, way):
    peer, domain = way(extensions=('8BITMIME',))
    mail = send(ways, f'jürgen@{domain}', f'anna@{domain}', sender='', params='SMTPUTF8')
    found = fates(mail, lambda f: all(x.state in ('failed', 'relayed') for x in f.values()))
    assert found[f'jürgen@{domain}'].state == 'failed' and found[f'anna@{domain}'].state == 'relayed'
    assert peer.deliveries[0].to == [f'anna@{domain}']


def test_bad_input_35_a_server_that_can(ways, way):
    peer, domain = way()
    delivered(send(ways, f'jürgen@{domain}', sender='zoë@elsewhere.test', params='SMTPUTF8', body=message('Grüße'.encode().decode())))
    assert peer.deliveries[0].to == [f'jürgen@{domain}'] and 'SMTPUTF8' in peer.deliveries[0].params.split()


def test_bad_input_35_eight_bits(ways, way):
    """To a server without 8BITMIME they go encoded."""
    peer, domain = way(extensions=())
    body = message(body='Grüße aus Köln', MIME_Version='1.0', Content_Type='text/plain; charset=utf-8', Content_Transfer_Encoding='8bit')
    delivered(send(ways, f'bob@{domain}', params='BODY=8BITMIME', body=body))
    [d] = peer.deliveries
    assert d.data.isascii() and email.message_from_bytes(d.data).get_payload(decode=True).decode() == 'Grüße aus Köln\r\n'


# --- 37: loops ---


def test_bad_input_37_received_a_hundred_times(ways, way):
    """Mail on its way through is no exception."""
    _, domain = way()
    with ways.smtp() as c:
        c.envelope(ways.account())
        assert c.data(b'Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000\r\n' * 100 + message('loop'), 554).status == '5.4.6'


@pytest.fixture(scope='module')
def pair():
    """Two servers, each other's way to everything, for first.test and second.test; both know a third one, which has the rest of .third.test."""
    *ports, third = free_ports(3)
    servers = []
    for i, name in enumerate(('first', 'second')):
        settings = f'listen smtp 127.0.0.1:{ports[i]}\nrelay-from 127.0.0.0/8\nroute .third.test smtp 127.0.0.1:{third}\nroute * smtp 127.0.0.1:{ports[1 - i]}\nlimit hops 10'
        servers.append(start(relay_server(settings, domains=[f'{name}.test'])))
    yield *servers, third
    for server in servers:
        server.close()


@pytest.fixture
def two(pair):
    """(first, second, the third one's port, what both have accepted since), once nothing is under way."""
    first, second, third = pair

    def books():
        eventually(lambda: first.balance()['queued'] == 0 and second.balance()['queued'] == 0, 'calm', timeout=60)
        return [s.balance() for s in (first, second)]

    before = books()
    yield first, second, third, lambda: [{k: now[k] - then[k] for k in then} for now, then in zip(books(), before)]
    for server in (first, second):
        server.check_log()
        server.check_balance()


def test_bad_input_37_two_servers_that_send_to_each_other(two):
    """Neither has the domain, each takes it to be the other's: ten hops, then one report."""
    first, second, _, books = two
    user = first.account('one@first.test')
    send(first, 'bob@nowhere.test', sender=user)
    assert status_fields(report(first, user))['status'] == '5.4.6'
    a, b = books()
    assert a['accepted'] + b['accepted'] <= 13, (a, b)


def test_bad_input_37_aliases_in_a_circle_over_two_servers(two):
    """Each forwards to the other; senders are rewritten at every turn, and the report finds its way back through all of them, once."""
    first, second, _, books = two
    user = first.account('another@first.test')
    first.cli('alias', 'add', 'x@first.test', 'y@second.test')
    second.cli('alias', 'add', 'y@second.test', 'x@first.test')
    send(first, 'x@first.test', sender=user)
    assert status_fields(report(first, user))['status'] == '5.4.6'
    a, b = books()
    assert a['accepted'] + b['accepted'] <= 40 and len(first.mailbox(user)) == 1, (a, b)


def test_bad_input_38_two_servers_that_bounce(two):
    """Neither the sender nor the recipient exists: one report, which nobody gets."""
    first, second, _, books = two
    told(send(first, 'nobody@second.test', sender='no-one@second.test'), 'failed')
    a, b = books()
    assert a['accepted'] == 2 and a['bounced'] == 2 and b['accepted'] == 0, (a, b)


def test_forwarded_twice_and_back(two):
    """SRS0 and SRS1: author -> first -> second -> a server that refuses; the report takes the same way back."""
    first, second, third, _ = two
    with Peer(port=third, rules={'RCPT bob@last.third.test': '550 5.1.1 no such user'}) as peer:
        first.cli('alias', 'add', 'v@first.test', 'w@second.test')
        second.cli('alias', 'add', 'w@second.test', 'bob@last.third.test')
        send(first, 'v@first.test', sender='author@home.third.test')
        [d] = peer.wait()
        assert d.sender == '' and d.to == ['author@home.third.test'] and b'no such user' in d.data
        refused = [line for line in peer.lines if line.startswith('MAIL FROM:<') and not line.startswith('MAIL FROM:<>')]
        assert len(refused) == 1 and re.match(r'MAIL FROM:<SRS1=[^>]*@second\.test>', refused[0], re.I), refused


# --- 56: a dead server with a long queue ---


def test_bad_input_56_a_long_queue_for_a_dead_host(make_server):
    """Another destination does not wait for it, nor do new messages."""
    dead, alive = free_ports(2)
    with Peer(port=alive) as peer:
        server = start(relay_server(f'route dead.test smtp 127.0.0.1:{dead}\nroute * smtp 127.0.0.1:{alive}\nlimit recipients 1000\nqueue retry 1s', make=make_server))
        for n in range(10):
            send(server, *(f'r{n}-{i}@dead.test' for i in range(1000)))
        mails = [send(server, f'bob@alive{i}.test') for i in range(20)]
        for mail in mails:
            delivered(mail, timeout=10)
        peer.wait(20)
        assert server.balance()['queued'] == 10000
        server.cli('queue', 'drop', 'domain=dead.test')
