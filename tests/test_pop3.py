# SPDX-License-Identifier: ISC
"""POP3 (RFC 1939, 2449, 3206, 6856); then the clients that people use."""
import mailbox
import os
import poplib
import re
import shutil

import pytest

from harness import Closed, Pop3, eventually, message, need, other_address, run, server_user, split_trace


def fill(server, user, *messages):
    with server.smtp() as c:
        for text in messages:
            c.deliver(text, user)
        c.quit()


@pytest.fixture
def three(server, user):
    """An account with three messages, and these."""
    texts = [message(f'number {n}', body=f'body {n}\r\n.dot\r\n..\r\n.') for n in range(3)]
    fill(server, user, *texts)
    return user, texts


def test_greeting_and_capa(server, user):
    with server.pop3() as p:
        capa = p.multi('CAPA').decode().split('\r\n')
        words = {line.split()[0]: line.split()[1:] for line in capa if line}
        for word in (
            'TOP',
            'USER',
            'RESP-CODES',
            'AUTH-RESP-CODE',
            'PIPELINING',
            'UIDL',
            'LOGIN-DELAY',
            'UTF8',
            'LANG',
        ):
            assert word in words, words
        assert words['EXPIRE'] == ['NEVER']
        assert 'Pombo' in ' '.join(words['IMPLEMENTATION'])
        p.login(user, 'secret')
        p.multi('CAPA')
        p.quit()


def test_states(server, user):
    with server.pop3() as p:
        for command in ('STAT', 'LIST', 'RETR 1', 'DELE 1', 'NOOP', 'RSET', 'TOP 1 0', 'UIDL'):
            p.err(command)
        p.err('PASS secret')
        p.login(user, 'secret')
        p.err('USER ' + user)
        p.cmd('NOOP')
        p.quit()


def test_wrong_password(server, user):
    with server.pop3() as p:
        p.cmd(f'USER {user}')
        wrong = p.err('PASS wrong')
        p.cmd('USER nobody-here@example.org')
        unknown = p.err('PASS wrong')
        assert wrong == unknown and wrong.startswith('[AUTH]'), (wrong, unknown)  # RFC 3206; never which account exists
        p.login(user, 'secret')


def test_password_with_blanks(server):
    """RFC 1939 section 7: the whole rest of the line."""
    user = server.account(password=' two  words ')
    server.pop3(user, ' two  words ').quit()


def test_passwd_and_disable(server, user):
    server.pop3(user, 'secret').quit()  # which is remembered, and must not matter
    server.cli('account', 'passwd', user, input='another\n')
    with server.pop3() as p:
        p.cmd(f'USER {user}')
        p.err('PASS secret')
        p.login(user, 'another')
        p.quit()
    server.cli('account', 'disable', user)
    with server.pop3() as p:
        p.cmd(f'USER {user}')
        assert p.err('PASS another').startswith('[AUTH]')


def test_list_stat_uidl_agree(server, three):
    user, _ = three
    with server.pop3(user) as p:
        sizes = [len(p.retr(n)) for n in (1, 2, 3)]
        assert p.stat() == (3, sum(sizes))
        assert p.multi('LIST').decode().split('\r\n')[:3] == [f'{n} {size}' for n, size in enumerate(sizes, 1)]
        assert p.cmd('LIST 2').split()[:2] == ['2', str(sizes[1])]
        uids = [line.split()[1] for line in p.multi('UIDL').decode().splitlines()]
        assert len(set(uids)) == 3
        assert p.cmd('UIDL 3').split()[:2] == ['3', uids[2]]
        assert all(re.fullmatch(r'[!-~]{1,70}', uid) for uid in uids)
        for command in (
            'LIST 4',
            'LIST 0',
            'UIDL 4',
            'RETR 4',
            'DELE 4',
            'TOP 4 1',
            'RETR',
            'RETR x',
            'TOP 1',
            'RETR -1',
            'RETR 18446744073709551617',
            'RETR 1 2',
        ):
            p.err(command)


