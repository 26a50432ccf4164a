# SPDX-License-Identifier: ISC
"""Submission (RFC 6409): AUTH on loopback, what a login may write as, what is added and dropped; then real clients."""

import base64
import email
import os
import re
import signal
import smtplib

import pytest

from harness import ROOT, Server, Smtp, anybody, eventually, need, other_address, run
from scram import Scram

ADDRESS = 'alice@example.org'


@pytest.fixture(scope='module')
def msa():
    server = Server(services=('smtp', 'submission', 'submissions', 'pop3')).start()
    for name in ('alice', 'bob', 'carol', 'catchall'):
        server.account(f'{name}@example.org')
    server.cli('alias', 'add', 'sales@example.org', ADDRESS)
    yield server
    server.close()


@pytest.fixture
def bob(msa):
    """An account for one test's message."""
    yield msa.account()
    msa.check_log()
    msa.check_balance()


def plain(user=ADDRESS, password='secret'):
    return base64.b64encode(f'\0{user}\0{password}'.encode()).decode()


def connect(server, user=ADDRESS):
    c = Smtp(server.ports['submission'])
    if user:
        c.cmd('AUTH PLAIN ' + plain(user), 235)
    return c


def text(sender=ADDRESS, subject='s', more=''):
    return f'From: {sender}\r\nTo: b@example.org\r\nSubject: {subject}\r\n{more}\r\nHello.\r\n'.encode()


def received(server, user):
    messages = server.mailbox(user)
    assert len(messages) == 1, len(messages)
    return email.message_from_bytes(messages[0])


# --- logging in ---


def test_offer(msa):
    with Smtp(msa.ports['submission'], hello=None) as c:
        words = c.cmd('EHLO client.example.com', 250).text.split('\n')
        offered = [w for w in words if w.startswith('AUTH ')]
        assert len(offered) == 1
        assert {'PLAIN', 'LOGIN'} <= set(offered[0].split()[1:])
    with Smtp(msa.ports['smtp'], hello=None) as c:
        assert 'AUTH' not in c.cmd('EHLO client.example.com', 250).text
        assert c.cmd('AUTH PLAIN ' + plain(), 502).status == '5.5.1'


def test_nobody_submits_without_a_login(msa, bob):
    with connect(msa, user=None) as c:
        assert c.cmd(f'MAIL FROM:<{ADDRESS}>', 530).status == '5.7.0'
        assert c.cmd('AUTH PLAIN ' + plain(password='wrong'), 535).status == '5.7.8'
        c.cmd(f'MAIL FROM:<{ADDRESS}>', 530)
        c.cmd('MAIL FROM:<>', 530)
        c.cmd(f'RCPT TO:<{bob}>', 503)
    assert msa.mailbox(bob) == []


@pytest.mark.parametrize('login', [ADDRESS, 'Alice@EXAMPLE.org', 'alice'])
def test_nobody_acts_as_somebody_else(msa, login):
    """The authorization identity of PLAIN and SCRAM: oneself, in whatever case, or nobody."""
    for name, code in (('', 235), (ADDRESS, 235), ('ALICE@example.ORG', 235), ('bob@example.org', 535), ('nobody', 535), ('alice@example.net', 535)):
        with connect(msa, user=None) as c:
            c.cmd('AUTH PLAIN ' + base64.b64encode(f'{name}\0{login}\0secret'.encode()).decode(), code)
            c.mail(ADDRESS, expect=250 if code == 235 else 530)
        with connect(msa, user=None) as c:
            scram = Scram(login, 'secret', authorization=name)
            challenge = c.cmd('AUTH SCRAM-SHA-256 ' + base64.b64encode(scram.first()).decode(), 334).text
            c.cmd(base64.b64encode(scram.final(base64.b64decode(challenge))), 334 if code == 235 else code)


