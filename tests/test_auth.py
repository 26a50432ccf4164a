# SPDX-License-Identifier: ISC
"""Who is it: SASL over POP3 (RFC 5034), with our own client, curl and gsasl; app passwords."""
import base64
import subprocess
import time

import pytest

from harness import as_bytes, eventually, need, run


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def plain(user, password='secret'):
    return b64(f'\0{user}\0{password}')


def say(p, line):
    p.send(as_bytes(line) + b'\r\n')


def offered(p):
    lines = p.multi('CAPA').decode().split('\r\n')
    return next(line.split()[1:] for line in lines if line.startswith('SASL'))


def test_what_is_offered(server):
    with server.pop3() as p:
        assert offered(p) == ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']
        assert 'no such mechanism' in p.err('AUTH GSSAPI')
        p.err('AUTH SCRAM-SHA-1')  # not allowed by this configuration
        p.err('AUTH SCRAM-SHA-256-PLUS')  # there is no TLS to bind to


def test_plain_and_login(server, user):
    with server.pop3() as p:
        p.cmd(f'AUTH PLAIN {plain(user)}')
        p.quit()
    for mechanism, answers in (('PLAIN', [plain(user)]), ('LOGIN', [b64(user), b64('secret')])):
        with server.pop3() as p:
            say(p, f'AUTH {mechanism}')
            for answer in answers:
                assert p.line().startswith(b'+ ')
                say(p, answer)
            assert p.line().startswith(b'+OK')
            p.cmd('STAT')
            p.quit()


def test_passwords_in_any_form_of_unicode(server):
    """SASLprep (RFC 4013): an accent may be typed in two ways."""
    user = server.account(password='p\u00e4ssword')
    for password in ('p\u00e4ssword', 'pa\u0308ssword', 'p\u00e4ss\u00adword'):
        with server.pop3() as p:
            p.cmd(f'AUTH PLAIN {plain(user, password)}')
            p.quit()
    with server.pop3() as p:
        p.err(f'AUTH PLAIN {plain(user, "password")}')
        assert gsasl_over(p, user, 'pa\u0308ssword').startswith(b'+OK')
    server.cli('account', 'passwd', user, input='p\u00e4ss\u0085\n', expect=65)


def test_equal_answers(server, user):
    with server.pop3() as p:
        answers = {p.err(f'AUTH PLAIN {plain(*who)}') for who in ((user, 'wrong'), ('nobody-here@example.org', 'secret'))}
        assert len(answers) == 1 and answers.pop().startswith('[AUTH]')


@pytest.mark.parametrize('answer', ['*', '=', 'AGEA\tYg==', 'AGEA\0Yg==', 'A' * 12 * 1024, '!', plain('x')[:-1]])
def test_bad_input_72_bad_answers_leave_nothing(server, user, answer):
    """The next attempt on the same connection begins at its beginning."""
    with server.pop3() as p:
        for mechanism in ('PLAIN', 'LOGIN', 'SCRAM-SHA-256'):
            say(p, f'AUTH {mechanism}')
            assert p.line().startswith(b'+ ')
            say(p, answer)
            assert p.line().startswith(b'-ERR')
        p.err('STAT')
        p.cmd(f'AUTH PLAIN {plain(user)}')
        p.quit()


@pytest.mark.parametrize('mechanism', ['PLAIN', 'LOGIN'])
def test_curl(server, user, mechanism):
    with server.smtp() as c:
        c.deliver('Subject: to curl\r\n\r\nhello\r\n', user)
        c.quit()
    url = f'pop3://127.0.0.1:{server.ports["pop3"]}/1'
    r = run(need('curl'), '-s', url, '--user', f'{user}:secret', '--login-options', f'AUTH={mechanism}')
    assert b'to curl' in r.stdout


def gsasl_over(p, user, password, mechanism='SCRAM-SHA-256'):
    """gsasl says what a client says and checks what the server says, this carries it; the server's last line."""
    words = [need('gsasl'), '--client', '--quiet', '--no-cb', '--mechanism', mechanism]
    words += ['--authentication-id', user, '--password', password, '--authorization-id', '']
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as g:
        try:
            assert g.stdout.readline().decode().strip() == mechanism
            say(p, f'AUTH {mechanism}')
            assert p.line() == b'+ '
            say(p, g.stdout.readline().strip())
            line = p.line()
            while line.startswith(b'+ '):
                g.stdin.write(line[2:].strip() + b'\n')
                g.stdin.flush()
                answer = g.stdout.readline().strip()  # to the server's proof an empty one, when it is right
                assert b'error' not in answer, answer
                say(p, answer)
                line = p.line()
            return line
        finally:
            g.kill()


def test_gsasl_scram(server, user):
    with server.pop3() as p:
        assert gsasl_over(p, user, 'secret').startswith(b'+OK')
        p.cmd('STAT')
        p.quit()
    with server.pop3() as p:
        assert gsasl_over(p, user, 'wrong').startswith(b'-ERR [AUTH]')
        assert gsasl_over(p, 'nobody-here@example.org', 'secret').startswith(b'-ERR [AUTH]')
        assert gsasl_over(p, user, 'secret').startswith(b'+OK')
    assert 'mechanism=SCRAM-SHA-256' in server.log()


def test_app_passwords(server, user):
    phone = server.json('account', 'app-password', 'add', user, 'phone')[0]
    laptop = server.json('account', 'app-password', 'add', user, 'my laptop', '--expires', '90d')[0]
    assert phone['password'] != laptop['password'] and phone['expires'] == 'never' and laptop['expires'].startswith('20')
    server.cli('account', 'app-password', 'add', user, 'phone', expect=73)
    server.pop3(user, phone['password']).quit()
    server.pop3(user, 'secret').quit()
    with server.pop3() as p:
        assert gsasl_over(p, user, laptop['password']).startswith(b'+OK')
    listed = {row['name']: row for row in server.json('account', 'app-password', 'list', user)}
    assert set(listed) == {'phone', 'my laptop'} and listed['phone']['used'].startswith('20')
    assert not {phone['password'], laptop['password']} & set(str(listed).split("'"))
    server.cli('account', 'app-password', 'remove', user, 'phone')
    with server.pop3() as p:
        p.err(f'AUTH PLAIN {plain(user, phone["password"])}')
        p.cmd(f'AUTH PLAIN {plain(user, laptop["password"])}')
        p.quit()


def test_app_password_expires(server, user):
    password = server.json('account', 'app-password', 'add', user, 'short', '--expires', '4s')[0]['password']
    for _ in range(2):  # which is remembered, and must not matter
        server.pop3(user, password).quit()
    expires = server.json('account', 'app-password', 'list', user)[0]['expires']
    eventually(lambda: time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(time.time() - 1)) > expires, 'the end of the password')
    with server.pop3() as p:
        p.err(f'AUTH PLAIN {plain(user, password)}')


def test_app_password_usage(server, user):
    for words in ((), ('add', user), ('add',), ('list',), ('paint', user), ('remove', user), ('list', user, '--expires', '1d')):
        server.cli('account', 'app-password', *words, expect=64)
    server.cli('account', 'app-password', 'add', user, 'x', '--expires', 'soon', expect=64)
    server.cli('account', 'app-password', 'remove', user, 'x', expect=67)
    server.cli('account', 'app-password', 'list', 'nobody-here@example.org', expect=67)
