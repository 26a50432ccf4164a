# SPDX-License-Identifier: ISC
"""Inputs that once broke a mail system, each by its number in the list of bad input, and what must happen instead."""
import os
import re
import resource
import socket
import subprocess
import time
import unicodedata

import pytest

from harness import Closed, Connection, Smtp, dot_stuff, eventually, message, split_trace

END = b'\r\n.\r\n'


def in_step(c):
    """The session still answers one command with one reply."""
    c.cmd('NOOP', 250)


def delivered_or_nothing(server, user, text):
    got = server.mailbox(user)
    assert len(got) <= 1
    for m in got:
        split_trace(m, text)
    return len(got)


# --- framing ---


def not_the_end_of_data(server, user, ending):
    """Sends a message that holds `ending`, then commands that a server fooled by it would obey, then the true end.
    One reply comes, and at most one message."""
    smuggled = (
        b'MAIL FROM:<evil@example.com>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled' % user.encode()
    )
    with server.smtp() as c:
        c.envelope(user)
        c.cmd('DATA', 354)
        c.send(b'Subject: outer\r\n\r\nouter' + ending + smuggled + END)
        reply = c.expect(2, 5)
        in_step(c)
        c.cmd('QUIT', 221)
        assert c.expect_closed() == b''
    got = server.mailbox(user)
    assert len(got) == (reply.code == 250)
    assert all(b'Subject: outer' in m and b'smuggled' in m for m in got)
    return reply


ENDINGS = [
    b'\n.\n',
    b'\n.\r\n',
    b'\r\n.\n',
    b'\r.\r',
    b'\r.\n',
    b'\r\n.\r',
    b'\r.\r\n',
    b'\n\r\n.\n',
    b'\r\r\n.\n',
    b'\r\n.\r\r\n',
    b'\n.\r',
]


@pytest.mark.parametrize('ending', ENDINGS, ids=repr)
def test_bad_input_01_only_crlf_dot_crlf_ends_data(server, user, ending):
    assert not_the_end_of_data(server, user, ending).code // 100 == 5


@pytest.mark.parametrize('ending', ENDINGS, ids=repr)
def test_bad_input_01_normalised_when_set_so(normalising, ending):
    user = normalising.account()
    not_the_end_of_data(normalising, user, ending)
    for m in normalising.mailbox(user):
        assert b'\n' not in m.replace(b'\r\n', b'') and b'\r' not in m.replace(b'\r\n', b'')


@pytest.fixture(scope='module')
def normalising():
    from harness import Server

    server = Server('bare-newlines normalise', services=('smtp', 'pop3')).start()
    yield server
    server.close()


@pytest.mark.parametrize('ending', [b'\r\n\0.\r\n', b'\r\n.\0\r\n', b'\r\n.\r\0\n', b'\r\0\n.\r\n'], ids=repr)
def test_bad_input_02_nul_beside_the_dot(server, user, ending):
    not_the_end_of_data(server, user, ending)


def test_bad_input_03_no_bare_cr_leaves_us(normalising):
    """What goes out (here by POP3) has CRLF only, and dots are stuffed after the line ends really sent."""
    user = normalising.account()
    with normalising.smtp() as c:
        c.envelope(user)
        c.cmd('DATA', 354)
        c.send(b'Subject: cr\r\n\r\na\r.b\n.c\r\n' + b'.\r\n')
        if c.reply().code != 250:
            return
    with normalising.pop3(user) as p:
        p.cmd('RETR 1')
        raw = b''
        while not raw.endswith(END):
            raw += p.buffer
            p.buffer = b''
            if not raw.endswith(END):
                p.fill()
    assert b'\r' not in raw.replace(b'\r\n', b'') and b'\n' not in raw.replace(b'\r\n', b'')
    assert raw.endswith(b'\r\na\r\n..b\r\n..c\r\n.\r\n')


def test_bad_input_04_our_header_does_not_move_the_end(server, user):
    """A HELO name and an address as long as they may be make the longest trace header; the body begins where it
    began."""
    text = b'.\r\n\r\n.leading dot\r\n'
    with server.smtp(hello=None) as c:
        c.cmd('EHLO ' + '.'.join(['x' * 63] * 3 + ['y' * 61]), 250)
        c.deliver(text, user, sender='s' * 64 + '@' + '.'.join(['d' * 60] * 3))
    trace = split_trace(server.mailbox(user)[0], text)
    assert max(map(len, trace.split(b'\r\n'))) <= 998


def test_bad_input_05_commands_behind_data(server, user):
    """Behind DATA no command may stand: what is there is data or the end of the session, never a command."""
    with server.smtp() as c:
        c.send(b'MAIL FROM:<a@example.com>\r\nRCPT TO:<%s>\r\nDATA\r\nRSET\r\nNOOP\r\n' % user.encode())
        codes = [c.reply().code for _ in range(3)]
        assert codes[:2] == [250, 250]
        if codes[2] == 354:
            c.send(b'.\r\n')
            c.expect(2, 5)
            in_step(c)
        else:
            assert codes[2] // 100 == 5
    assert all(b'RSET\r\nNOOP\r\n' in m for m in server.mailbox(user))


