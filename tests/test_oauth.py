# SPDX-License-Identifier: ISC
"""Logins with tokens: OAUTHBEARER (RFC 7628) and XOAUTH2, over submission and POP3, with an issuer of our own that signs them or is asked about them."""
import base64
import email.message
import hashlib
import hmac
import http.server
import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest

from certificates import Authority
from harness import Pop3, Smtp, anybody, eventually, message, need, run

jwt = pytest.importorskip('jwt', reason='python3-jwt is not installed')
rsa = pytest.importorskip('cryptography.hazmat.primitives.asymmetric.rsa', reason='python3-cryptography is not installed')
ec = pytest.importorskip('cryptography.hazmat.primitives.asymmetric.ec')
from cryptography.hazmat.primitives import serialization  # noqa: E402

ALICE = 'alice@example.org'


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def number(n):
    return base64.urlsafe_b64encode(n.to_bytes((n.bit_length() + 7) // 8, 'big')).rstrip(b'=').decode()


class Issuer:
    """Signs tokens, publishes its keys at /keys, answers about tokens at /introspect. `mode`: how it behaves."""

    def __init__(self, tls=None, family=socket.AF_INET):
        self.mode = 'good'
        self.keys, self.asked, self.logins = {}, [], []
        self.rotate('first')
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                self.answer(lambda: issuer.published())

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers['Content-Length'])).decode())
                issuer.logins.append(self.headers.get('Authorization', ''))
                self.answer(lambda: issuer.about(form['token'][0]))

            def answer(self, make):
                issuer.asked.append(self.path)
                if issuer.mode == 'slow':
                    issuer.released.wait(60)
                if issuer.mode == 'hang up':
                    self.connection.close()
                    return
                body = {'garbage': b'<html>busy</html>', 'huge': b'[' + b'1,' * 400000 + b'1]'}.get(issuer.mode) or json.dumps(make()).encode()
                self.send_response(503 if issuer.mode == 'busy' else 200)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            address_family = family

            def handle_error(self, request, address):
                pass

        self.released = threading.Event()
        self.server = Server(('127.0.0.1' if family == socket.AF_INET else '::1', 0), Handler)
        self.port = self.server.server_address[1]
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.base = f'{"https" if tls else "http"}://localhost:{self.port}'
        threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def rotate(self, kid, only=True):
        if only:
            self.keys.clear()
        self.keys[kid] = rsa.generate_private_key(65537, 2048)
        self.kid = kid

    def published(self):
        def entry(kid, key):
            n = key.public_key().public_numbers()
            return {'kty': 'RSA', 'use': 'sig', 'kid': kid, 'n': number(n.n), 'e': number(n.e)}

        return {'keys': [{'kty': 'oct', 'k': 'AAAA', 'kid': 'shared'}] + [entry(*k) for k in self.keys.items()]}

    def about(self, token):
        return {'active': token == 'opaque', 'email': ALICE, 'aud': 'mail', 'client_id': 'x'}

    def claims(self, **changes):
        claims = {'iss': 'https://idp.example', 'aud': 'mail', 'exp': int(time.time()) + 300, 'email': ALICE, 'email_verified': True}
        claims.update(changes)
        return {k: v for k, v in claims.items() if v is not None}

    def token(self, key=None, algorithm='RS256', kid=None, **changes):
        return jwt.encode(self.claims(**changes), key or self.keys[self.kid], algorithm, headers={'kid': kid or self.kid, 'typ': 'at+jwt'})


@pytest.fixture
def issuer():
    made = Issuer()
    yield made
    made.close()


def jwks(issuer, more=''):
    return f'oauth jwks {issuer.base}/keys issuer https://idp.example audience mail {more}'


@pytest.fixture
def server(make_server, issuer):
    server = make_server(jwks(issuer), services=('smtp', 'submission', 'submissions', 'pop3', 'pop3s'))
    server.account(ALICE)
    server.account('bob@example.org')
    return server


# --- one exchange, by hand ---


