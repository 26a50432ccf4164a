# SPDX-License-Identifier: ISC
"""TLS as clients meet it: STARTTLS, STLS, pop3s; certificates and their change; what must not survive a handshake."""
import os
import poplib
import re
import select
import signal
import smtplib
import socket
import ssl
import subprocess
import time
import xml.etree.ElementTree

import pytest

from harness import Closed, Connection, Pop3, anybody, eventually, message, need, run

SERVICES = ('smtp', 'lmtp', 'pop3', 'pop3s')
EHLO = 'EHLO client.example.com'


class Pop3s(Pop3):
    def __init__(self, address, user, password):
        Connection.__init__(self, address)
        self.handshake()
        self.ok()
        self.login(user, password)


def make_certificate(folder, name, algorithm=('ec', 'ec_paramgen_curve:P-256'), file=None):
    """Writes FILE.pem and FILE.key; gives the line for the configuration."""
    base = os.path.join(folder, file or name)
    run('openssl', 'req', '-x509', '-newkey', algorithm[0], '-pkeyopt', algorithm[1], '-nodes', '-days', '3', '-subj', f'/CN={name}',
        '-addext', f'subjectAltName=DNS:{name}', '-keyout', f'{base}.key.new', '-out', f'{base}.pem.new')
    os.rename(f'{base}.key.new', f'{base}.key')
    os.rename(f'{base}.pem.new', f'{base}.pem')
    return f'tls certificate {base}.pem key {base}.key'


RSA = ('rsa', 'rsa_keygen_bits:2048')


@pytest.fixture
def tls(make_server):
    return make_server(services=SERVICES)


def start_tls(c, **kw):
    c.cmd('STARTTLS', 220)
    c.handshake(**kw)
    return c


def peer(c):
    return ssl.DER_cert_to_PEM_cert(c.sock.getpeercert(True))


def shown(server, context=None, name='mx.example.org', service='pop3s'):
    """The certificate that a client gets."""
    with Connection(server.ports[service]) as c:
        c.handshake(context, name)
        return peer(c)


def read(path):
    with open(path) as f:
        return f.read()


# --- sessions ---

def test_a_message_over_starttls(tls):
    user = tls.account()
    text = message('over TLS')
    with tls.smtp() as c:
        start_tls(c)
        extensions = c.cmd(EHLO, 250).text
        assert 'STARTTLS' not in extensions
        c.deliver(text, user)
        c.quit()
    with Pop3s(tls.ports['pop3s'], user, 'secret') as p:
        [got] = p.all()
        p.quit()
    assert re.search(rb'\r\n\tby mx\.example\.org with ESMTPS \(TLSv1\.3 TLS_[A-Z0-9_]+\)\r\n\tid \w+\r\n\tfor <', got), got
    assert got.endswith(text)


def test_lmtp_over_starttls(tls):
    user = tls.account()
    with tls.lmtp() as c:
        start_tls(c)
        c.cmd('LHLO client.example.com', 250)
        c.deliver(message('lmtp'), user)
        c.quit()
    assert b' with LMTPS (TLS' in tls.mailbox(user)[0]


def test_large_message_and_many_small_commands(tls):
    """Records of both sizes, in batches, both directions."""
    user = tls.account()
    text = message('large', body='\r\n'.join(f'{i:070}' for i in range(40000)))
    with tls.smtp() as c:
        start_tls(c)
        c.cmd(EHLO, 250)
        c.deliver(text, user)
        c.send(b'NOOP\r\n' * 500)
        for _ in range(500):
            c.expect(250)
        c.quit()
    assert tls.mailbox(user)[0].endswith(text)