def test_bad_input_05_commands_before_the_banner(server):
    """RFC 5321 4.3.1: the client waits for the greeting. Bytes that are there before it end the session, or are
    answered in order."""
    with server.smtp(greet=False) as c:
        c.send('EHLO early.example.com\r\nMAIL FROM:<a@example.com>\r\n')
        codes = []
        try:
            while len(codes) < 3:
                codes.append(c.reply().code)
        except Closed:
            pass
        assert codes in ([220, 250, 250], [554], [220, 554], [421], [220, 421], [220, 503]), codes


# --- commands ---


def test_bad_input_12_bdat_in_the_wrong_state_then_data(server, user):
    with server.smtp() as c:
        c.bdat(b'123', 503)
        in_step(c)
        c.mail()
        c.bdat(b'abc', 503, 554)
        c.cmd('DATA', 503)
        c.cmd('RSET', 250)
        c.rcpt(user, expect=503)
        c.deliver(message('after'), user)
    assert len(server.mailbox(user)) == 1


@pytest.mark.parametrize(
    'argument',
    [
        '18446744073709551615',
        '18446744073709551616',
        '99999999999999999999999',
        '-1',
        '00x',
        '0x10',
        '+5',
        '',
        'LAST',
        '5 LAST X',
        '5 FIRST',
    ],
)
def test_bad_input_13_bdat_sizes(server, user, argument):
    """Nothing is allocated; the session stays in step or ends."""
    before = memory(server)
    with server.smtp() as c:
        c.envelope(user)
        c.send(f'BDAT {argument}\r\n')
        reply = c.expect(501, 552, 421, 500)
        try:
            in_step(c)
        except Closed:
            assert reply.code in (421, 501, 552)
    assert memory(server) < before + (8 << 20)
    assert server.mailbox(user) == []


def memory(server):
    """Octets of private memory of all roles together."""
    total = 0
    for pid in server.processes():
        try:
            with open(f'/proc/{pid}/smaps_rollup') as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith('Private_')) << 10
        except OSError:
            pass
    return total


@pytest.mark.parametrize('line', [b'NOOP\r\n', b'RSET\r\n', b'VRFY x\r\n', b'EHLO x.example.com\r\n'], ids=repr)
def test_bad_input_14_a_million_commands(server, line):
    before = memory(server)
    with server.smtp() as c:
        assert flood(c, line, 1000000) == 421
    assert memory(server) < before + (16 << 20)


def test_bad_input_14_a_million_chunks(server, user):
    """Chunks of one octet move mail, so they may go on; memory must not grow with their number."""
    with server.smtp() as c:
        c.envelope(user)
        before = memory(server)
        last = flood(c, b'BDAT 1\r\nx', 20000)
        assert last in (250, 421, 452, 552)
        assert memory(server) < before + (16 << 20)


def flood(c, line, n):
    """Sends a line n times in large writes, reading what comes; the last reply's code."""
    c.sock.setblocking(False)
    pending, sent, answers = b'', 0, b''
    try:
        while sent < n or pending:
            if not pending:
                batch = min(1000, n - sent)
                pending, sent = line * batch, sent + batch
            try:
                pending = pending[c.sock.send(pending) :]
            except BlockingIOError:
                pass
            try:
                data = c.sock.recv(1 << 20)
                if not data:
                    break
                answers = (answers + data)[-4096:]
            except BlockingIOError:
                pass
        c.sock.settimeout(30)
        c.sock.shutdown(socket.SHUT_WR)
    except (ConnectionError, OSError):
        pass
    c.sock.settimeout(30)
    try:
        while True:
            data = c.sock.recv(1 << 20)
            if not data:
                break
            answers = (answers + data)[-4096:]
    except ConnectionError:
        pass
    return int(answers.rstrip().split(b'\r\n')[-1][:3])


def test_bad_input_15_bdat_holds_end_of_data(server, user):
    text = message('end of data', body='one\r\n.\r\ntwo\r\n.')
    with server.smtp() as c:
        c.envelope(user)
        c.bdat(text, 250)
    split_trace(server.mailbox(user)[0], text)


def test_bad_input_16_data_and_bdat_mixed(server, user):
    with server.smtp() as c:
        c.envelope(user)
        c.bdat(b'Subject: x\r\n\r\n', 250, last=False)
        c.cmd('DATA', 503)
        c.cmd('RSET', 250)
        c.deliver(message('after'), user)
    assert len(server.mailbox(user)) == 1


def test_bad_input_17_size_does_not_wrap(server):
    with server.smtp() as c:
        for size in (
            '99999999999999999999',
            '18446744073709551616',
            '18446744073709551615',
            '9223372036854775808',
            '4294967296000',
        ):
            c.cmd(f'MAIL FROM:<a@example.com> SIZE={size}', 501, 552)
        for size in ('-1', '', '1x', '1 SIZE=2'):
            c.cmd(f'MAIL FROM:<a@example.com> SIZE={size}', 501)