def bearer(token, user=ALICE):
    return f'n,{"a=" + user if user else ""},\1host=localhost\1port=587\1auth=Bearer {token}\1\1'


def older(token, user=ALICE):
    return f'user={user}\1auth=Bearer {token}\1\1'


class Submission(Smtp):
    def __init__(self, server):
        super().__init__(server.ports['submissions'], greet=False)
        self.handshake()
        self.expect(220)
        self.hello = self.cmd('EHLO client.example.com', 250).text

    def log_in(self, mechanism, text):
        """The last reply, and the challenge in between, if there was one."""
        reply = self.cmd(f'AUTH {mechanism} {b64(text)}')
        if reply.code != 334:
            return reply, None
        challenge = json.loads(base64.b64decode(reply.text))
        return self.cmd('AQ==' if mechanism == 'OAUTHBEARER' else ''), challenge


def log_in(server, text, mechanism='OAUTHBEARER'):
    with Submission(server) as c:
        reply, challenge = c.log_in(mechanism, text)
        if reply.code == 235:
            assert challenge is None
            c.cmd(f'MAIL FROM:<{ALICE}>', 250)
            c.quit()
        return reply, challenge


def accepted(server, text, mechanism='OAUTHBEARER'):
    reply, _ = log_in(server, text, mechanism)
    assert reply.code == 235, f'{reply!r}\n{server.log()[-2000:]}'


def refused(server, text, mechanism='OAUTHBEARER', why=None):
    before = len(server.log())
    reply, challenge = log_in(server, text, mechanism)
    assert (reply.code, reply.status) == (535, '5.7.8'), reply
    if mechanism == 'OAUTHBEARER':
        assert challenge == {'status': 'invalid_token', 'openid-configuration': 'https://idp.example/.well-known/openid-configuration'}
    else:
        assert challenge == {'status': '401', 'schemes': 'bearer'}
    log = server.log()[before:]
    assert 'ev=login.failed client=127.0.0.1 service=submission' in log
    if why:
        assert why in log


def unavailable(server, text):
    reply, challenge = log_in(server, text)
    assert (reply.code, reply.status, challenge) == (454, '4.7.0', None), reply


def test_what_is_offered(server, make_server):
    with Submission(server) as c:
        assert 'AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN' in c.hello
    with Smtp(server.ports['submission']) as c:  # on loopback too a token is not for everybody
        assert 'OAUTH' not in c.cmd('EHLO client.example.com', 250).text
        c.cmd(f'AUTH OAUTHBEARER {b64(bearer("x"))}', 504)
        c.quit()
    with server.pop3() as p:
        assert b'OAUTH' not in p.multi('CAPA')
        p.err(f'AUTH XOAUTH2 {b64(older("x"))}')
        p.quit()
    without = make_server(services=('submissions',))
    with Submission(without) as c:
        assert 'OAUTH' not in c.hello
        c.cmd(f'AUTH OAUTHBEARER {b64(bearer("x"))}', 504)
    assert ('oauth', 0) in server.roles() and ('oauth', 0) not in without.roles()


def test_good_tokens(server, issuer):
    token = issuer.token()
    accepted(server, bearer(token))
    accepted(server, bearer(token, user=''))
    accepted(server, older(token), 'XOAUTH2')
    accepted(server, bearer(issuer.token(aud=['other', 'mail'], email='ALICE@Example.org')))
    accepted(server, bearer(issuer.token(exp=int(time.time()) - 30)))  # clocks differ
    assert issuer.asked == ['/keys']
    with Submission(server) as c:  # no initial response
        assert c.cmd('AUTH OAUTHBEARER', 334).text == ''
        c.cmd(b64(bearer(token)), 235)
        c.quit()


@pytest.mark.parametrize('host', ['127.0.0.1', '[::1]'])
def test_issuer_by_its_address(make_server, host):
    try:
        issuer = Issuer(family=socket.AF_INET6 if ':' in host else socket.AF_INET)
    except OSError:
        pytest.skip('this machine has no IPv6')
    issuer.base = f'http://{host}:{issuer.port}'
    server = make_server(jwks(issuer), services=('submissions',), single=True)
    server.account(ALICE)
    accepted(server, bearer(issuer.token()))
    issuer.close()