@pytest.mark.parametrize('version', [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(tls, version):
    context = anybody()
    context.minimum_version = context.maximum_version = version
    with tls.smtp() as c:
        start_tls(c, context=context)
        c.cmd(EHLO, 250)
        assert c.sock.cipher()[0].startswith(('ECDHE-', 'TLS_'))


def test_old_version_is_refused(tls):
    r = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{tls.ports["pop3s"]}', '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'],
                       input=b'', capture_output=True, timeout=30)
    assert b'alert protocol version' in r.stderr, r.stderr


def test_stls(tls):
    user = tls.account()
    with tls.pop3() as p:
        assert b'STLS\r\n' in p.multi('CAPA')
        p.cmd('STLS')
        p.handshake()
        assert b'STLS\r\n' not in p.multi('CAPA')
        p.err('STLS')
        p.login(user, 'secret')
        p.err('STLS')
        p.quit()


def test_stop_does_not_wait_for_a_handshake(tls):
    with Connection(tls.ports['pop3s']):
        time.sleep(0.1)  # the session has begun, or has not: both must do
        began = time.monotonic()
        tls.stop()
        assert time.monotonic() - began < 8


# --- what must not survive ---

def test_bad_input_06_plaintext_behind_starttls(tls):
    user = tls.account()
    with tls.smtp() as c:
        c.send(f'STARTTLS\r\n{EHLO}\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<{user}>\r\n')
        c.expect(220)
        assert c.buffer == b''
        c.handshake()
        c.cmd('NOOP', 250)
        c.cmd('MAIL FROM:<a@example.com>', 503)  # and the EHLO among it was not heard either
    with tls.pop3() as p:
        p.send(f'STLS\r\nUSER {user}\r\nPASS secret\r\n')
        p.ok()
        assert p.buffer == b''
        p.handshake()
        p.cmd('CAPA')
        p.body()
        p.err('STAT')


def test_bad_input_09_no_state_survives(tls):
    user = tls.account()
    with tls.smtp() as c:
        c.envelope(user)
        start_tls(c)
        c.cmd(f'RCPT TO:<{user}>', 503)
        c.cmd('DATA', 503)
        c.cmd('MAIL FROM:<a@example.com>', 503)
        c.cmd('STARTTLS', 503)
        c.cmd(EHLO, 250)
        c.cmd('STARTTLS', 503)
        c.deliver(message('after'), user)
        c.quit()
    assert b'(TLSv1.3' in tls.mailbox(user)[0]
    with tls.pop3() as p:
        p.cmd(f'USER {user}')
        p.cmd('STLS')
        p.handshake()
        p.err('PASS secret')


def test_starttls_takes_no_arguments(tls):
    with tls.smtp() as c:
        c.cmd('STARTTLS now', 501)
        start_tls(c)
        c.cmd(EHLO, 250)


def session_of(server, service, context, session=None):
    """A TLS session of that service, for another one to be offered."""
    with Connection(server.ports[service]) as c:
        if service == 'smtp':
            c.line()
            c.send('STARTTLS\r\n')
            assert c.line().startswith(b'220')
        c.handshake(context, session=session)
        if service == 'smtp':
            c.send(f'{EHLO}\r\nQUIT\r\n')
        else:
            c.send('QUIT\r\n')
        try:
            while True:
                c.fill()
        except Closed:
            pass
        return c.sock.session, c.sock.session_reused


@pytest.mark.parametrize('version', [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_bad_input_10_ticket_of_another_listener(make_server, version):
    server = make_server('processes edge 1', services=SERVICES)
    context = anybody()
    context.minimum_version = context.maximum_version = version
    session, reused = session_of(server, 'smtp', context)
    assert session.has_ticket and not reused
    assert session_of(server, 'smtp', context, session)[1]
    assert not session_of(server, 'pop3s', context, session)[1]


def test_another_protocol_is_refused(tls):
    """ALPACA: who was led here by mistake says what he wants to speak."""
    context = anybody()
    context.set_alpn_protocols(['h2', 'http/1.1'])
    with Connection(tls.ports['pop3s']) as c, pytest.raises(ssl.SSLError, match='no application protocol'):
        c.handshake(context)
    context.set_alpn_protocols(['http/1.1', 'pop3'])
    with Connection(tls.ports['pop3s']) as c:
        c.handshake(context)
        assert c.sock.selected_alpn_protocol() == 'pop3'


GARBAGE = {'http': b'GET / HTTP/1.1\r\n\r\n', 'pop3': b'USER a\r\n', 'long': b'\x16\x03\x01\xff\xff' + b'\0' * 70000, 'cut': b'\x16\x03\x01',
           'ssl2': b'\x80' * 3}


@pytest.mark.parametrize('kind', GARBAGE)
def test_garbage_instead_of_a_hello(tls, kind):
    with Connection(tls.ports['pop3s']) as c:
        try:
            c.send(GARBAGE[kind])
            c.sock.shutdown(socket.SHUT_WR)
        except OSError:  # closed by the server already: ECONNRESET, EPIPE, ENOTCONN
            pass
        assert not c.expect_closed().startswith(b'+OK')
    assert shown(tls)


# --- certificates ---

def test_self_signed_is_made_once(tls):
    assert tls.log().count('ev=tls.self-signed') == 1
    folder = os.path.join(tls.data, 'keys')
    for path, _, files in os.walk(folder):
        assert os.stat(path).st_mode & 0o777 == 0o700
        assert all(os.stat(os.path.join(path, f)).st_mode & 0o777 == 0o600 for f in files)
    first = shown(tls)
    tls.restart()
    assert shown(tls) == first
    assert tls.log().count('ev=tls.self-signed') == 1
    context = ssl.create_default_context(cadata=first)
    assert shown(tls, context) == first


def test_certificates_by_name_and_algorithm(make_server, tmp_path):
    lines = [make_certificate(tmp_path, 'mx.example.org'), make_certificate(tmp_path, 'mx.example.org', RSA, file='rsa'),
             make_certificate(tmp_path, 'other.example.net')]
    with open(tmp_path / 'rsa.pem', 'a') as f:
        f.write(read(tmp_path / 'rsa.key'))  # some keep both in one file
    server = make_server('\n'.join(lines), services=SERVICES)
    assert shown(server) == read(tmp_path / 'mx.example.org.pem')
    assert shown(server, name='unknown.example.net') == read(tmp_path / 'mx.example.org.pem')
    assert shown(server, name='other.example.net') == read(tmp_path / 'other.example.net.pem')
    old = anybody()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers('ECDHE-RSA-AES128-GCM-SHA256')
    assert read(tmp_path / 'rsa.pem').startswith(shown(server, old))


def test_ocsp_response_is_stapled(make_server, tmp_path):
    line = make_certificate(tmp_path, 'mx.example.org')
    pem, key = (str(tmp_path / f'mx.example.org.{kind}') for kind in ('pem', 'key'))
    (tmp_path / 'index').write_text('')
    run('openssl', 'ocsp', '-issuer', pem, '-cert', pem, '-reqout', str(tmp_path / 'request'), '-no_nonce')
    run('openssl', 'ocsp', '-index', str(tmp_path / 'index'), '-CA', pem, '-rsigner', pem, '-rkey', key, '-reqin', str(tmp_path / 'request'),
        '-respout', f'{pem}.ocsp', '-ndays', '3')
    server = make_server(line, services=SERVICES)
    r = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{server.ports["pop3s"]}', '-status'], input=b'', capture_output=True,
                       timeout=30)
    assert b'OCSP Response Status: successful' in r.stdout, r.stdout


@pytest.mark.parametrize('how', ['reload', 'file'])
def test_certificate_is_replaced_without_dropping_a_session(make_server, tmp_path, how):
    server = make_server(make_certificate(tmp_path, 'mx.example.org'), services=SERVICES)
    with server.smtp() as c:
        start_tls(c)
        before = peer(c)
        make_certificate(tmp_path, 'mx.example.org')
        after = read(tmp_path / 'mx.example.org.pem')
        assert before != after
        if how == 'reload':
            server.reload()
        eventually(lambda: shown(server) == after, 'the new certificate is shown')
        c.cmd(EHLO, 250)
        c.quit()


def test_unusable_certificate_changes_nothing(make_server, tmp_path):
    server = make_server(make_certificate(tmp_path, 'mx.example.org'), services=SERVICES)
    before = shown(server)
    make_certificate(tmp_path, 'mx.example.org', file='another')
    os.rename(tmp_path / 'another.key', tmp_path / 'mx.example.org.key')
    server.reload()
    eventually(lambda: 'ev=tls.reload error=' in server.log(), 'the fault is logged')
    assert shown(server) == before


def test_unusable_certificate_at_start(make_server, tmp_path):
    line = make_certificate(tmp_path, 'mx.example.org')
    make_certificate(tmp_path, 'mx.example.org', file='another')
    os.rename(tmp_path / 'another.key', tmp_path / 'mx.example.org.key')
    server = make_server(line, services=SERVICES, start=False)
    r = subprocess.run([server.binary, 'serve', '-c', server.config], capture_output=True, timeout=60, env=server.env)
    assert r.returncode != 0 and b"the private key is not the certificate's" in r.stderr, r.stderr


def test_single_process(make_server):
    server = make_server(services=SERVICES, single=True)
    assert shown(server)
    with server.smtp() as c:
        start_tls(c)
        c.cmd(EHLO, 250)


# --- the keys process ---

def test_keys_dies_during_100_handshakes(make_server):
    """These fail or succeed, none hangs, and a second later everything is as before."""
    tls = make_server('limit connections 1000 per-address 200', services=SERVICES)
    context = anybody()
    keys = tls.roles()['keys', 0]
    os.kill(keys, signal.SIGSTOP)  # so that all of them are in the middle
    waiting = {}
    for _ in range(100):
        sock = socket.create_connection(('127.0.0.1', tls.ports['pop3s']))
        sock.setblocking(False)
        c = context.wrap_socket(sock, server_hostname='mx.example.org', do_handshake_on_connect=False)
        try:
            c.do_handshake()
        except ssl.SSLWantReadError:
            pass
        waiting[c.fileno()] = c
    time.sleep(0.2)
    os.kill(keys, signal.SIGKILL)
    end = time.monotonic() + 5
    failed = 0
    while waiting:
        assert time.monotonic() < end, f'{len(waiting)} handshakes hang'
        for fd in select.select(list(waiting), [], [], 1)[0]:
            try:
                waiting[fd].do_handshake()
            except ssl.SSLWantReadError:
                continue
            except OSError:
                failed += 1
            waiting.pop(fd).close()
    assert failed > 0
    began = time.monotonic()
    eventually(lambda: handshake_works(tls), 'a handshake works', 5)
    assert time.monotonic() - began < 1.5
    user = tls.account()
    with tls.pop3() as p:
        p.cmd('STLS')
        p.handshake()
        p.login(user, 'secret')


def handshake_works(server):
    try:
        return shown(server)
    except (OSError, Closed):
        return False


def test_idle_tls_sessions_are_small(make_server):
    """Proportional memory of all roles for one session more."""
    server = make_server('limit connections 1000 per-address 1000', services=SERVICES)
    if b'__asan' in open(server.binary, 'rb').read():
        pytest.skip('memory is not measured with sanitizers')

    def memory():
        total = 0
        for pid in server.processes():
            with open(f'/proc/{pid}/smaps_rollup') as f:
                total += int(re.search(r'^Pss: +(\d+)', f.read(), re.M).group(1))
        return total

    def sessions(n):
        out = []
        for _ in range(n):
            c = server.smtp(hello=None)
            c.cmd('STARTTLS', 220)
            c.handshake()
            c.cmd(EHLO, 250)
            out.append(c)
        return out

    held = sessions(50)
    time.sleep(3)  # stacks of idle sessions are trimmed after a while
    before = memory()
    held += sessions(400)
    time.sleep(3)
    each = (memory() - before) / 400
    for c in held:
        c.close()
    print(f'{each:.1f} KiB a session')
    assert each <= 26


# --- real clients ---

def test_client_smtplib(tls):
    user = tls.account()
    context = anybody()
    with smtplib.SMTP('127.0.0.1', tls.ports['smtp'], timeout=30) as c:
        c.starttls(context=context)
        c.sendmail('a@example.com', [user], message('smtplib'))
    assert len(tls.mailbox(user)) == 1


def test_client_poplib(tls):
    user = tls.account()
    with tls.smtp() as c:
        c.deliver(message('poplib'), user)
    context = anybody()
    p = poplib.POP3('127.0.0.1', tls.ports['pop3'], timeout=30)
    p.stls(context)
    p.user(user)
    p.pass_('secret')
    assert p.stat()[0] == 1
    p.quit()
    p = poplib.POP3_SSL('127.0.0.1', tls.ports['pop3s'], timeout=30, context=context)
    p.user(user)
    p.pass_('secret')
    assert p.stat()[0] == 1
    p.quit()


def test_client_curl(tls, tmp_path):
    user = tls.account()
    ca = tmp_path / 'ca.pem'
    ca.write_text(shown(tls))
    mail = tmp_path / 'mail'
    mail.write_bytes(message('curl'))
    port = tls.ports
    to = ['--resolve', f'mx.example.org:{port["smtp"]}:127.0.0.1', '--resolve', f'mx.example.org:{port["pop3"]}:127.0.0.1',
          '--resolve', f'mx.example.org:{port["pop3s"]}:127.0.0.1', '--cacert', str(ca), '-sS']
    run(need('curl'), *to, '--ssl-reqd', f'smtp://mx.example.org:{port["smtp"]}', '--mail-from', 'a@example.com', '--mail-rcpt', user, '-T', str(mail))
    for url in (f'pop3://mx.example.org:{port["pop3"]}/', f'pop3s://mx.example.org:{port["pop3s"]}/'):
        assert len(run('curl', *to, '--ssl-reqd', '-u', f'{user}:secret', url).stdout.splitlines()) == 1


def test_client_swaks(tls):
    user = tls.account()
    r = run(need('swaks'), '-tls', '--server', '127.0.0.1', '--port', str(tls.ports['smtp']), '--from', 'a@example.com', '--to', user)
    assert b'TLS started with cipher TLSv1.3' in r.stdout
    assert len(tls.mailbox(user)) == 1


@pytest.mark.parametrize('service,protocol', [('smtp', 'smtp'), ('lmtp', 'lmtp'), ('pop3', 'pop3'), ('pop3s', None)])
def test_client_s_client(tls, service, protocol):
    words = ['openssl', 's_client', '-connect', f'127.0.0.1:{tls.ports[service]}', '-quiet', '-no_ign_eof']
    r = subprocess.run(words + (['-starttls', protocol] if protocol else []), input=b'QUIT\r\n', capture_output=True, timeout=30)
    assert b'verify' in r.stderr and b'mx.example.org' in r.stderr, r.stderr


@pytest.mark.parametrize('service,words', [('submissions', ()), ('pop3s', ()), ('smtp', ('--starttls-smtp',)), ('pop3', ('--starttls-pop3',))])
def test_sslscan(make_server, service, words):
    """Nothing a scanner complains about: no old version, no cipher without forward secrecy or AEAD, no known weakness."""
    sslscan = need('sslscan')
    server = make_server(services=SERVICES + ('submissions',))
    r = run(sslscan, '--xml=-', '--sni-name=mx.example.org', *words, f'127.0.0.1:{server.ports[service]}')
    scan = xml.etree.ElementTree.fromstring(r.stdout).find('ssltest')
    assert [f'{p.get("type")}{p.get("version")}' for p in scan.iter('protocol') if p.get('enabled') == '1'] == ['tls1.2', 'tls1.3']
    ciphers = {c.get('cipher'): c for c in scan.iter('cipher')}
    assert len(ciphers) == 6
    for name, cipher in ciphers.items():
        assert name.startswith(('ECDHE-', 'TLS_')) and 'CBC' not in name and int(cipher.get('bits')) >= 128
        assert cipher.get('strength') in ('strong', 'acceptable'), name
    assert all(int(g.get('bits')) >= 128 for g in scan.iter('group'))
    assert scan.find('renegotiation').get('supported') == '0'
    assert all(h.get('vulnerable') == '0' for h in scan.iter('heartbleed'))
    assert scan.find('certificates/certificate/pk').get('error') == 'false'