def test_bad_input_18_longer_than_the_limit(make_server):
    """Without SIZE=, as a body or as a flood of header lines: 552 at the end, nothing left on the disk."""
    server = make_server('limit message-size 1M', services=('smtp', 'pop3'))
    user = server.account()
    with server.smtp() as c:
        c.deliver(message('before'), user)
        used = disk_use(server.data)
        floods = [b'X: y\r\n' * 400000, b'From nobody\r\n' + b'Received: x\r\n' * 200000, b'\r\n' + b'x' * (2 << 20)]
        for text in floods:
            c.envelope(user)
            assert c.data(text, 552).status == '5.3.4'
            in_step(c)
    assert len(server.mailbox(user)) == 1
    assert disk_use(server.data) - used < 64 << 10


def disk_use(folder):
    return sum(
        os.stat(os.path.join(top, name)).st_blocks * 512
        for top, _, names in os.walk(folder)
        for name in names
        if not name.endswith(('-wal', '-shm'))
    )


def test_bad_input_19_a_command_of_a_megabyte(server):
    before = memory(server)
    with server.smtp() as c:
        c.send(b'NOOP ' + b'x' * (1 << 20) + b' QUIT\r\n')
        c.expect(500)
        try:
            in_step(c)
        except Closed:
            pass
    assert memory(server) < before + (16 << 20)


def test_bad_input_19_the_rest_is_no_command(server):
    """Whatever the boundary at which the line is cut."""
    with server.smtp() as c:
        for n in (511, 512, 1000, 2047, 2048, 4095, 4096, 8192, 12288, 65536):
            c.send(b'NOOP ' + b'x' * (n - 5) + b'QUIT\r\n')
            c.expect(250, 500)
            in_step(c)


def test_bad_input_20_a_text_line_of_ten_megabytes(server, user):
    text = b'Subject: long line\r\n\r\n' + b'.'.join([b'x' * 997] * 10485) + b'\r\n'
    with server.smtp() as c:
        c.envelope(user)
        reply = c.data(text, 2, 5)
        in_step(c)
    assert delivered_or_nothing(server, user, text) == (reply.code == 250)


def test_bad_input_20_a_header_line_of_ten_megabytes(server, user):
    text = b'Subject: ' + b'long ' * 2097152 + b'\r\n\r\nbody\r\n'
    with server.smtp() as c:
        c.envelope(user)
        reply = c.data(text, 2, 5)
        in_step(c)
    assert delivered_or_nothing(server, user, text) == (reply.code == 250)


@pytest.mark.parametrize(
    'command',
    [
        b'NO\0OP',
        b'NOOP \0',
        b'MAIL FROM:<a\0b@example.com>',
        b'\x1b[2JNOOP',
        b'N\xc3\x96OP',
        b'\xff\xfe',
        b'MAIL FROM:<a@example.com> \x1b[1m',
        b'RCPT TO:<a\x7fb@example.org>',
    ],
    ids=repr,
)
def test_bad_input_21_control_and_8bit_in_commands(server, command):
    with server.smtp() as c:
        c.cmd(command, 500, 501, 502, 503, 553)
        in_step(c)
    log_is_clean(server)


def log_is_clean(server):
    """Each line of the log is an event, in printing characters: of UTF-8, for addresses that other tests of this server have."""
    with open(server.log_path, 'rb') as f:
        lines = f.read().decode().split('\n')
    for line in lines:
        assert all(c == ' ' or unicodedata.category(c)[0] not in 'CZ' for c in line), f'not escaped: {line!r}'
        assert not line or line.startswith(('t=', '{')), f'not an event: {line!r}'


def test_bad_input_22_nothing_carries_over_from_a_refused_message(server, user):
    with server.smtp() as c:
        c.envelope(user)
        c.cmd('DATA', 354)
        c.send(b'bare\nnewline\r\n.\r\n')
        c.expect(5)
        c.rcpt(user, expect=503)
        c.cmd('DATA', 503)
        c.bdat(b'x', 503)
        c.deliver(message('next'), user)
    assert len(server.mailbox(user)) == 1


def test_bad_input_23_vrfy_in_a_transaction(server, user):
    with server.smtp() as c:
        c.mail()
        for command in (
            'VRFY ünïcode',
            'VRFY ünïcode SMTPUTF8',
            'EXPN ünïcode',
            b'VRFY \xff\xfe',
            'VRFY',
            'EXPN',
            'HELP ünï',
        ):
            c.cmd(command, 2, 5)
        c.rcpt(user)
        c.cmd('VRFY ' + user, 252)
        c.data(message('after vrfy'), 250)
    assert len(server.mailbox(user)) == 1


def test_bad_input_24_order_of_commands(server, user):
    with server.smtp() as c:
        c.rcpt(user, expect=503)
        c.mail()
        c.mail(expect=503)
        c.rcpt(user)
        c.cmd('EHLO again.example.com', 250)  # RFC 5321 4.1.4: as RSET
        c.rcpt(user, expect=503)
        c.envelope(user)
        c.cmd('RSET', 250)
        c.cmd('DATA', 503)
        c.deliver(message('in order'), user)
    assert len(server.mailbox(user)) == 1