def test_bad_tokens(server, issuer):
    now = int(time.time())
    refused(server, bearer(issuer.token(exp=now - 120)), why='the token has expired')
    refused(server, older(issuer.token(exp=now - 120)), 'XOAUTH2', why='the token has expired')
    refused(server, bearer(issuer.token(exp=None)), why='the token never expires')
    refused(server, bearer(issuer.token(nbf=now + 120)), why='not valid yet')
    refused(server, bearer(issuer.token(aud='other')), why='for another audience')
    refused(server, bearer(issuer.token(aud=None)), why='for another audience')
    refused(server, bearer(issuer.token(iss='https://evil.example')), why='another issuer')
    refused(server, bearer(issuer.token(email_verified=False)), why='not verified')
    refused(server, bearer(issuer.token(cnf={'jkt': 'x'})), why='bound to a key')
    refused(server, bearer('opaque'), why='is no JWT')
    with Submission(server) as c:  # a question for what is needed (RFC 7628 4.3), and then a good one
        assert c.log_in('OAUTHBEARER', f'n,a={ALICE},\1auth=\1\1')[0].code == 535
        assert c.log_in('OAUTHBEARER', bearer(issuer.token()))[0].code == 235
        c.quit()


def test_forged_tokens(server, issuer):
    public = issuer.keys['first'].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    part = lambda o: base64.urlsafe_b64encode(json.dumps(o).encode()).rstrip(b'=').decode()  # noqa: E731
    none = f'{part({"alg": "none", "typ": "at+jwt"})}.{part(issuer.claims())}.'
    refused(server, bearer(none), why='algorithm is not allowed')
    signed = f'{part({"alg": "HS256", "typ": "JWT", "kid": "first"})}.{part(issuer.claims())}'  # the public key as a shared secret
    mac = base64.urlsafe_b64encode(hmac.new(public, signed.encode(), hashlib.sha256).digest()).rstrip(b'=').decode()
    refused(server, bearer(f'{signed}.{mac}'), why='algorithm is not allowed')
    refused(server, bearer(issuer.token(rsa.generate_private_key(65537, 2048))), why='signature is wrong')
    refused(server, bearer(issuer.token(ec.generate_private_key(ec.SECP256R1()), 'ES256')), why='no key is known')
    head, body, signature = issuer.token().split('.')
    changed = json.loads(base64.urlsafe_b64decode(body + '=='))
    changed['email'] = 'bob@example.org'
    refused(server, bearer(f'{head}.{part(changed)}.{signature}', user=''), why='signature is wrong')
    accepted(server, bearer(issuer.token()))


def test_accounts(server, issuer):
    refused(server, bearer(issuer.token(email='nobody@example.org'), user=''), why='no account has this address')
    refused(server, bearer(issuer.token(), user='bob@example.org'), why='for another account')
    refused(server, older(issuer.token(), user='bob@example.org'), 'XOAUTH2', why='for another account')
    refused(server, bearer(issuer.token(), user='nobody@example.org'))
    server.cli('account', 'disable', ALICE)
    refused(server, bearer(issuer.token()), why='the account is disabled')
    server.cli('account', 'enable', ALICE)
    accepted(server, bearer(issuer.token()))
    with Submission(server) as c:  # the login is the account's, and writes as that alone
        assert c.log_in('OAUTHBEARER', bearer(issuer.token()))[0].code == 235
        c.mail('bob@example.org')
        c.rcpt(ALICE, expect=5)
        c.quit()


def test_malformed(server, issuer):
    with Submission(server) as c:
        for text in ('\1', 'n,,\1\1', 'n,,\1auth=Basic eA==\1\1', 'p=tls-unique,,\1auth=Bearer x\1\1', 'n,,\1auth=Bearer x y\1\1'):
            c.cmd(f'AUTH OAUTHBEARER {b64(text)}', 501)
        for text in ('', 'user=a', 'user=a\1auth=Bearer \1\1'):
            c.cmd(f'AUTH XOAUTH2 {b64(text) or "="}', 501)
        c.quit()