def test_login_is_for_the_session(msa):
    with connect(msa) as c:
        assert c.cmd('AUTH PLAIN ' + plain(), 503).status == '5.5.1'
        c.cmd('EHLO client.example.com', 250)
        c.cmd(f'MAIL FROM:<{ADDRESS}>', 250)
        c.cmd('AUTH PLAIN ' + plain(), 503)
        c.cmd('RSET', 250)
    with connect(msa, user=None) as c:
        c.cmd(f'MAIL FROM:<{ADDRESS}>', 530)


@pytest.mark.parametrize('change', ['passwd', 'app-password', 'certificate'])
def test_a_credential_that_goes_takes_its_sessions_along(msa, change):
    """Whoever has learned a password is out when there is another."""
    user, fingerprint = msa.account(), 'ab' * 32
    if change == 'app-password':
        msa.cli('account', 'app-password', 'add', user, 'phone')
    if change == 'certificate':
        msa.cli('account', 'certificate', 'add', user, fingerprint)
    with connect(msa, user) as c:
        c.mail(user)
        c.rcpt(user)
        c.cmd('RSET', 250)
        if change == 'passwd':
            msa.cli('account', 'passwd', user, input='secret\n')
        else:
            msa.cli('account', change, 'remove', user, fingerprint if change == 'certificate' else 'phone')
        c.mail(user)
        assert c.rcpt(user, expect=451).status == '4.7.0'
    with connect(msa, user) as c:
        c.mail(user)
        c.rcpt(user)


def works(server):
    with Smtp(server.ports['submission'], hello=None) as c:
        c.cmd('EHLO x', 250)
        return c.cmd('AUTH PLAIN ' + plain()).code == 235


def test_nothing_is_refused_for_good_when_the_store_begins_anew(make_server):
    """It does not know then who is logged in."""
    server = make_server(services=('submission', 'pop3'))
    server.account(ADDRESS)
    with connect(server) as within, connect(server) as between:
        within.mail(ADDRESS)
        os.kill(server.roles()['store', 0], signal.SIGKILL)
        eventually(lambda: works(server), 'the store is back')
        within.rcpt('someone@example.com', expect=451)
        between.mail('')
        between.rcpt('someone@example.com', expect=451)
    with connect(server) as c:
        c.mail(ADDRESS)
        c.rcpt('someone@example.com')


def test_mechanisms(msa):
    with connect(msa, user=None) as c:
        assert c.cmd('AUTH CRAM-MD5', 504).status == '5.5.4'
        assert c.cmd('AUTH', 501).status == '5.5.4'
        c.cmd('AUTH LOGIN', 334)
        c.cmd(base64.b64encode(ADDRESS.encode()), 334)
        c.cmd(base64.b64encode(b'secret'), 235)


def test_bad_input_72_cancelled_empty_and_malformed_responses(msa):
    with connect(msa, user=None) as c:
        c.cmd('AUTH PLAIN', 334)
        c.cmd('*', 501)
        c.cmd('AUTH PLAIN =', 5)
        for line in ('AGFs\tbA==', 'AA\0==', 'AA', '=', 'A' * 12000):
            c.cmd('AUTH PLAIN', 334)
            c.cmd(line, 5)
        c.cmd('AUTH PLAIN', 334)
        c.cmd('A' * 20000, 500)
        c.cmd('NOOP', 250)
        c.cmd('AUTH PLAIN ' + plain(), 235)


def test_bad_input_72_nothing_is_left_for_the_next_user(msa, bob):
    with connect(msa, user=None) as c:
        c.cmd('AUTH LOGIN', 334)
        c.cmd(base64.b64encode(ADDRESS.encode()), 334)
        c.cmd('*', 501)
        c.cmd('AUTH PLAIN ' + plain(bob), 235)
        c.mail(ADDRESS)
        c.rcpt(bob, expect=550)
        c.cmd('RSET', 250)
        c.mail(bob)
        c.rcpt(bob)