def test_bad_input_25_100000_recipients(server, user):
    before = memory(server)
    with server.smtp() as c:
        c.mail()
        c.rcpt(user)
        accepted = 1
        for _ in range(1000):
            c.send('RCPT TO:<postmaster@example.org>\r\n' * 100)
            codes = []
            while len(codes) < 100 and 421 not in codes:
                codes.append(c.reply().code)
            accepted += codes.count(250)
            if 421 in codes:
                break
            assert set(codes) <= {250, 452}
        assert accepted >= 100, 'RFC 5321 4.5.3.1.8'
        if 421 not in codes:
            c.data(message('to many'), 250)
    assert memory(server) < before + (32 << 20)


def test_bad_input_25_earlier_recipients_stay_valid(make_server):
    server = make_server('limit recipients 100', services=('smtp', 'pop3'))
    user = server.account()
    with server.smtp() as c:
        c.mail()
        c.rcpt(user)
        for _ in range(99):
            c.rcpt('postmaster@example.org')
        for _ in range(5):
            assert c.rcpt('postmaster@example.org', expect=452).status == '4.5.3'
        c.data(message('hundred'), 250)
    assert len(server.mailbox(user)) == 1


@pytest.mark.parametrize(
    'part',
    [
        b'',
        b'Subject: x\r\n',
        b'Subject: x\r\n\r\nbody\r\n',
        b'Subject: x\r\n\r\nbody\r\n.',
        b'Subject: x\r\n\r\nbody\r\n.\r',
    ],
    ids=repr,
)
def test_bad_input_26_connection_lost_before_the_end(server, user, part):
    for end in ('close', 'reset'):
        c = server.smtp()
        c.envelope(user)
        c.cmd('DATA', 354)
        c.send(part)
        getattr(c, end)()
    c = server.smtp()
    c.envelope(user)
    c.bdat(b'Subject: x\r\n\r\nbody\r\n', 250, last=False)
    c.close()
    c = server.smtp()
    c.envelope(user)
    c.send(b'BDAT 1000 LAST\r\nSubject: x\r\n\r\n')
    c.close()
    with server.smtp() as c:
        c.deliver(message('the only one'), user)
    assert len(server.mailbox(user)) == 1


def test_bad_input_26_connection_lost_before_our_reply(server, user):
    """At most a duplicate when the client sends again, and never half of it."""
    text = message('twice at most')
    c = server.smtp()
    c.envelope(user)
    c.cmd('DATA', 354)
    c.send(dot_stuff(text))
    c.reset()
    with server.smtp() as c:
        c.deliver(text, user)
    got = server.mailbox(user)
    assert 1 <= len(got) <= 2
    for m in got:
        split_trace(m, text)


def test_bad_input_27_a_byte_now_and_then(make_server):
    """Bytes that trickle do not hold a session for ever: neither a command nor data restarts the clock of the whole
    session."""
    server = make_server(
        'limit command-time 2s\nlimit session-time 4s\nlimit connections 10 per-address 3', services=('smtp',)
    )
    server.account()  # who gets the postmaster's mail
    slow = [server.smtp() for _ in range(2)]
    slow[1].envelope('postmaster@example.org')
    slow[1].cmd('DATA', 354)
    start, ended = time.monotonic(), set()
    while len(ended) < 2:
        assert time.monotonic() - start < 20, 'a trickling session is still there'
        for c in slow:
            if c not in ended:
                try:
                    c.send(b'x')
                    c.sock.settimeout(0.1)
                    if not c.sock.recv(1000):
                        ended.add(c)
                except (TimeoutError, socket.timeout):
                    pass
                except OSError:
                    ended.add(c)
    eventually(lambda: greeted(server), 'the slot is free again')


def greeted(server):
    with server.smtp(greet=False) as c:
        return c.reply().code == 220


@pytest.mark.parametrize(
    'params',
    ['ENVID=a+00b', 'ENVID=a+0Ab', 'ENVID=a+0D+0Ab', 'ENVID=a+', 'ENVID=a+4', 'ENVID=a+4g', 'ENVID=a+0a', 'ENVID=a=b'],
)
def test_bad_input_28_envid_in_broken_xtext(server, params):
    with server.smtp() as c:
        c.cmd(f'MAIL FROM:<a@example.com> {params}', 501)
        in_step(c)
    log_is_clean(server)


@pytest.mark.parametrize(
    'orcpt',
    [
        'rfc822;a+00b@x',
        'rfc822;a+0Ab@x',
        'rfc822;a+0D+0ARCPT',
        'rfc822;a+',
        'rfc822;a+zz',
        ';a@x',
        'rfc822',
        'rfc 822;a@x',
    ],
)
def test_bad_input_28_orcpt_in_broken_xtext(server, user, orcpt):
    with server.smtp() as c:
        c.mail()
        c.cmd(f'RCPT TO:<{user}> ORCPT={orcpt}', 501)
        in_step(c)
    log_is_clean(server)


