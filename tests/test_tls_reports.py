# SPDX-License-Identifier: ISC
"""Reports about TLS (RFC 8460): a day that lasts two seconds, and what those who asked for it are told at its end, by mail and by HTTPS."""
import email
import email.policy
import gzip
import hashlib
import http.server
import json
import re
import ssl
import threading

import pytest

from certificates import Authority
from harness import eventually, free_ports, run
from peer import CLOSE, EXTENSIONS, Peer
from relaying import relay_server, send, start, told

pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')

A, COLLECTOR, WEB = '127.0.0.41', '127.0.0.42', '127.0.0.43'
PLAIN = {
    'not-offered': (None, {}, 'starttls-not-supported'),
    'refused': ('right', {'STARTTLS': '454 4.7.0 not now'}, 'starttls-not-supported'),
    'broken': ('right', {'handshake': CLOSE}, 'validation-failure'),
}
POLICY = 'version: STSv1\r\nmode: testing\r\nmx: mx.rpt.test\r\nmax_age: 86400\r\n'


@pytest.fixture(scope='module')
def port():
    return free_ports(1)[0]


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    known = Authority(tmp_path_factory.mktemp('authority'))
    known.sign('right', names=('mx.rpt.test',), addresses=())
    known.sign('ended', names=('mx.rpt.test',), addresses=())
    known.end('ended')
    known.sign('web', names=('reports.rpt.test', 'mta-sts.testing.rpt.test', 'mta-sts.required.rpt.test'), addresses=())
    return known


def digest(pem):
    """SHA-256 of a certificate's public key, as TLSA 3 1 1 has it."""
    text = run('openssl', 'x509', '-in', pem, '-noout', '-pubkey').stdout
    return hashlib.sha256(run('openssl', 'pkey', '-pubin', '-outform', 'der', input=text).stdout).hexdigest()


@pytest.fixture(scope='module')
def world(session_dns, authority, port):
    """Who wants reports wants them at collector.rpt.test, which wants some, too."""
    rua = 'TXT "v=TLSRPTv1; rua=mailto:tls@collector.rpt.test"'
    lines = [f'mx A {A}', f'dane A {A}', f'_{port}._tcp.dane TLSA 3 1 1 {digest(authority.path("right.pem"))}', f'wrong A {A}',
             f'_{port}._tcp.wrong TLSA 3 1 1 {"ab" * 32}', f'collector A {COLLECTOR}', 'collector MX 1 collector', f'reports A {WEB}']
    for name in ('dane', 'wrong'):
        lines += [f'{name}-domain MX 1 {name}']
    for name in (*PLAIN, 'testing', 'required', 'quiet', 'web', 'last'):
        lines += [f'{name} MX 1 mx']
    for name in ('testing', 'required'):
        lines += [f'_mta-sts.{name} TXT "v=STSv1; id=1;"', f'mta-sts.{name} A {WEB}']
    for name in (*PLAIN, 'dane-domain', 'wrong-domain', 'testing', 'collector', 'last'):
        lines += [f'_smtp._tls.{name} {rua}']
    lines += ['_smtp._tls.web TXT "v=TLSRPTv1; rua=https://reports.rpt.test/v1"']
    session_dns.zone('rpt.test', *lines)
    session_dns.load()
    return session_dns