def test_keys_are_rotated(server, issuer):
    old = issuer.token()
    accepted(server, bearer(old))
    issuer.rotate('second', only=False)
    accepted(server, bearer(issuer.token()))
    accepted(server, bearer(old))
    issuer.rotate('third')
    accepted(server, bearer(issuer.token()))
    refused(server, bearer(old), why='no key is known')
    for _ in range(5):  # whoever makes up names of keys does not have us ask each time
        refused(server, bearer(issuer.token(kid='made up', key=rsa.generate_private_key(65537, 2048))))
    assert len(issuer.asked) <= 5


@pytest.mark.parametrize('mode', ['garbage', 'huge', 'busy', 'hang up'])
def test_issuer_in_trouble(server, issuer, mode):
    issuer.mode = mode
    unavailable(server, bearer(issuer.token()))
    assert 'ev=oauth.keys-failed' in server.log() and 'ev=login.error' in server.log()
    issuer.mode = 'good'

    def works():
        return log_in(server, bearer(issuer.token()))[0].code == 235

    eventually(works, 'the keys are fetched')
    assert 'ev=login.failed' not in server.log()  # it was not the client's fault


def test_issuer_that_is_gone(server, issuer):
    issuer.server.server_close()
    begin = time.monotonic()
    unavailable(server, bearer(issuer.token()))
    assert time.monotonic() - begin < 5


def test_slow_issuer_holds_up_nobody_else(server, issuer):
    """The deadline of a question is 10 s; meanwhile passwords are looked at as always."""
    issuer.mode = 'slow'
    results = []
    waiting = [threading.Thread(target=lambda: results.append(log_in(server, bearer(issuer.token()))[0].code)) for _ in range(8)]
    for t in waiting:
        t.start()
    eventually(lambda: issuer.asked, 'the issuer is asked')
    for _ in range(3):
        begin = time.monotonic()
        with Submission(server) as c:
            c.cmd(f'AUTH PLAIN {b64(chr(0) + ALICE + chr(0) + "secret")}', 235)
            c.quit()
        assert time.monotonic() - begin < 3
    assert not results
    for t in waiting:
        t.join(40)
    assert results == [454] * 8


def test_process_that_dies(server, issuer):
    issuer.mode = 'slow'
    results = []
    waiting = threading.Thread(target=lambda: results.append(log_in(server, bearer(issuer.token()))[0].code))
    waiting.start()
    eventually(lambda: issuer.asked, 'the issuer is asked')
    pid = server.roles()['oauth', 0]
    os.kill(pid, signal.SIGKILL)
    waiting.join(5)
    assert results == [454]
    issuer.mode = 'good'
    issuer.released.set()
    eventually(lambda: server.roles().get(('oauth', 0), pid) != pid, 'another one is started')
    eventually(lambda: log_in(server, bearer(issuer.token()))[0].code == 235, 'tokens are good again')


# --- introspection, over HTTPS ---


@pytest.fixture
def asked(make_server, tmp_path):
    """A server that asks an issuer with a certificate of an authority of its own."""
    tmp_path.chmod(0o755)
    authority = Authority(tmp_path)
    issuer = Issuer(authority.sign('idp', names=('localhost',)))
    secret = tmp_path / 'secret'
    secret.write_text('pass word:1\n')
    settings = f'tls authorities {authority.pem}\noauth introspect {issuer.base}/introspect client mail secret-file {secret} audience mail cache 2s'
    server = make_server(settings, services=('submissions', 'pop3s'))
    server.issuer, server.authority, server.secret = issuer, authority, secret
    server.account(ALICE)
    yield server
    issuer.close()


def refused_by_answer(server, text, why):
    reply, challenge = log_in(server, text)
    assert reply.code == 535 and challenge == {'status': 'invalid_token'}
    assert why in server.log()