@pytest.mark.parametrize(
    'name',
    [
        '\x01\x02',
        'a\tb',
        'x' * 300,
        '.'.join(['x' * 60] * 5),
        '[IPv6:::1',
        '[127.0.0.1',
        '[]',
        'ünïcode.example',
        'a(b',
        'a)b',
        'a b c',
        '"quoted"',
        '<x>',
        'x;y',
        '\\',
        '-',
        '.',
        'a\x1b[1m',
    ],
    ids=repr,
)
@pytest.mark.parametrize('verb', ['HELO', 'EHLO'])
def test_bad_input_30_names_in_hello(server, name, verb):
    with server.smtp(hello=None) as c:
        code = c.cmd(f'{verb} {name}', 250, 501).code
        if code == 501:
            c.cmd(f'{verb} client.example.com', 250)
        box = server.account()
        text = message('hello')
        c.deliver(text, box)
    trace = split_trace(server.mailbox(box)[0], text)
    assert re.fullmatch(rb'[\t\r\n -\xff]*', trace) and b'\x7f' not in trace
    received = re.sub(rb'\r\n[ \t]+', b' ', trace[trace.index(b'Received:') :])
    plain = re.sub(rb'\\.', b'', received)
    assert plain.count(b'(') == plain.count(b')')
    assert re.search(rb'; [A-Z][a-z][a-z], +\d', received)
    log_is_clean(server)


# --- addresses ---


@pytest.mark.parametrize(
    'local',
    [
        'a;b',
        'a|b',
        'a`id`',
        'a$(id)',
        'a&b',
        "a'b",
        '-oQ',
        '--help',
        '../../etc',
        '/etc/passwd',
        '"a b"',
        '"a\\"b"',
        '"a;b|c"',
        '"$(touch x)"',
        '"<script>"',
        '"a@b"',
        '"\\\\"',
        '~root',
        '!x',
        '#y',
        '%n%n%s',
    ],
)
def test_bad_input_31_local_parts(server, local):
    """Nothing of it is a command, an option or a path; where the grammar allows it, it is a name like others."""
    box = None
    with server.smtp() as c:
        legal = c.cmd(f'MAIL FROM:<{local}@example.com>', 250, 501, 553).code == 250
        c.cmd('RSET', 250)
        c.mail()
        c.cmd(f'RCPT TO:<{local}@example.org>', 550, 501, 553)
    r = server.cli('account', 'add', '--', f'{local}@example.org', input='secret\n', expect=None)
    if r.returncode == 0:
        box = f'{local}@example.org'
        text = message('odd name')
        with server.smtp() as c:
            c.deliver(text, box)
        split_trace(server.mailbox(box)[0], text)
    assert legal or box is None
    log_is_clean(server)


def test_bad_input_32_source_routes_and_old_forms(server, user):
    local, domain = user.split('@')
    with server.smtp() as c:
        c.mail('@a.example,@b.example:sender@example.com')
        c.rcpt(f'@relay.example,@other.example:{user}')
        for path in (
            f'somebody%elsewhere.example@{domain}',
            f'elsewhere.example!somebody@{domain}',
            f'"somebody@elsewhere.example"@{domain}',
            f'@{domain}:somebody@elsewhere.example',
            f'somebody%{domain}@elsewhere.example',
        ):
            c.rcpt(path, expect=5)
        c.data(message('source route'), 250)
    got = server.mailbox(user)[0]
    assert got.startswith(b'Return-Path: <sender@example.com>\r\n'), 'the route is dropped'
    assert b'relay.example' not in got


@pytest.mark.parametrize(
    'path',
    [
        'x' * 65 + '@example.org',
        'a@' + '.'.join(['d' * 63] * 3 + ['e' * 64]),
        'a@' + '.'.join(['d' * 50] * 5) + '.ee',
        'x' * 64 + '@' + '.'.join(['d' * 47] * 4),
        'a@example..org',
        'a@.example.org',
        'a@[1.2.3.4',
        'a@1.2.3.4]',
        'a@[1.2.3]',
        'a@[1.2.3.256]',
        'a@[IPv6:::1',
        'a@[IPv6:1:2]',
        'a@',
        '@example.org',
        'a@-b.org',
        'a@b-.org',
        'a@b_c.org',
        'a@b@c',
        'a b@example.org',
    ],
    ids=lambda p: p[:20],
)
def test_bad_input_33_addresses_beyond_the_grammar(server, path):
    with server.smtp() as c:
        c.cmd(f'MAIL FROM:<{path}>', 501, 553)
        c.mail()
        c.cmd(f'RCPT TO:<{path}>', 501, 553)
        in_step(c)


def test_bad_input_33_trailing_dot(server, user):
    """RFC 5321 has no trailing dot; a server may refuse it or take it for the same domain."""
    with server.smtp() as c:
        c.mail()
        c.cmd(f'RCPT TO:<{user}.>', 250, 501, 553, 550)
        in_step(c)


