# SPDX-License-Identifier: ISC
"""SMTP as RFC 5321 and the extensions we announce have it; then the clients that people use."""
import hashlib
import os
import re
import signal
import smtplib
import subprocess
import time

import pytest

from harness import Closed, Connection, dot_stuff, eventually, expected_from_pop3, message, need, run, split_trace

EXTENSIONS = {
    'PIPELINING',
    'SIZE',
    '8BITMIME',
    'SMTPUTF8',
    'CHUNKING',
    'BINARYMIME',
    'DSN',
    'ENHANCEDSTATUSCODES',
    'LIMITS',
}


# --- the dialogue ---


def test_greeting(server):
    with server.smtp(greet=False) as c:
        assert c.line() == b'220 mx.example.org ESMTP Pombo'
        c.quit()


def test_ehlo_announces_extensions(server):
    with server.smtp(hello=None) as c:
        reply = c.cmd('EHLO client.example.com', 250)
        lines = [line[4:].decode() for line in reply.lines]
        assert lines[0].split()[0] == 'mx.example.org'
        words = {line.split()[0]: line.split()[1:] for line in lines[1:]}
        assert EXTENSIONS <= set(words), words
        assert words['SIZE'] == [str(50 << 20)]
        assert 'RCPTMAX=100' in words['LIMITS']  # RFC 9422
        assert 'STARTTLS' in words
        assert not {'AUTH', 'VRFY', 'EXPN'} & set(words), 'announced, but not there'


def test_helo_announces_nothing(server):
    with server.smtp(hello=None) as c:
        assert len(c.cmd('HELO client.example.com', 250).lines) == 1


def test_hello_wants_an_argument(server):
    with server.smtp(hello=None) as c:
        c.cmd('HELO', 501)
        c.cmd('EHLO', 501)
        c.cmd('MAIL FROM:<a@example.com>', 503)
        c.cmd('EHLO [127.0.0.1]', 250)


def test_message_is_delivered_with_trace(server, user):
    text = message('trace')
    with server.smtp() as c:
        reply = c.deliver(text, user)
        c.quit()
    found = re.match(r'2\.0\.0 Ok: queued as (\w+)$', reply.text)
    assert found, reply
    [got] = server.mailbox(user)
    trace = split_trace(got, text).decode()
    assert trace.startswith('Return-Path: <sender@example.com>\r\n')
    received = re.sub(r'\r\n[ \t]+', ' ', trace[trace.index('Received:') :])
    assert re.match(
        rf'Received: from client\.example\.com \(.*\[127\.0\.0\.1\]\) by mx\.example\.org .*with ESMTP id '
        rf'{found.group(1)} for <{re.escape(user)}>; \w\w\w, \d+ \w\w\w \d{{4}} [\d:]{{8}} \+0000',
        received,
    ), received


def test_helo_is_told_in_received(server, user):
    with server.smtp(hello='HELO') as c:
        c.deliver(message('plain smtp'), user)
    assert b' with SMTP' in re.sub(rb'\s+', b' ', server.mailbox(user)[0])


def test_no_for_with_several_recipients(server):
    """RFC 5321 7.2: `for` would show blind copies."""
    one, two = server.account(), server.account()
    with server.smtp() as c:
        c.deliver(message('several'), one, two)
    for box, other in ((one, two), (two, one)):
        [got] = server.mailbox(box)
        assert other.encode() not in got
        assert b'for <' not in got


def test_null_sender(server, user):
    with server.smtp() as c:
        c.deliver(message('bounce'), user, sender='')
    assert server.mailbox(user)[0].startswith(b'Return-Path: <>\r\n')


def test_two_messages_in_one_session(server, user):
    with server.smtp() as c:
        c.deliver(message('one'), user)
        c.deliver(message('two'), user)
    assert [b'Subject: one' in m for m in server.mailbox(user)] == [True, False]


def test_same_recipient_twice_is_delivered_once(server, user):
    with server.smtp() as c:
        c.deliver(message('twice'), user, user, user.upper())
    assert len(server.mailbox(user)) == 1


def test_dots_are_undone(server, user):
    text = message('dots', body='.\r\n..\r\n.x\r\n...y\r\n.')
    with server.smtp() as c:
        c.deliver(text, user)
    split_trace(server.mailbox(user)[0], text)


def test_empty_message(server, user):
    with server.smtp() as c:
        c.deliver(b'', user)
    split_trace(server.mailbox(user)[0], b'')