class Web(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away."""


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, code, text=''):
        self.send_response(code)
        self.send_header('Content-Type', 'text/plain')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        self.answer(200, POLICY)

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.server.posts.append((self.headers['Host'], self.path, self.headers['Content-Type'], body))
        self.answer(201)

    def log_message(self, *words):
        pass


@pytest.fixture(scope='module')
def web(authority):
    """Policies, and where reports are posted to."""
    try:
        server = Web((WEB, 443), Handler)
    except PermissionError:
        pytest.skip('port 443 is not ours')
    server.posts = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.path('web.pem'), authority.path('web.key'))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope='module')
def mta(world, port, authority):
    server = start(relay_server(f'{world.settings}\ntls authorities {authority.pem}\nroute * mx port {port} loopback allow\ntls-reports send every 2s'))
    yield server
    server.close()


@pytest.fixture
def there(port, authority):
    """there(certificate): the server of all domains but the collector."""
    peers = []

    def make(name=None, **kw):
        context = None
        if name:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(authority.path(f'{name}.pem'), authority.path(f'{name}.key'))
        peers.append(Peer(A, port, tls=context, **kw))
        return peers[-1]

    yield make
    for p in peers:
        p.close()


@pytest.fixture(scope='module')
def collector(port):
    """Each test has a domain of its own, which it finds the report of."""
    with Peer(COLLECTOR, port) as p:
        yield p


def unpack(delivery):
    """The message, and the report in it."""
    mail = email.message_from_bytes(delivery.data, policy=email.policy.default)
    _, part = mail.iter_parts()
    return mail, json.loads(gzip.decompress(part.get_content()))


def report(collector, domain):
    """The first one about this domain."""
    def about(p):
        return [d for d in p.deliveries if d.header('TLS-Report-Domain') == domain]

    collector.wait_for(about, f'a report about {domain}')
    return unpack(about(collector)[0])


def only(report, kind, domain, good, bad):
    """The only policy of a report."""
    [policy] = report['policies']
    assert policy['policy']['policy-type'] == kind and policy['policy']['policy-domain'] == domain
    assert policy['summary'] == {'total-successful-session-count': good, 'total-failure-session-count': bad}, policy
    return policy


def test_a_report(mta, there, collector, authority):
    """Every field of RFC 8460 5.3 and 4.4."""
    there('right')
    told(send(mta, 'bob@dane-domain.rpt.test'), 'relayed')
    mail, found = report(collector, 'dane-domain.rpt.test')
    [d] = [d for d in collector.deliveries if d.header('TLS-Report-Domain') == 'dane-domain.rpt.test']
    assert d.sender == 'postmaster@example.org' and d.to == ['tls@collector.rpt.test']
    assert mail['From'] == 'postmaster@example.org' and mail['To'] == 'tls@collector.rpt.test'
    assert mail['TLS-Report-Submitter'] == 'example.org' and mail['TLS-Required'] == 'No' and mail['Auto-Submitted'] == 'auto-generated'
    assert re.fullmatch(r'Report Domain: dane-domain.rpt.test\s+Submitter: example.org\s+Report-ID: <[\w.-]+@example.org>', mail['Subject'])
    assert mail['Message-ID'] and mail['Date']
    assert mail.get_content_type() == 'multipart/report' and mail.get_param('report-type') == 'tlsrpt'
    assert [row['event'] for row in mta.json('trace', mail['Message-ID'])][:1] == ['received']
    text, part = mail.iter_parts()
    assert '1 succeeded, 0 failed' in text.get_content()
    assert part.get_content_type() == 'application/tlsrpt+gzip'
    assert re.fullmatch(r'example\.org!dane-domain\.rpt\.test!\d+!\d+!\w+\.json\.gz', part.get_filename())
    assert found['organization-name'] == 'example.org' and found['contact-info'] == 'postmaster@example.org'
    assert f'<{found["report-id"]}>' in mail['Subject']
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', found['date-range']['start-datetime'])
    policy = only(found, 'tlsa', 'dane.rpt.test', 1, 0)
    assert policy['policy']['policy-string'] == [f'3 1 1 {digest(authority.path("right.pem"))}']
    assert 'failure-details' not in policy


def failure(report, kind, domain, result, good=0):
    [detail] = only(report, kind, domain, good, 1)['failure-details']
    assert detail['result-type'] == result and detail['failed-session-count'] == 1
    assert detail['sending-mta-ip'].startswith('127.') and detail['receiving-ip'] == A
    return detail


def test_dane_does_not_fit(mta, there, collector):
    there('right')
    mail = send(mta, 'bob@wrong-domain.rpt.test')
    told(mail, 'delayed')
    mta.cli('queue', 'drop', mail.mid)
    detail = failure(report(collector, 'wrong-domain.rpt.test')[1], 'tlsa', 'wrong.rpt.test', 'tlsa-invalid')
    assert detail['receiving-mx-hostname'] == 'wrong.rpt.test'
    assert 'TLSA' in detail['failure-reason-code']


@pytest.mark.parametrize('kind', PLAIN)
def test_no_policy(mta, there, collector, kind):
    """It goes on without TLS, and is told."""
    certificate, rules, result = PLAIN[kind]
    peer = there(certificate, rules=rules)
    told(send(mta, f'bob@{kind}.rpt.test'), 'relayed')
    assert peer.deliveries[0].tls is None
    failure(report(collector, f'{kind}.rpt.test')[1], 'no-policy-found', f'{kind}.rpt.test', result)


def test_testing(mta, there, collector, web):
    """RFC 8461 5: the mail goes on, and what would have been refused is told."""
    peer = there('ended')
    told(send(mta, 'bob@testing.rpt.test'), 'relayed')
    assert peer.deliveries[0].tls
    found = report(collector, 'testing.rpt.test')[1]
    detail = failure(found, 'sts', 'testing.rpt.test', 'certificate-not-trusted')
    assert detail['failure-reason-code']
    [policy] = found['policies']
    assert policy['policy']['policy-string'] == POLICY.strip().split('\r\n')
    assert policy['policy']['mx-host'] == ['mx.rpt.test']


def test_testing_is_no_excuse(mta, there, web):
    """RFC 8689: a message that requires TLS goes to nobody who does not prove who it is."""
    peer = there('ended', extensions=(*EXTENSIONS, 'REQUIRETLS'))
    mail = send(mta, 'bob@required.rpt.test', params='REQUIRETLS')
    assert told(mail, 'delayed').status == '4.7.5'
    assert not peer.deliveries
    mta.cli('queue', 'drop', mail.mid)


def test_by_https(mta, there, web):
    there('right')
    told(send(mta, 'bob@web.rpt.test'), 'relayed')
    [(host, path, kind, body)] = eventually(lambda: web.posts, 'a report')
    assert (host, path, kind) == ('reports.rpt.test', '/v1', 'application/tlsrpt+gzip')
    only(json.loads(gzip.decompress(body)), 'no-policy-found', 'web.rpt.test', 1, 0)


def test_to_an_account_here(mta, there, world):
    user = mta.account()
    world.zone('here.test', f'@ MX 1 mx.rpt.test.', f'_smtp._tls TXT "v=TLSRPTv1; rua=mailto:{user}"')
    world.load()
    there('right')
    told(send(mta, 'bob@here.test'), 'relayed')
    [raw] = eventually(lambda: mta.mailbox(user), 'a report')
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail['TLS-Report-Domain'] == 'here.test' and mail['Return-Path'] == '<postmaster@example.org>'


def test_nobody_else_is_told(mta, there, collector):
    """Neither who did not ask, nor the collector of the connections by which reports came."""
    there('right')
    told(send(mta, 'bob@quiet.rpt.test'), 'relayed')
    told(send(mta, 'bob@last.rpt.test'), 'relayed')
    report(collector, 'last.rpt.test')
    about = {d.header('TLS-Report-Domain') for d in collector.deliveries}
    assert 'quiet.rpt.test' not in about and 'collector.rpt.test' not in about
    assert 'quiet' not in ''.join(line for line in mta.log().splitlines() if 'ev=relay.tls-report' in line)