def test_introspection(asked):
    accepted(asked, bearer('opaque'))
    assert asked.issuer.asked == ['/introspect']
    name, password = base64.b64decode(asked.issuer.logins[0].split()[1]).decode().split(':', 1)
    assert (name, urllib.parse.unquote(password)) == ('mail', 'pass word:1')  # RFC 6749 2.3.1
    accepted(asked, bearer('opaque'))
    assert len(asked.issuer.asked) == 1  # a good answer counts for two seconds
    refused_by_answer(asked, bearer('opaque-2'), 'the token is not active')
    refused_by_answer(asked, bearer('opaque-2'), 'the token is not active')
    assert len(asked.issuer.asked) == 3  # a bad one does not
    asked.issuer.about = lambda token: {'active': False}  # revoked
    eventually(lambda: log_in(asked, bearer('opaque'))[0].code == 535, 'the token counts no more', timeout=5)
    asked.issuer.about = lambda token: {'active': True, 'email': ALICE, 'aud': 'other'}
    refused_by_answer(asked, bearer('opaque-3'), 'the token is for another audience')
    for mode in ('garbage', 'huge', 'busy', 'hang up'):
        asked.issuer.mode = mode
        unavailable(asked, bearer('opaque-4'))


def test_issuer_with_a_wrong_certificate(make_server, tmp_path):
    tmp_path.chmod(0o755)
    authority = Authority(tmp_path)
    issuer = Issuer(authority.sign('idp', names=('other.example',), addresses=('127.0.0.9',)))
    (tmp_path / 'secret').write_text('secret\n')
    server = make_server(
        f'tls authorities {authority.pem}\noauth introspect {issuer.base}/introspect client mail secret-file {tmp_path}/secret',
        services=('submissions',),
    )
    server.account(ALICE)
    try:
        unavailable(server, bearer('opaque'))
        assert not issuer.asked
        assert 'HTTPS:' in server.log()
    finally:
        issuer.close()


def test_secret_that_is_missing_and_comes(asked):
    asked.issuer.about = lambda token: {'active': True, 'email': ALICE, 'aud': 'mail'}
    accepted(asked, bearer('opaque-1'))
    asked.secret.write_text('another\n')
    asked.reload()
    eventually(lambda: 'ev=trust.reload' in asked.log(), 'the file is read again')

    def shown():
        accepted(asked, bearer('opaque-2'))
        return base64.b64decode(asked.issuer.logins[-1].split()[1]) == b'mail:another'

    eventually(shown, 'the new secret is shown')


def test_secret_that_cannot_be_read(make_server, issuer, tmp_path):
    server = make_server(f'oauth introspect {issuer.base}/introspect client mail secret-file {tmp_path}/none', services=('submissions',))
    server.account(ALICE)
    unavailable(server, bearer('opaque'))
    assert 'ev=trust.unreadable' in server.log()


# --- POP3 and users' programs ---


def test_pop3(server, issuer):
    for mechanism, text, dummy in (('OAUTHBEARER', bearer, 'AQ=='), ('XOAUTH2', older, '')):
        with Pop3.__new__(Pop3) as p:  # TLS comes before the greeting
            super(Pop3, p).__init__(server.ports['pop3s'])
            p.handshake()
            p.ok()
            assert b'OAUTHBEARER XOAUTH2' in p.multi('CAPA')
            p.send(f'AUTH {mechanism} {b64(text("bad"))}\r\n')
            challenge = p.line()
            assert challenge.startswith(b'+ ') and b'status' in base64.b64decode(challenge[2:])
            p.send(f'{dummy}\r\n')
            assert p.line().startswith(b'-ERR [AUTH]')
            p.send(f'AUTH {mechanism}\r\n')  # RFC 5034 4: a command has 255 octets, so that the response comes behind it
            assert p.line() == b'+ '
            p.cmd(b64(text(issuer.token())))
            assert p.stat() == (0, 0)
            p.quit()