def test_body_without_header(server, user):
    text = b'\r\nno header at all\r\n'
    with server.smtp() as c:
        c.deliver(text, user)
    split_trace(server.mailbox(user)[0], text)


def test_no_relay(server):
    with server.smtp() as c:
        c.mail()
        reply = c.rcpt('somebody@elsewhere.example', expect=5)
        assert reply.status.startswith('5.7.') or reply.status.startswith('5.1.'), reply
        c.cmd('DATA', 503, 554)


def test_unknown_user(server):
    with server.smtp() as c:
        c.mail()
        assert c.rcpt('nobody-here@example.org', expect=550).status == '5.1.1'


def test_postmaster_is_always_answered(server):
    """RFC 5321 4.5.1, with and without our domain, in any case."""
    with server.smtp() as c:
        c.mail()
        c.cmd('RCPT TO:<postmaster>', 250)
        c.cmd('RCPT TO:<PostMaster>', 250)
        c.rcpt('Postmaster@example.org')
        c.rcpt('postmaster@example.net')
        c.data(message('to the postmaster'), 250)


def test_case_of_addresses(server, user):
    local, domain = user.split('@')
    with server.smtp() as c:
        c.deliver(message('upper'), f'{local.upper()}@{domain.upper()}')
        c.deliver(message('quoted'), f'"{local}"@{domain}')
    assert len(server.mailbox(user)) == 2


def test_plus_address(server, user):
    local, domain = user.split('@')
    with server.smtp() as c:
        c.deliver(message('detail'), f'{local}+lists@{domain}')
        c.mail()
        c.rcpt(f'nobody-here+lists@{domain}', expect=550)
    assert len(server.mailbox(user)) == 1


def test_catchall(server):
    before = len(server.mailbox('catchall@example.org'))
    with server.smtp() as c:
        c.deliver(message('anything'), 'whoever@example.net')
    assert len(server.mailbox('catchall@example.org')) == before + 1


def test_alias_to_several_and_nested(server):
    one, two = server.account(), server.account()
    server.cli('alias', 'add', 'both@example.org', one, two)
    server.cli('alias', 'add', 'nested@example.org', 'both@example.org', one)
    with server.smtp() as c:
        c.deliver(message('to nested'), 'nested@example.org')
    assert len(server.mailbox(one)) == len(server.mailbox(two)) == 1, 'an account reached by two ways gets one copy'
    server.cli('alias', 'remove', 'nested@example.org', 'both@example.org', one)
    server.cli('alias', 'remove', 'both@example.org', one, two)
    with server.smtp() as c:
        c.mail()
        c.rcpt('both@example.org', expect=550)


def test_alias_to_another_server(server):
    """Whoever may write to the alias need not be allowed to write to what it leads to."""
    server.cli('alias', 'add', 'away@example.org', 'somebody@elsewhere.example')
    with server.smtp() as c:
        c.mail()
        c.rcpt('away@example.org', expect=250)
        assert c.rcpt('somebody@elsewhere.example', expect=550).status == '5.7.1'
    server.cli('alias', 'remove', 'away@example.org', 'somebody@elsewhere.example')


def test_disabled_account(server, user):
    server.cli('account', 'disable', user)
    with server.smtp() as c:
        c.mail()
        assert c.rcpt(user, expect=550).status == '5.2.1'
    server.cli('account', 'enable', user)
    with server.smtp() as c:
        c.deliver(message('again'), user)


def test_removed_account(server, user):
    with server.smtp() as c:
        c.deliver(message('before'), user)
        server.cli('account', 'remove', user, expect=75)
        server.cli('account', 'remove', user, 'force')
        c.mail()
        c.rcpt(user, expect=550)
    server.account(user)
    assert server.mailbox(user) == [], 'who gets the address later does not get the mail'


def test_small_commands(server):
    with server.smtp() as c:
        c.cmd('NOOP', 250)
        c.cmd('NOOP anything at all', 250)
        c.cmd('HELP', 211, 214)
        c.cmd('VRFY somebody', 252)
        c.cmd('EXPN list', 502, 550, 252)
        c.cmd('RSET', 250)
        c.cmd('TURN', 500, 502)
        c.cmd('noop', 250)
        c.quit()


def test_syntax_that_clients_really_send(server, user):
    """Blanks before the path are wrong, and common."""
    with server.smtp() as c:
        c.cmd('mail from: <sender@example.com>', 250)
        c.cmd(f'rcpt to: <{user}>', 250)
        c.data(message('lenient'), 250)


# --- extensions ---