def test_guesses_end_the_session(make_server):
    server = make_server('limit errors 3', services=('submission', 'pop3'))
    server.account(ADDRESS)
    with connect(server, user=None) as c:
        for _ in range(3):
            c.cmd('AUTH PLAIN =', 5)
        c.expect(421)
        c.expect_closed()


@pytest.mark.parametrize('form', ['log info', 'log info json'])
@pytest.mark.parametrize('single', [False, True])
def test_fail2ban(make_server, tmp_path, single, form):
    """Its filter finds failed logins, and nobody else's address by what clients call themselves."""
    program = need('fail2ban-regex')
    server = make_server(form, services=('smtp', 'submission', 'pop3'), single=single)
    server.account(ADDRESS)
    injected = 'ev=login.failed client=192.0.2.99 x'
    with Smtp(server.ports['smtp'], hello=None) as c:
        c.cmd('EHLO ' + injected, 250)
        c.mail(f'"{injected}"@example.com')
        c.rcpt('nobody@example.org', expect=550)
    with connect(server, user=None) as c:
        c.cmd('AUTH PLAIN ' + plain('x" t=1 level=warn role=keys-0 ' + injected), 535)
    eventually(lambda: 'smtp.reject' in server.log() and 'mechanism' in server.log(), 'both are logged')
    line = next(x for x in server.log().split('\n') if 'mechanism' in x)
    log = tmp_path / 'log'
    log.write_text(server.log() + line.replace('127.0.0.1', '2001:db8::7') + '\nNov 22 07:56:37 mail pombo[123]: ' + line.replace('127.0.0.1', '192.0.2.5') + '\n')
    words = [program, '-o', 'ip', str(log), os.path.join(ROOT, 'conf/fail2ban/pombo.conf')]
    found = run(*words).stdout.decode().split()
    assert sorted(found) == ['127.0.0.1', '192.0.2.5', '2001:db8::7']


# --- below TLS ---


def test_bad_input_11_no_login_in_plaintext(make_server):
    """From elsewhere AUTH is for TLS: it is not offered, and no password is looked at (RFC 8314 3.3, RFC 4954 4)."""
    host = other_address()
    server = make_server(services=('submission', 'submissions', 'pop3'), start=False)
    server.write_config(server.config_text().replace('listen submission 127.0.0.1', 'listen submission 0.0.0.0'))
    server.start()
    server.account(ADDRESS)
    with Smtp((host, server.ports['submission']), hello=None) as c:
        assert 'AUTH' not in c.cmd('EHLO client.example.com', 250).text
        for line in ('AUTH PLAIN ' + plain(), 'AUTH PLAIN', 'AUTH LOGIN', 'AUTH SCRAM-SHA-256', 'AUTH CRAM-MD5'):
            assert c.cmd(line, 538).status == '5.7.11'
        assert c.cmd(f'MAIL FROM:<{ADDRESS}>', 530).status == '5.7.0'
        assert 'ev=login' not in server.log()
        c.cmd('STARTTLS', 220)
        c.handshake()
        assert 'AUTH ' in c.cmd('EHLO client.example.com', 250).text
        c.cmd('AUTH PLAIN ' + plain(), 235)
        c.cmd(f'MAIL FROM:<{ADDRESS}>', 250)

def test_starttls_forgets_a_login(msa, bob):
    with connect(msa) as c:
        c.cmd('STARTTLS', 220)
        c.handshake()
        c.cmd(f'MAIL FROM:<{ADDRESS}>', 503)
        assert 'AUTH ' in c.cmd('EHLO client.example.com', 250).text
        c.cmd(f'MAIL FROM:<{ADDRESS}>', 530)
        c.cmd('AUTH PLAIN ' + plain(), 235)
        c.envelope(bob, sender=ADDRESS)
        c.data(text(), 250)
    assert ' with ESMTPSA ' in received(msa, bob)['Received']