def test_bad_input_34_utf8_addresses(make_server):
    server = make_server(domains=['example.org', 'bücher.example'], services=('smtp', 'pop3'))
    user = server.account('jürgen@example.org')
    other = server.account('anna@bücher.example')
    with server.smtp() as c:
        assert c.cmd('MAIL FROM:<jürgen@example.org>', 553).status == '5.6.7'
        c.mail()
        assert c.cmd(f'RCPT TO:<{user}>', 553).status == '5.6.7'
        c.cmd('RSET', 250)
        c.cmd(b'MAIL FROM:<j\xfcrgen@example.org> SMTPUTF8', 501)
        c.cmd(b'MAIL FROM:<j\xc0\xafrgen@example.org> SMTPUTF8', 501)
        c.mail(params='SMTPUTF8')
        c.cmd(b'RCPT TO:<j\xed\xa0\x80@example.org>', 501)
        c.rcpt('anna@bücher.example')
        c.rcpt('anna@BÜCHER.example')
        c.rcpt('anna@xn--bcher-kva.example')
        c.data(message('one copy'), 250)
        c.deliver(message('A-label needs no SMTPUTF8'), 'anna@xn--bcher-kva.example')
    assert len(server.mailbox(other)) == 2


def test_bad_input_35_utf8_mail_needs_smtputf8_at_the_next_hop(server, user):
    """Of this the receiving side exists: without SMTPUTF8 no address of the envelope has UTF-8, whatever the session
    said before."""
    with server.smtp() as c:
        c.deliver(message('utf8'), user, params='SMTPUTF8')
        c.cmd('MAIL FROM:<jürgen@example.org>', 553)
        c.mail(params='SMTPUTF8')
        c.cmd('RSET', 250)
        c.cmd('MAIL FROM:<jürgen@example.org>', 553)


def test_bad_input_37_received_a_hundred_times(server, user):
    text = b'Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000\r\n' * 100 + message('loop')
    with server.smtp() as c:
        c.envelope(user)
        assert c.data(text, 554).status == '5.4.6'
        c.deliver(b'Received: x\r\n' * 10 + message('no loop'), user)
    assert len(server.mailbox(user)) == 1


def test_bad_input_37_our_own_delivered_to(server, user):
    with server.smtp() as c:
        c.envelope(user)
        assert c.data(f'Delivered-To: {user.upper()}\r\n'.encode() + message('loop'), 554).status == '5.4.6'
        c.deliver(b'Delivered-To: other@elsewhere.example\r\n' + message('no loop'), user)
        c.deliver(message('in the body', body=f'Delivered-To: {user}'), user)
    assert len(server.mailbox(user)) == 2


def test_bad_input_37_aliases_in_a_circle(server, user):
    server.cli('alias', 'add', 'a@example.org', 'b@example.org', expect=None)
    server.cli('alias', 'add', 'b@example.org', 'a@example.org', expect=None)
    server.cli('alias', 'add', 'self@example.org', 'self@example.org', expect=None)
    for n in range(60):
        server.cli('alias', 'add', f'deep{n}@example.org', f'deep{n + 1}@example.org' if n < 59 else user, expect=None)
    with server.smtp() as c:
        c.mail()
        for name in ('a', 'b', 'self'):
            c.rcpt(f'{name}@example.org', expect=5)
        c.cmd('RCPT TO:<deep0@example.org>', 250, 550, 554)
        in_step(c)
    for name, target in (('a', 'b'), ('b', 'a'), ('self', 'self')):
        server.cli('alias', 'remove', f'{name}@example.org', f'{target}@example.org', expect=None)


# --- storage ---


def test_bad_input_51_killed_after_the_250(make_server):
    """The rest of it is crash/test_crash.py: here once, all roles at once, right behind the reply."""
    server = make_server(services=('smtp', 'pop3'))
    user = server.account()
    texts = []
    for n in range(5):
        texts.append(message(f'kill {n}', body='x' * 5000))
        with server.smtp() as c:
            c.deliver(texts[-1], user)
            server.kill()
        server.start()
    got = server.mailbox(user)
    assert len(got) == 5
    for m, text in zip(got, texts):
        split_trace(m, text)
    server.check_store()


def set_limit(pid, which, soft):
    """Sets a soft limit of another process, and returns what it was. Who is root must become that process's user for
    it."""
    with open(f'/proc/{pid}/status') as f:
        ids = {line.split()[0]: int(line.split()[1]) for line in f if line.startswith(('Uid:', 'Gid:'))}
    code = (
        f'import resource as r; o = r.prlimit({pid}, {which}); r.prlimit({pid}, {which}, ({soft}, o[1])); print(o[0])'
    )
    user = {'user': ids['Uid:'], 'group': ids['Gid:'], 'extra_groups': []} if os.geteuid() == 0 else {}
    return int(
        subprocess.run(['/usr/bin/python3', '-c', code], check=True, stdout=subprocess.PIPE, cwd='/', **user).stdout
    )