def test_pipelining_is_answered_in_one_segment(server):
    """RFC 2920, for real: replies of a batch leave together, and the recipients are asked of the store together."""
    users = [server.account() for _ in range(5)]
    with server.smtp() as c:
        batch = 'MAIL FROM:<sender@example.com>\r\n' + ''.join(f'RCPT TO:<{u}>\r\n' for u in users) + 'DATA\r\n'
        c.send(batch)
        first = c.sock.recv(65536)
        assert first.count(b'\r\n') == 7, f'not one segment: {first!r}'
        c.buffer = first
        for _ in range(6):
            c.expect(250)
        c.expect(354)
        c.send(dot_stuff(message('pipelined')) + b'RSET\r\nNOOP\r\nQUIT\r\n')
        for _ in range(3):
            c.expect(250)
        c.expect(221)
        c.expect_closed()


def test_pipelined_failures_keep_their_order(server, user):
    with server.smtp() as c:
        rcpts = ''.join(f'RCPT TO:<{to}>\r\n' for to in ('nobody-here@example.org', user, 'x@y@z'))
        c.send(f'MAIL FROM:<a@example.com>\r\n{rcpts}DATA\r\n')
        for code in (250, 550, 250, 501, 354):
            c.expect(code)
        c.send(dot_stuff(message('one of three')))
        c.expect(250)
    assert len(server.mailbox(user)) == 1


def test_pipelined_data_without_recipient(server):
    with server.smtp() as c:
        c.send('MAIL FROM:<a@example.com>\r\nRCPT TO:<nobody-here@example.org>\r\nDATA\r\n')
        c.expect(250)
        c.expect(550)
        c.expect(503, 554)
        c.cmd('NOOP', 250)


def test_size(server, user):
    with server.smtp() as c:
        c.mail(params='SIZE=1000')
        c.cmd('RSET', 250)
        assert c.mail(params=f'SIZE={(50 << 20) + 1}', expect=552).status == '5.3.4'
        c.deliver(message('sized'), user, params='SIZE=300')


def test_bdat_in_pieces(server, user):
    text = message('chunks', body='first\r\n.\r\nsecond\r\n.')
    with server.smtp() as c:
        c.envelope(user)
        for at in range(0, len(text), 7):
            c.bdat(text[at : at + 7], 250, last=False)
        c.bdat(b'', 250)
    split_trace(server.mailbox(user)[0], text)


def test_bdat_pipelined(server, user):
    text = message('chunks in one segment')
    with server.smtp() as c:
        c.send(
            b'MAIL FROM:<a@example.com>\r\nRCPT TO:<%s>\r\nBDAT %d\r\n%sBDAT %d LAST\r\n%sNOOP\r\n'
            % (user.encode(), 10, text[:10], len(text) - 10, text[10:])
        )
        for _ in range(5):
            c.expect(250)
    split_trace(server.mailbox(user)[0], text)


def test_binarymime(server, user):
    text = message('binary') + bytes(range(256)) * 4
    with server.smtp() as c:
        c.envelope(user, params='BODY=BINARYMIME')
        c.cmd('DATA', 503)  # RFC 3030 3: only BDAT
        c.cmd('RSET', 250)
        c.envelope(user, params='BODY=BINARYMIME')
        c.bdat(text, 250)
    split_trace(server.mailbox(user)[0], expected_from_pop3(text))


def test_8bitmime(server, user):
    text = message('acht bit', body='Grüße').replace(b'\xc3\xbc', b'\xfc')
    with server.smtp() as c:
        c.deliver(text, user, params='BODY=8BITMIME')
        c.mail(params='BODY=7BIT')
        c.cmd('RSET', 250)
        c.mail(params='BODY=9BIT', expect=501)
    split_trace(server.mailbox(user)[0], text)


def test_smtputf8(server):
    user = server.account('jürgen@example.org')
    text = message('utf8').replace(b'Subject: utf8', 'Subject: Grüße'.encode())
    with server.smtp() as c:
        c.mail('żółw@example.com', params='SMTPUTF8')
        c.rcpt('Jürgen@example.org')
        c.data(text, 250)
    [got] = server.mailbox(user)
    trace = split_trace(got, text)
    assert b' with UTF8SMTP' in re.sub(rb'\s+', b' ', trace)
    assert 'Return-Path: <żółw@example.com>'.encode() in trace