def test_smtplib(server, issuer):
    c = smtplib.SMTP('127.0.0.1', server.ports['submission'])
    c.starttls(context=anybody())
    c.ehlo()
    c.user, c.password = ALICE, ''
    c.auth('XOAUTH2', lambda challenge=None: older(issuer.token()) if challenge is None else '')
    m = email.message.EmailMessage()
    m['From'], m['To'], m['Subject'] = ALICE, 'bob@example.org', 'by token'
    m.set_content('hello\n')
    c.send_message(m)
    c.quit()
    assert b'by token' in server.mailbox('bob@example.org')[0]


def curl(*words, input=None):
    return run(need('curl'), '-sS', '-k', *words, input=input)


@pytest.mark.parametrize('mechanism', ['OAUTHBEARER', 'XOAUTH2'])
def test_curl(server, issuer, tmp_path, mechanism):
    (tmp_path / 'm').write_bytes(message(subject='by curl').replace(b'sender@example.com', ALICE.encode()))
    login = ('--user', f'{ALICE}:', '--oauth2-bearer', issuer.token(), '--login-options', f'AUTH={mechanism}')
    curl(*login, '--url', f'smtps://127.0.0.1:{server.ports["submissions"]}', '--mail-from', ALICE, '--mail-rcpt', ALICE, '-T', str(tmp_path / 'm'))
    assert b'by curl' in curl(*login, '--url', f'pop3s://127.0.0.1:{server.ports["pop3s"]}/1').stdout
    r = subprocess.run([need('curl'), '-sS', '-k', '--user', f'{ALICE}:', '--oauth2-bearer', 'bad', '--login-options', f'AUTH={mechanism}', '--url',
                        f'pop3s://127.0.0.1:{server.ports["pop3s"]}/1'], capture_output=True, timeout=60)  # fmt: skip
    assert r.returncode == 67, r  # login denied


@pytest.mark.parametrize('mechanism', ['oauthbearer', 'xoauth2'])
def test_msmtp(server, issuer, mechanism):
    if mechanism.encode() not in run(need('msmtp'), '--version').stdout:
        pytest.skip('this msmtp has no tokens')
    words = ['msmtp', '-C', '/dev/null', '--host=127.0.0.1', f'--port={server.ports["submission"]}', '--tls=on', '--tls-starttls=on', '--tls-certcheck=off',
             f'--auth={mechanism}', f'--user={ALICE}', f'--passwordeval=echo {issuer.token()}', f'--from={ALICE}', 'bob@example.org']  # fmt: skip
    run(*words, input=message(subject='by msmtp').replace(b'sender@example.com', ALICE.encode()))
    assert b'by msmtp' in server.mailbox('bob@example.org')[0]


def test_security(server):
    rows = {r['process']: r for r in server.json('security')}
    row = rows['oauth-0']
    assert row['files'] == rows['send-0']['files']  # the log
    if os.geteuid() == 0:
        assert row['root'] == 'empty' and row['uid'] != 0 and row['capabilities'] == 'no'


def test_reload(server, issuer, make_server):
    """Taken away: nobody logs in with a token from then on. A server without it has no process for it until it is started anew."""
    accepted(server, bearer(issuer.token()))
    server.settings = ''
    server.write_config()
    server.reload()
    eventually(lambda: 'ev=config.reload' in server.log(), 'the configuration is read again')
    eventually(lambda: log_in(server, bearer(issuer.token()))[0].code == 504, 'tokens are not taken')
    assert server.log().count('reload.restart-needed') == 0
    server.settings = jwks(issuer)
    server.write_config()
    server.reload()
    eventually(lambda: 'reload.restart-needed' in server.log(), 'a restart is asked for')
    server.restart()
    accepted(server, bearer(issuer.token()))


def test_check(make_server, tmp_path):
    server = make_server(f'oauth introspect https://idp.example/introspect client mail secret-file {tmp_path}/none', start=False)
    assert f'{tmp_path}/none: warning: No such file or directory' in server.cli('check').stderr
    server.settings = 'oauth introspect http://idp.example/introspect client mail'
    server.write_config()
    r = server.cli('check', expect=78)
    assert 'only https:// goes to another machine' in r.stderr and 'secret-file' in r.stderr