def test_submissions(msa, bob):
    c = Smtp(msa.ports['submissions'], greet=False)
    c.handshake()
    c.expect(220)
    assert 'STARTTLS' not in c.cmd('EHLO client.example.com', 250).text
    c.cmd(f'MAIL FROM:<{ADDRESS}>', 530)
    c.cmd('AUTH PLAIN ' + plain(), 235)
    c.envelope(bob, sender=ADDRESS)
    c.data(text(), 250)
    c.close()
    assert ' with ESMTPSA ' in received(msa, bob)['Received']


# --- who it is from ---


@pytest.mark.parametrize('sender', [ADDRESS, 'Alice+x@EXAMPLE.org', 'sales@example.org', '"alice"@example.org'])
def test_a_login_may_write_as(msa, bob, sender):
    with connect(msa) as c:
        c.envelope(bob, sender=sender)
        c.data(text(sender), 250)
    assert received(msa, bob)['From'] == sender


def test_catchall_may_write_as_anybody_of_its_domain(msa, bob):
    with connect(msa, user='catchall@example.org') as c:
        c.envelope(bob, sender='someone@example.net')
        c.data(text('someone@example.net'), 250)


@pytest.mark.parametrize('sender', ['bob@example.org', 'nobody@example.org', 'alice@example.com', 'x@example.net'])
def test_reverse_path_of_somebody_else(msa, sender):
    with connect(msa) as c:
        c.cmd(f'MAIL FROM:<{sender}>', 250)
        reply = c.rcpt('bob@example.org', expect=550)
        assert reply.status == '5.7.1' and ADDRESS in reply.text and 'sales@example.org' in reply.text
        c.cmd('RSET', 250)
        c.cmd(f'MAIL FROM:<{ADDRESS}>', 250)


@pytest.mark.parametrize(
    'header',
    [
        'From: bob@example.org',
        f'From: {ADDRESS}, bob@example.org',
        f'From: {ADDRESS}\r\nSender: bob@example.org',
        f'From: {ADDRESS}\r\nFrom: bob@example.org',
        f'From: {ADDRESS}\r\nfrom : bob@example.org',
        f'From: "{ADDRESS}" <bob@example.org>',
        f'From: ({ADDRESS}) bob@example.org',
        f'From: bob@example.org <{ADDRESS}>',
        f'From: {ADDRESS} <bob@example.org',
        f'From: Group: {ADDRESS}, bob@example.org;',
        'From: Nobody:;',
        'Subject: no From',
        f'From: {ADDRESS}\r\noddline\r\nFrom: bob@example.org',
    ],
)
def test_header_of_somebody_else(msa, bob, header):
    with connect(msa) as c:
        c.envelope(bob, sender=ADDRESS)
        assert c.data(header.encode() + b'\r\n\r\nHello.\r\n', 550).status in ('5.7.1', '5.6.0')
    assert msa.mailbox(bob) == []


def test_bad_input_38_null_sender_is_the_logins_too(msa, bob):
    with connect(msa) as c:
        c.envelope(bob, sender='')
        c.data(text('bob@example.org'), 550)
        c.envelope(bob, sender='')
        c.data(text(), 250)
    assert received(msa, bob)['Return-Path'] == '<>'


def test_mail_auth_parameter(msa):
    with connect(msa) as c:
        for value in ('<>', 'alice@example.org', 'a+2Bb@example.org'):
            c.cmd(f'MAIL FROM:<{ADDRESS}> AUTH={value}', 250)
            c.cmd('RSET', 250)
        for value in ('', '+0A', '+zz', 'a=b'):
            c.cmd(f'MAIL FROM:<{ADDRESS}> AUTH={value}', 501)
    with Smtp(msa.ports['smtp']) as c:
        c.cmd('MAIL FROM:<a@example.com> AUTH=<>', 555)


# --- what becomes of the message ---