def test_dsn_parameters(server, user):
    with server.smtp() as c:
        c.mail(params='RET=HDRS ENVID=QQ314159+2Bx')
        c.rcpt(user, 'NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;Bob+2Bx@example.com')
        c.data(message('dsn'), 250)
        for params in ('RET=SOME', 'RET=FULL RET=HDRS', 'ENVID=a+', 'ENVID=', 'ENVID=' + 'x' * 101):
            c.mail(params=params, expect=501)
        c.mail(params='RET=FULL')
        for params in (
            'NOTIFY=NEVER,SUCCESS',
            'NOTIFY=',
            'NOTIFY=ALWAYS',
            'ORCPT=bob',
            'ORCPT=rfc822;',
            'ORCPT=rfc822;a+4',
        ):
            c.rcpt(user, params, expect=501)
        c.rcpt(user, 'NOTIFY=NEVER')


def test_unknown_parameters(server, user):
    """RFC 5321 4.1.1.11"""
    with server.smtp() as c:
        c.mail(params='COLOUR=red', expect=555)
        c.mail()
        c.rcpt(user, 'COLOUR=red', expect=555)
        c.rcpt(user)


def test_extensions_need_ehlo(server):
    with server.smtp(hello='HELO') as c:
        c.mail(params='SIZE=100', expect=555)


# --- limits ---


def test_limits_announced_are_kept(make_server):
    server = make_server('limit recipients 3\nlimit messages 2\nlimit message-size 10K', services=('smtp', 'pop3'))
    user = server.account()
    with server.smtp(hello=None) as c:
        reply = c.cmd('EHLO client.example.com', 250)
        limits = next(line.decode() for line in reply.lines if b'LIMITS' in line)
        assert 'RCPTMAX=3' in limits and 'MAILMAX=2' in limits, limits
        for n in range(2):
            c.deliver(message(f'number {n}'), user)
        c.mail(expect=421)


def test_message_size(make_server):
    server = make_server('limit message-size 10K', services=('smtp', 'pop3'))
    user = server.account()
    with server.smtp() as c:
        c.envelope(user)
        assert c.data(message('big', body='x' * 70 + '\r\n' * 10200), 552).status == '5.3.4'
        c.deliver(message('small', body='y' * 9000), user)
        c.envelope(user)
        c.bdat(b'z' * 11000, 552)
        c.cmd('RSET', 250)
        c.deliver(message('in step'), user)
    assert len(server.mailbox(user)) == 2


def test_too_many_errors(make_server):
    server = make_server('limit errors 5', services=('smtp',))
    with server.smtp() as c:
        codes = []
        with pytest.raises(Closed):
            for _ in range(10):
                c.send('NONSENSE\r\n')
                codes.append(c.reply().code)
        assert codes[-1] == 421 and len(codes) <= 6, codes


def test_connections_per_address(make_server):
    server = make_server('limit connections 20 per-address 3', services=('smtp',))

    def three():
        held = []
        try:
            for _ in range(3):
                held.append(server.smtp(hello=None))
        except AssertionError:  # those that the readiness probe opened are still being counted
            for c in held:
                c.close()
            return None
        return held

    held = eventually(three, 'three connections')
    with server.smtp(greet=False) as c:
        c.expect(421)
        c.expect_closed()
    with server.smtp(greet=False, source='127.0.0.2') as c:
        c.expect(220)
    held.pop().quit()
    eventually(lambda: greeted(server), 'a slot that is free again')
    for c in held:
        c.close()


def greeted(server):
    with server.smtp(greet=False) as c:
        return c.reply().code == 220


def test_command_time(make_server):
    server = make_server('limit command-time 1s', services=('smtp',))
    with server.smtp() as c:
        start = time.monotonic()
        c.expect(421)
        c.expect_closed()
        assert 0.5 < time.monotonic() - start < 10


def test_quota(make_server):
    server = make_server('quota 20K', services=('smtp', 'pop3'))
    full, other = server.account(), server.account()
    with server.smtp() as c:
        c.deliver(message('most of it', body='x' * 990 + '\r\n' + 'y' * 15000), full)
        c.mail(params='SIZE=9000')
        assert c.rcpt(full, expect=452).status in ('4.2.2', '5.2.2')
        c.rcpt(other)
        c.cmd('RSET', 250)
    with server.pop3(full) as p:
        p.cmd('DELE 1')
        p.quit()
    with server.smtp() as c:
        c.deliver(message('room again', body='x' * 5000), full)


# --- the process ---