def test_retr_and_top(server, three):
    user, texts = three
    with server.pop3(user) as p:
        whole = p.retr(1)
        trace = split_trace(whole, texts[0])
        header = trace + texts[0][: texts[0].index(b'\r\n\r\n') + 4]
        assert p.multi('TOP 1 0') == header
        assert p.multi('TOP 1 2') == header + b'body 0\r\n.dot\r\n'
        assert p.multi('TOP 1 2147483647') == whole


def test_dele_rset_quit(server, three):
    user, _ = three
    with server.pop3(user) as p:
        p.cmd('DELE 2')
        for command in ('DELE 2', 'RETR 2', 'LIST 2', 'UIDL 2', 'TOP 2 0'):
            p.err(command)
        assert p.stat()[0] == 2
        assert [line.split()[0] for line in p.multi('LIST').splitlines()] == [b'1', b'3'], 'numbers stay'
        p.cmd('RSET')
        assert p.stat()[0] == 3
        p.cmd('DELE 1')
        p.quit()
    with server.pop3(user) as p:
        assert p.stat()[0] == 2
        p.quit()


def test_pipelining(server, three):
    user, texts = three
    with server.pop3() as p:
        p.send(f'USER {user}\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\nQUIT\r\n')
        for _ in range(3):
            p.ok()
        for n in range(2):
            p.ok()
            split_trace(p.body(), texts[n])
        p.ok()
        p.ok()
        p.expect_closed()


def test_utf8_and_lang(server):
    """RFC 6856"""
    user = server.account('用户@example.org', password='pässword')
    with server.pop3() as p:
        p.cmd('UTF8')
        p.multi('LANG')
        p.cmd('LANG i-default')
        p.err('LANG tlh')
        p.login(user, 'pässword')


def test_mailbox_is_locked(server, user):
    one = server.pop3(user)
    with server.pop3() as two:
        two.cmd(f'USER {user}')
        assert two.err('PASS secret').startswith('[IN-USE]')
    one.quit()
    server.pop3(user).quit()


def test_mail_that_comes_meanwhile(server, three):
    user, _ = three
    with server.pop3(user) as p:
        fill(server, user, message('later'))
        assert p.stat()[0] == 3, 'a session sees what was there when it began'
        p.cmd('DELE 1')
        p.quit()
    with server.pop3(user) as p:
        assert p.stat()[0] == 3
        assert b'Subject: later' in p.retr(3)


def test_large_message_in_pieces(server, user):
    text = message('large', body=('.' + 'x' * 70 + '\r\n') * 30000)
    fill(server, user, text)
    split_trace(server.mailbox(user)[0], text)


def test_passwords_only_from_loopback(make_server):
    """Without TLS a password from elsewhere is not even looked at. A client that is not on loopback needs an address
    of this machine that is not."""
    host = other_address()
    server = make_server(services=('smtp', 'pop3'), start=False)
    server.write_config(
        server.config_text().replace(f'pop3 127.0.0.1:{server.ports["pop3"]}', f'pop3 0.0.0.0:{server.ports["pop3"]}')
    )
    server.start()
    user = server.account()
    server.pop3(user).quit()
    with Pop3((host, server.ports['pop3'])) as p:
        assert b'USER' not in p.multi('CAPA').split()
        p.err(f'USER {user}')


def test_who_does_not_log_in_has_to_go(make_server):
    server = make_server('limit session-time 1s', services=('smtp', 'pop3'))
    user = server.account()
    stranger = server.pop3()
    with server.pop3(user) as p:
        stranger.expect_closed()
        p.cmd('NOOP')


def test_too_many_commands(make_server):
    """A client that never stops talking gets all its answers, the last of them too: the connection is closed, not reset."""
    server = make_server('limit commands 1000', services=('smtp', 'pop3'))
    user = server.account()
    with server.pop3(user) as p:
        p.send(b'NOOP\r\n' * 100000)
        answers = 0
        while (line := p.reply()).startswith('+OK'):
            answers += 1
        assert line == '-ERR too many commands'
        assert answers == 998  # and USER and PASS
        assert p.sock.recv(1) == b''


def test_stop_deletes_nothing(make_server):
    """A session that the server ends is told, and what it marked stays (RFC 1939 section 6)."""
    server = make_server(services=('smtp', 'pop3'))
    user = server.account()
    fill(server, user, message('kept'))
    p = server.pop3(user)
    p.cmd('DELE 1')
    server.stop()
    assert p.reply().startswith('-ERR [SYS/TEMP]')
    p.expect_closed()
    server.start()
    assert len(server.mailbox(user)) == 1