def test_missing_fields_are_added(msa, bob):
    with connect(msa) as c:
        c.envelope(bob, sender=ADDRESS)
        mid = c.data(text(), 250).text.split()[-1]
    m = received(msa, bob)
    assert m['Message-ID'] == f'<{mid}@mx.example.org>'
    assert email.utils.parsedate_to_datetime(m['Date'])
    assert m['Sender'] is None
    assert msa.json('trace', m['Message-ID'])


def test_fields_that_are_there_stay(msa, bob):
    more = 'Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <mine@example.org>\r\n'
    with connect(msa) as c:
        c.envelope(bob, sender=ADDRESS)
        c.data(text(more=more), 250)
    assert msa.mailbox(bob)[0].endswith(text(more=more))


def test_several_authors_get_a_sender(msa, bob):
    with connect(msa) as c:
        c.envelope(bob, sender=ADDRESS)
        c.data(text(f'Alice <{ADDRESS}>, Sales <sales@example.org>'), 250)
    assert received(msa, bob)['Sender'] == ADDRESS


@pytest.mark.parametrize('size', [10, 300000])
def test_bcc_is_dropped(msa, bob, size):
    body = b'Hello.\r\nBcc: in the text\r\n' + b'x' * 70 * (size // 72) + b'\r\n'
    head = text(more='X: y\r\n').split(b'\r\n\r\n')[0]
    with connect(msa) as c:
        c.envelope(bob, sender=ADDRESS)
        c.data(b'Bcc: carol@example.org,\r\n dave@example.com\r\n' + head + b'\r\nbcc: x\r\n\r\n' + body, 250)
    kept = msa.mailbox(bob)[0]
    assert kept.endswith(head + b'\r\n\r\n' + body)
    assert b'carol' not in kept and b'dave' not in kept
    msa.check_store()


def test_client_is_hidden(msa, bob):
    with connect(msa) as c:
        c.envelope(bob, sender=ADDRESS)
        c.data(text(), 250)
    kept = received(msa, bob)['Received']
    assert kept.startswith('by mx.example.org with ESMTPA id ') and '127.0.0.1' not in kept and 'client' not in kept


def test_client_is_shown_when_told(make_server):
    server = make_server('submission show-client yes', services=('submission', 'pop3'))
    server.account(ADDRESS)
    with connect(server) as c:
        c.envelope(ADDRESS, sender=ADDRESS)
        c.data(text(), 250)
    assert received(server, ADDRESS)['Received'].startswith('from client.example.com ([127.0.0.1])')


def test_other_servers_are_for_who_is_logged_in(msa):
    with connect(msa) as c:
        c.mail(ADDRESS)
        c.rcpt('someone@example.com')
        c.rcpt('bob@example.org')
    with Smtp(msa.ports['smtp']) as c:
        c.mail(ADDRESS)
        assert c.rcpt('someone@example.com', expect=550).status == '5.7.1'


def test_who_sent_it_again(msa, bob):
    """Resent-From and Resent-Sender are the login's, as From is (RFC 5322 3.6.6)."""
    with connect(msa) as c:
        for field in ('Resent-From: carol@example.org', 'Resent-Sender: carol@example.org'):
            c.envelope(bob, sender=ADDRESS)
            assert c.data(text(more=field + '\r\n'), 550).status == '5.7.1'
        c.envelope(bob, sender=ADDRESS)
        c.data(text(more=f'Resent-From: {ADDRESS}\r\nResent-To: {bob}\r\n'), 250)
    assert received(msa, bob)['Resent-From'] == ADDRESS


# --- what may be asked for ---


def words_of(c):
    return {line.split(' ', 1)[0]: line for line in c.cmd('EHLO client.example.com', 250).text.split('\n')}


def test_extensions(msa):
    with connect(msa) as c:
        words = words_of(c)
        assert {'FUTURERELEASE', 'DELIVERBY', 'MT-PRIORITY', 'XFATE'} <= words.keys()
        assert re.fullmatch(r'FUTURERELEASE 2592000 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', words['FUTURERELEASE'])  # RFC 4865
        assert 'REQUIRETLS' not in words  # RFC 8689 2: under TLS alone
        c.mail(ADDRESS, 'REQUIRETLS', expect=555)
        for params in ('HOLDFOR=2592001', 'HOLDUNTIL=1999-01-01T00:00:00Z', 'HOLDFOR=1 HOLDUNTIL=2026-01-01T00:00:00Z', 'BY=0;R', 'BY=1'):
            assert c.mail(ADDRESS, params, expect=501).status == '5.5.4'
        assert c.mail(ADDRESS, 'MT-PRIORITY=10', expect=501).status == '5.5.2'  # RFC 6710 4
        c.mail(ADDRESS, 'BY=120;R MT-PRIORITY=-9')
    with Smtp(msa.ports['submissions'], greet=False) as c:
        c.handshake()
        c.expect(220)
        assert 'REQUIRETLS' in words_of(c)
        c.cmd('AUTH PLAIN ' + plain(), 235)
        c.mail(ADDRESS, 'REQUIRETLS')
    with Smtp(msa.ports['smtp'], hello=None) as c:
        assert not {'FUTURERELEASE', 'DELIVERBY', 'MT-PRIORITY', 'XFATE', 'REQUIRETLS'} & words_of(c).keys()
        c.mail('sender@example.com', 'BY=120;R', expect=555)


# --- XFATE ---


def fate(c, args):
    c.send(f'XFATE {args}\r\n'.encode())
    lines = [c.line()]
    while lines[-1][3:4] == b'-':
        lines.append(c.line())
    return [line.decode().rstrip() for line in lines]


def test_fate(msa, bob):
    with connect(msa) as c:
        c.envelope(bob, sender=ADDRESS)
        mid = c.data(text(), 250).text.split()[-1]
        [first, told, end] = fate(c, f'{mid} WAIT=10')
        version = re.fullmatch(r'250-VERSION=(\d+) FINAL=1', first).group(1)
        assert told.startswith(f'250-mailbox {bob} AT=20')
        assert end == '250 End'
        assert fate(c, f'{mid} SEEN={version}')[0] == first
        for bad in ('', '!', f'{mid} WAIT=601', f'{mid} SEEN', f'{mid} MORE=1'):
            assert fate(c, bad)[0].startswith('501 ')
    with connect(msa, user='carol@example.org') as c:
        assert fate(c, mid)[0].startswith('550 5.1.0 ')
    with connect(msa, user=None) as c:
        assert fate(c, mid)[0].startswith('530 ')
    with Smtp(msa.ports['smtp']) as c:
        assert fate(c, mid)[0].startswith('502 ')


def test_limit_of_an_hour(make_server):
    server = make_server('limit messages-per-hour 3\nprocesses edge 2', services=('submission', 'pop3'))
    server.account(ADDRESS)
    server.account('bob@example.org')
    for recipients in ([ADDRESS, 'bob@example.org'], [ADDRESS]):
        with connect(server) as c:
            c.envelope(*recipients, sender=ADDRESS)
            c.data(text(), 250)
    with connect(server) as c:
        for _ in range(2):
            c.envelope(ADDRESS, sender=ADDRESS)
            assert c.data(text(), 450).status == '4.7.1'
    with connect(server, user='bob@example.org') as c:
        c.envelope(ADDRESS, sender='bob@example.org')
        c.data(text('bob@example.org'), 250)
    # three messages, and one that tells of the limit: to the owner, who is postmaster here too
    eventually(lambda: len(server.mailbox(ADDRESS)) == 4, 'the notice is there')
    notices = [m for m in server.mailbox(ADDRESS) if m.startswith(b'Return-Path: <>')]
    assert len(notices) == 1 and b'\nSubject: Too much mail from ' + ADDRESS.encode() in notices[0]
    assert server.log().count('ev=submission.limit') == 1
    assert server.check_balance()['mailbox'] == 6


def test_login_without_a_message_leaves_nothing(msa):
    for _ in range(20):
        c = connect(msa)
        c.close()
    eventually(lambda: connect(msa).cmd('NOOP', 250), 'the next login works')


# --- clients ---


@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN'])
def test_client_smtplib(msa, bob, mechanism):
    with smtplib.SMTP('127.0.0.1', msa.ports['submission'], timeout=30) as c:
        c.ehlo()
        c.user, c.password = ADDRESS, 'secret'
        c.auth(mechanism, getattr(c, f'auth_{mechanism.lower()}'))
        c.sendmail(ADDRESS, [bob], text(subject='smtplib'))
    assert received(msa, bob)['Subject'] == 'smtplib'


def test_client_smtplib_tls(msa, bob):
    with smtplib.SMTP_SSL('127.0.0.1', msa.ports['submissions'], timeout=30, context=anybody()) as c:
        c.login(ADDRESS, 'secret')
        c.sendmail(ADDRESS, [bob], text(subject='smtplib'))
    with smtplib.SMTP('127.0.0.1', msa.ports['submission'], timeout=30) as c:
        c.starttls(context=anybody())
        c.login(ADDRESS, 'secret')
    assert received(msa, bob)['Subject'] == 'smtplib'


def test_client_smtplib_login_chooses(msa):
    with smtplib.SMTP('127.0.0.1', msa.ports['submission'], timeout=30) as c:
        c.login(ADDRESS, 'secret')
    with smtplib.SMTP('127.0.0.1', msa.ports['submission'], timeout=30) as c:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            c.login(ADDRESS, 'wrong')


@pytest.mark.parametrize('tls', ['', '--tls', '--tls-on-connect'])
@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN'])
def test_client_swaks(msa, bob, mechanism, tls):
    run(
        need('swaks'),
        *filter(None, [tls]),
        '--server',
        f'127.0.0.1:{msa.ports["submissions" if tls.endswith("connect") else "submission"]}',
        '--auth',
        mechanism,
        '--auth-user',
        ADDRESS,
        '--auth-password',
        'secret',
        '--from',
        ADDRESS,
        '--to',
        bob,
        '--header',
        'Subject: swaks',
    )
    assert received(msa, bob)['Subject'] == 'swaks'


@pytest.mark.parametrize('how', ['--no-ssl-reqd', '--ssl-reqd', 'smtps'])
def test_client_curl(msa, bob, tmp_path, how):
    (tmp_path / 'text').write_bytes(text(subject='curl'))
    service = 'submissions' if how == 'smtps' else 'submission'
    run(
        need('curl'),
        '-sSk',
        '--ssl-reqd' if how == 'smtps' else how,
        f'{"smtps" if how == "smtps" else "smtp"}://127.0.0.1:{msa.ports[service]}/client.example.com',
        '--user',
        f'{ADDRESS}:secret',
        '--mail-from',
        ADDRESS,
        '--mail-rcpt',
        bob,
        '--upload-file',
        str(tmp_path / 'text'),
    )
    assert received(msa, bob)['Subject'] == 'curl'


@pytest.mark.parametrize('tls', ['off', 'on'])
@pytest.mark.parametrize('mechanism', ['plain', 'login'])
def test_client_msmtp(msa, bob, mechanism, tls):
    run(
        need('msmtp'),
        '--file=/dev/null',
        '--host=127.0.0.1',
        f'--port={msa.ports["submission"]}',
        f'--from={ADDRESS}',
        f'--auth={mechanism}',
        f'--user={ADDRESS}',
        '--passwordeval=echo secret',
        f'--tls={tls}',
        '--tls-certcheck=off',
        bob,
        input=text(subject='msmtp').replace(b'\r', b''),
    )
    assert received(msa, bob)['Subject'] == 'msmtp'