def test_sigterm_finishes_what_is_in_the_air(make_server):
    server = make_server(services=('smtp', 'pop3'))
    user = server.account()
    c, idle = server.smtp(), server.smtp()
    c.envelope(user)
    c.cmd('DATA', 354)
    server.proc.send_signal(signal.SIGTERM)
    assert idle.reply().code == 421, 'who does nothing is told'
    c.send(dot_stuff(message('in the air')))
    c.expect(250)
    c.expect(421)
    c.expect_closed()
    assert server.proc.wait(15) == 0
    server.start()
    assert len(server.mailbox(user)) == 1


def test_second_sigterm_stops_at_once(make_server):
    server = make_server(services=('smtp',))
    user = server.account()
    c = server.smtp()
    c.envelope(user)
    c.cmd('DATA', 354)
    start = time.monotonic()
    server.proc.send_signal(signal.SIGTERM)
    eventually(lambda: refused(server), 'the listener is closed or refuses')
    server.proc.send_signal(signal.SIGTERM)
    assert server.proc.wait(15) == 0
    assert time.monotonic() - start < 8, 'waited for a session'


def refused(server):
    try:
        with server.smtp(greet=False) as c:
            return c.reply().code == 421
    except (OSError, Closed):
        return True


def test_reload(make_server):
    server = make_server(services=('smtp',))
    server.account()  # who gets the postmaster's mail
    old = server.smtp()
    server.settings = 'limit recipients 7'
    server.write_config()
    server.reload()
    eventually(lambda: 'RCPTMAX=7' in limits(server), 'the new limit is announced')
    old.mail()
    for n in range(8):
        old.rcpt('postmaster@example.org')  # a session keeps the settings it began with
    old.quit()
    before = server.log().count('\n')
    server.write_config('version 1\nhostnam mx.example.org\n')
    server.reload()
    eventually(lambda: 'hostnam' in '\n'.join(server.log().split('\n')[before:]), 'the fault is named in the log')
    assert 'RCPTMAX=7' in limits(server), 'a bad file never replaces a good one'
    server.write_config()


def limits(server):
    with server.smtp(hello=None) as c:
        return c.cmd('EHLO client.example.com', 250).text


def test_single(make_server):
    server = make_server(single=True)
    user = server.account()
    with server.smtp() as c:
        c.deliver(message('single'), user)
    assert len(server.processes()) == 1
    assert len(server.mailbox(user)) == 1


@pytest.mark.parametrize('role', ['edge', 'filter', 'keys', 'store'])
def test_killed_role_comes_back(make_server, role):
    server = make_server()
    user = server.account()
    with server.smtp() as c:
        c.deliver(message('before'), user)
    [victim] = [pid for (name, _), pid in server.roles().items() if name == role][:1]
    os.kill(victim, signal.SIGKILL)
    eventually(
        lambda: victim not in server.roles().values() and any(name == role for name, _ in server.roles()),
        f'a new {role}',
    )

    def delivered():
        try:
            with server.smtp() as c:
                c.deliver(message('after'), user)
            return len(server.mailbox(user)) >= 2
        except (AssertionError, OSError, Closed):
            return False

    eventually(delivered, f'mail after {role} was killed')
    server.check_store()


def test_two_servers_on_one_folder(make_server):
    server = make_server(services=('smtp',))
    r = subprocess.run(
        [server.binary, 'serve', '-c', server.config], capture_output=True, text=True, env=server.env, timeout=60
    )
    assert r.returncode not in (0, -6, -11), r
    greeted(server)


def test_many_messages_side_by_side(server):
    """Group commit: 20 sessions, each message whole and where it belongs."""
    users = [server.account() for _ in range(4)]
    bodies = {}
    sessions = [server.smtp() for _ in range(20)]
    for n, c in enumerate(sessions):
        c.envelope(*users[: 1 + n % 4])
        c.cmd('DATA', 354)
    for n, c in enumerate(sessions):
        bodies[n] = message(
            f'parallel {n}', body='\r\n'.join(hashlib.sha256(b'%d.%d' % (n, i)).hexdigest() for i in range(200))
        )
        c.send(dot_stuff(bodies[n]))
    for c in sessions:
        c.expect(250)
        c.close()
    for k, user in enumerate(users):
        got = server.mailbox(user)
        due = [n for n in bodies if n % 4 >= k]
        assert len(got) == len(due)
        for n in due:
            assert sum(m.endswith(bodies[n]) for m in got) == 1


def test_large_message(server, user):
    """Beyond what travels inside a call."""
    text = message('large', body='\r\n'.join(hashlib.sha512(b'%d' % i).hexdigest() for i in range(40000)))
    with server.smtp() as c:
        c.deliver(text, user)
    split_trace(server.mailbox(user)[0], text)