def test_bad_input_52_disk_full_is_452(make_server):
    """A limit on the size of files stands for the disk here; fault/test_faults.py has the rest."""
    server = make_server(services=('smtp', 'pop3'))
    user = server.account()
    with server.smtp() as c:
        c.deliver(message('before'), user)
    store = next(pid for (role, _), pid in server.roles().items() if role == 'store')
    size = max(os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(server.data) for name in names)
    limit = set_limit(store, resource.RLIMIT_FSIZE, size + 4096)
    with server.smtp() as c:
        for _ in range(3):
            c.envelope(user)
            c.data(message('too much', body='y' * 990 + '\r\n' + 'z' * 2000000), 451, 452)  # more than was written ahead
    set_limit(store, resource.RLIMIT_FSIZE, limit)
    with server.smtp() as c:
        c.deliver(message('after'), user)
    assert len(server.mailbox(user)) == 2
    assert store in server.roles().values(), 'the store lives on'
    server.check_store()


@pytest.mark.parametrize('damage', ['cut', 'empty', 'garbage', 'bits', 'long'])
def test_bad_input_53_damaged_segment(make_server, damage):
    """What is damaged is named; the rest is served, and new mail is taken."""
    server = make_server(services=('smtp', 'pop3'))
    user = server.account()
    with server.smtp() as c:
        for n in range(10):
            c.deliver(message(f'number {n}', body=f'{n}' * 3000), user)
    server.stop()
    segments = sorted(
        os.path.join(server.data, 'bodies', name) for name in os.listdir(os.path.join(server.data, 'bodies'))
    )
    harm(max(segments, key=os.path.getsize), damage)
    server.start()
    with server.smtp() as c:
        c.deliver(message('new mail'), user)
    whole = 0
    with server.pop3(user) as p:
        for n in range(1, p.stat()[0] + 1):
            p.send(f'RETR {n}\r\n')
            try:
                if p.reply().startswith('+OK'):
                    body = p.body()
                    whole += b'new mail' in body or (
                        b'Subject: number' in body and len(set(body.rstrip().rsplit(b'\r\n', 1)[1])) == 1
                    )
            except Closed:  # found out in the middle of a message: nothing better can be said than the end
                p.close()
                p = server.pop3(user)
    assert whole >= 1
    assert server.cli('store', 'verify', expect=None).returncode != 0 or damage == 'long'