# --- clients ---


def test_client_poplib(server, three):
    user, texts = three
    p = poplib.POP3('127.0.0.1', server.ports['pop3'], timeout=30)
    p.user(user)
    p.pass_('secret')
    assert p.stat()[0] == 3 and len(p.uidl()[1]) == 3
    assert b'\r\n'.join(p.retr(2)[1]).endswith(texts[1].rstrip(b'\r\n'))
    p.dele(2)
    p.quit()
    assert len(server.mailbox(user)) == 2


def test_client_curl(server, three):
    user, texts = three
    port = server.ports['pop3']
    assert len(run(need('curl'), '-sS', '-u', f'{user}:secret', f'pop3://127.0.0.1:{port}/').stdout.splitlines()) == 3
    assert run('curl', '-sS', '-u', f'{user}:secret', f'pop3://127.0.0.1:{port}/1').stdout.endswith(texts[0])


def test_client_fetchmail(server, three, tmp_path):
    user, _ = three
    rc, out = tmp_path / 'rc', tmp_path / 'out'
    rc.write_text(
        f'poll 127.0.0.1 protocol pop3 port {server.ports["pop3"]} uidl\n user "{user}" password "secret" fetchall\n'
        f' sslproto "" mda "cat >>{out}"\n'
    )
    rc.chmod(0o600)
    run(
        need('fetchmail'),
        '-f',
        str(rc),
        '--nodetach',
        '--nosyslog',
        '--pidfile',
        str(tmp_path / 'pid'),
        '--idfile',
        str(tmp_path / 'ids'),
        env={'HOME': str(tmp_path), 'FETCHMAILHOME': str(tmp_path)},
    )
    assert re.findall(r'^Subject: (number \d)', out.read_text(), re.M) == ['number 0', 'number 1', 'number 2']
    assert server.mailbox(user) == []


def test_client_getmail(server, three, tmp_path):
    user, _ = three
    box = mailbox.Maildir(tmp_path / 'box', create=True)
    as_user = ''
    if os.geteuid() == 0:  # it does not deliver as root
        as_user = f'user = {server_user()}\n'
        for top, folders, _ in os.walk(tmp_path):
            shutil.chown(top, server_user())
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
    (tmp_path / 'rc').write_text(
        f'[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\nport = {server.ports["pop3"]}\n'
        f'username = {user}\npassword = secret\n[destination]\ntype = Maildir\npath = {tmp_path}/box/\n{as_user}'
        '[options]\ndelete = true\n'
    )
    run(need('getmail'), '--getmaildir', str(tmp_path), '--rcfile', str(tmp_path / 'rc'))
    assert sorted(m['Subject'] for m in box) == ['number 0', 'number 1', 'number 2']
    assert server.mailbox(user) == []


def test_client_mutt(server, three, tmp_path):
    """The keys of a user who fetches all messages into his mailbox and leaves."""
    user, _ = three
    box = mailbox.Maildir(tmp_path / 'spool', create=True)
    (tmp_path / 'rc').write_text(
        f'set pop_host="pop://127.0.0.1:{server.ports["pop3"]}" pop_user="{user}" pop_pass=secret\n'
        'set ssl_starttls=no ssl_force_tls=no pop_authenticators="user" pop_delete=no\n'
        f'set folder={tmp_path} spoolfile={tmp_path}/spool mbox_type=Maildir confirmcreate=no move=no quit=yes\n'
        'push "<fetch-mail><quit>"\n'
    )
    run(
        need('script'),
        '-qefc',
        f'{need("mutt")} -F {tmp_path}/rc -f {tmp_path}/spool',
        '/dev/null',
        env={'HOME': str(tmp_path), 'TERM': 'xterm'},
        input=b'',
    )
    assert len(box) == 3


def test_session_cut_off_frees_the_mailbox(server, user):
    p = server.pop3(user)
    p.reset()

    def again():
        try:
            server.pop3(user).quit()
            return True
        except (AssertionError, Closed):
            return False

    eventually(again, 'the lock of a session that is gone')