def test_unix_socket_and_tcp_share_nothing(server):
    with Connection(server.lmtp_path) as c:
        assert c.line().startswith(b'220 mx.example.org')
        c.send('EHLO client.example.com\r\n')
        assert c.line().startswith(b'5')  # RFC 2033 4.1: LHLO only


# --- clients ---


def one_message(server, user):
    [got] = server.mailbox(user)
    return got.decode()


def test_client_smtplib(server, user):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=30) as s:
        s.ehlo('client.example.com')
        assert s.does_esmtp and s.has_extn('smtputf8')
        s.sendmail('sender@example.com', [user], message('smtplib').decode())
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            s.sendmail('sender@example.com', ['nobody-here@example.org'], message('smtplib').decode())
    assert 'Subject: smtplib' in one_message(server, user)


def test_client_swaks(server, user):
    r = run(
        need('swaks'),
        '--server',
        f'127.0.0.1:{server.ports["smtp"]}',
        '--to',
        user,
        '--from',
        'sender@example.com',
        '--header',
        'Subject: by swaks',
        '--body',
        'line one\n.\nline three',
        '--pipeline',
    )
    assert b'queued as' in r.stdout
    assert 'Subject: by swaks' in one_message(server, user)


def test_client_swaks_lmtp(server, user):
    run(
        need('swaks'),
        '--socket',
        server.lmtp_path,
        '--protocol',
        'LMTP',
        '--to',
        user,
        '--from',
        'sender@example.com',
        '--header',
        'Subject: by swaks lmtp',
    )
    assert 'Subject: by swaks lmtp' in one_message(server, user)


def test_client_curl(server, user, tmp_path):
    (tmp_path / 'text').write_bytes(message('by curl'))
    run(
        need('curl'),
        '-sS',
        f'smtp://127.0.0.1:{server.ports["smtp"]}/client.example.com',
        '--mail-from',
        'sender@example.com',
        '--mail-rcpt',
        user,
        '--upload-file',
        str(tmp_path / 'text'),
    )
    assert 'Subject: by curl' in one_message(server, user)


def test_client_msmtp(server, user):
    run(
        need('msmtp'),
        '--file=/dev/null',
        '--host=127.0.0.1',
        f'--port={server.ports["smtp"]}',
        '--from=sender@example.com',
        '--auth=off',
        '--tls=off',
        '--dsn-notify=failure',
        '--dsn-return=headers',
        user,
        input=message('by msmtp').replace(b'\r', b''),
    )
    assert 'Subject: by msmtp' in one_message(server, user)


def test_client_msmtp_lmtp(server, user):
    run(
        need('msmtp'),
        '--file=/dev/null',
        '--host=127.0.0.1',
        f'--port={server.ports["lmtp"]}',
        '--protocol=lmtp',
        '--from=sender@example.com',
        '--auth=off',
        '--tls=off',
        user,
        input=message('by msmtp lmtp').replace(b'\r', b''),
    )
    assert 'Subject: by msmtp lmtp' in one_message(server, user)


def test_client_mutt(server, user, tmp_path):
    (tmp_path / 'rc').write_text(
        f'set smtp_url="smtp://127.0.0.1:{server.ports["smtp"]}/"\nset ssl_starttls=no ssl_force_tls=no\n'
        'set from=sender@example.com use_envelope_from=yes copy=no hostname=client.example.com\n'
    )
    run(
        need('mutt'),
        '-F',
        str(tmp_path / 'rc'),
        '-s',
        'by mutt',
        '-a',
        str(tmp_path / 'rc'),
        '--',
        user,
        input=b'text\n',
        env={'HOME': str(tmp_path)},
    )
    assert 'Subject: by mutt' in one_message(server, user)


def test_client_s_nail(server, user, tmp_path):
    run(
        need('s-nail'),
        '-n',
        '-S',
        'v15-compat',
        '-S',
        f'mta=smtp://127.0.0.1:{server.ports["smtp"]}',
        '-S',
        'smtp-auth=none',
        '-S',
        'smtp-config=-all,ehlo',
        '-S',
        'from=sender@example.com',
        '-S',
        'hostname=client.example.com',
        '-S',
        'sendwait',
        '-s',
        'by s-nail',
        user,
        input=b'text\n',
        env={'HOME': str(tmp_path), 'MAILRC': '/dev/null'},
    )
    assert 'Subject: by s-nail' in one_message(server, user)