def harm(path, damage):
    size = os.path.getsize(path)
    with open(path, 'r+b') as f:
        if damage == 'cut':
            f.truncate(size - 2000)
        elif damage == 'empty':
            f.truncate(0)
        elif damage == 'garbage':
            f.seek(size // 2)
            f.write(os.urandom(size - size // 2))
        elif damage == 'bits':
            f.seek(size // 2)
            byte = f.read(1)
            f.seek(size // 2)
            f.write(bytes([byte[0] ^ 1]))
        else:  # a record behind the last one whose length overflows
            f.seek(0)
            head = f.read(64)
            f.seek(size)
            f.write(head[:4] + b'\xff' * 60)


def test_bad_input_53_foreign_file_among_the_segments(make_server):
    server = make_server(services=('smtp', 'pop3'))
    user = server.account()
    server.stop()
    for name in ('0000000099', 'README', '.swp', '99999999999999999999'):
        with open(os.path.join(server.data, 'bodies', name), 'wb') as f:
            f.write(b'not a segment')
    server.start()
    with server.smtp() as c:
        c.deliver(message('still'), user)
    assert len(server.mailbox(user)) == 1


def test_bad_input_54_no_descriptors_left(make_server):
    """accept() fails: back off, do not spin, go on when there are some again."""
    server = make_server('limit connections 5000 per-address 5000', services=('smtp',))
    edge = next(pid for (role, _), pid in server.roles().items() if role == 'edge')
    used = len(os.listdir(f'/proc/{edge}/fd'))
    limit = set_limit(edge, resource.RLIMIT_NOFILE, used + 10)
    held = [Connection(server.ports['smtp']) for _ in range(40)]
    before, start = cpu_time(edge), time.monotonic()
    time.sleep(2)  # the time over which the processor's use is measured
    assert cpu_time(edge) - before < 0.5 * (time.monotonic() - start), 'spins'
    for c in held:
        c.close()
    eventually(lambda: quick(server), 'sessions are served again')
    set_limit(edge, resource.RLIMIT_NOFILE, limit)


def quick(server):
    try:
        with Smtp(server.ports['smtp'], timeout=5):
            return True
    except (OSError, Closed, AssertionError):
        return False


def cpu_time(pid):
    with open(f'/proc/{pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def test_bad_input_57_quota_between_rcpt_and_data(make_server):
    """SMTP refuses the message once, and nobody has it; LMTP says it for each, and who had room has it once."""
    server = make_server('quota 20K', services=('smtp', 'lmtp', 'pop3'))
    full, roomy = server.account(), server.account()
    big = message('big', body=('x' * 70 + '\r\n') * 200)
    with server.smtp() as c, server.smtp() as other:
        c.envelope(full)
        other.deliver(big, full)
        c.data(big, 452, 552)
        in_step(c)
    with server.lmtp() as c:
        c.envelope(full, roomy)
        c.cmd('DATA', 354)
        c.send(dot_stuff(big))
        assert c.expect(4, 5).code in (452, 552)
        c.expect(250)
        in_step(c)
    with server.smtp() as c:
        c.envelope('postmaster@example.org')
    assert len(server.mailbox(full)) == 1
    assert len(server.mailbox(roomy)) == 1


# --- POP3 ---


def test_bad_input_73_dele_then_drop(server, user):
    with server.smtp() as c:
        c.deliver(message('kept'), user)
    for end in ('close', 'reset'):
        p = server.pop3(user)
        p.cmd('DELE 1')
        getattr(p, end)()
        eventually(lambda: unlocked(server, user), 'the lock is gone')
        assert len(server.mailbox(user)) == 1


def unlocked(server, user):
    try:
        server.pop3(user).quit()
        return True
    except AssertionError:
        return False


def test_bad_input_73_second_session(server, user):
    p = server.pop3(user)
    with server.pop3() as q:
        q.cmd(f'USER {user}')
        assert q.err('PASS secret').startswith('[IN-USE]')
    p.quit()


def test_bad_input_73_top_of_two_to_the_31(server, user):
    text = message('top', body='.one\r\n..two\r\n.')
    with server.smtp() as c:
        c.deliver(text, user)
    with server.pop3(user) as p:
        whole = p.retr(1)
        split_trace(whole, text)
        for n in ('2147483648', '4294967295', '4294967296', '9223372036854775807'):
            assert p.multi(f'TOP 1 {n}') == whole
        for n in ('18446744073709551616', '99999999999999999999', '-1', 'x'):
            p.send(f'TOP 1 {n}\r\n')
            if p.reply().startswith('+OK'):
                p.body()
        p.cmd('NOOP')


def test_bad_input_73_uidl_is_stable(make_server):
    server = make_server(services=('smtp', 'pop3'))
    user = server.account()
    with server.smtp() as c:
        for n in range(4):
            c.deliver(message(f'{n}'), user)
    with server.pop3(user) as p:
        before = [line.split()[1] for line in p.multi('UIDL').splitlines()]
        p.cmd('DELE 2')
        p.cmd('DELE 4')
        p.quit()
    server.restart()
    with server.smtp() as c:
        c.deliver(message('new'), user)
    with server.pop3(user) as p:
        after = [line.split()[1] for line in p.multi('UIDL').splitlines()]
        p.quit()
    assert after[:2] == [before[0], before[2]]
    assert after[2] not in before, 'a UID is never given twice'


def test_bad_input_73_long_and_odd_commands(server, user):
    with server.pop3(user) as p:
        for command in (
            b'RETR ' + b'9' * 400,
            b'\0',
            b'STAT\0',
            b'LIST \xff',
            b'NONSENSE',
            b'',
            b'TOP 1 1 1',
            b'DELE 1 x',
        ):
            p.err(command)
        p.send(b'NOOP' + b'x' * (1 << 20) + b'\r\n')
        try:
            assert p.reply().startswith('-ERR')
            p.cmd('NOOP')
        except Closed:
            pass
    log_is_clean(server)


# --- the log ---


def test_bad_input_89_what_a_peer_says_in_the_log(server, user):
    """CR, LF, ESC, direction marks and forged fields."""
    evil = ['\u202eevil', 'a\x1b]0;title\x07', 'x" ev=forged level=error', "x\\", 'ev=forged\tmid=1', '\u2028line']
    with server.smtp(hello=None) as c:
        for text in evil:
            c.send(f'EHLO {text}\r\n')
            c.reply()
        c.cmd('EHLO client.example.com', 250)
        for text in evil:
            c.send(f'MAIL FROM:<"{text}"@example.com>\r\n'.encode())
            if c.reply().code == 250:
                c.cmd('RSET', 250)
            c.send(f'{text}\r\n'.encode())
            c.reply()
        c.cmd('EHLO client.example.com', 250)
    with server.smtp() as c:
        c.deliver(b'Subject: \x1b[2J\xe2\x80\xae ev=forged\r\nMessage-ID: <\x1b[2J"ev=forged\xff>\r\n\r\nx\r\n', user)
    with server.pop3() as p:
        p.send(b'USER a\x1b[2Jb\r\n')
        p.reply()
        p.send(b'PASS ev=forged "\x1b\r\n')
        p.reply()
    log_is_clean(server)
    assert not re.search(r'^t=\S+ level=\S+ role=\S+ ev=forged', server.log(), re.M)
    assert ' ev=forged level=error' not in re.sub(r'"(\\.|[^"\\])*"', '""', server.log())
    out = server.cli('trace', user).stdout + server.cli('trace', user, '--json').stdout
    assert re.fullmatch(r'[\n\t -~\u00a0-\u1fff]*', out), 'not escaped for the terminal'
