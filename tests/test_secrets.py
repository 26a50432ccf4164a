# SPDX-License-Identifier: ISC
"""What stays in memory: a password that was said is nowhere in the processes that it passed, once the login is over. For root, who reads their memory."""
import base64
import os
import poplib
import re
import smtplib

import pytest

from harness import Server, anybody, plain_binary

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='only root reads the memory of others')
LOCAL = 'somebody.with.a.name'


@pytest.fixture(scope='module')
def secretive():
    binary = plain_binary()
    if b'__asan' in open(binary, 'rb').read():
        pytest.skip('with sanitizers there are terabytes to be searched')
    server = Server(services=('submission', 'submissions', 'pop3', 'pop3s'), binary=binary)
    server.start()
    yield server
    server.close()


def memory(pid):
    """Every page that the process can write."""
    with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as mem:
        for line in maps:
            start, end, writable = re.match(r'(\w+)-(\w+) .(.)', line).groups()
            if writable != 'w':
                continue
            try:
                mem.seek(int(start, 16))
                yield line.split()[-1], mem.read(int(end, 16) - int(start, 16))
            except OSError:  # guard pages
                pass


def traces(secret):
    """The text, and what is the same in base64 wherever it begins in a group of three."""
    encoded = [base64.b64encode(b'\0' * lead + secret) for lead in range(3)]
    return [secret] + [e[4 if lead else 0:len(e) - 4] for lead, e in enumerate(encoded)]


def found(server, secret):
    """Where it still is: process, kind of memory, what is around it."""
    out = []
    for (role, index), pid in server.roles().items():
        for name, octets in memory(pid):
            for trace in traces(secret):
                at = octets.find(trace)
                if at >= 0:
                    out.append(f'{role}-{index} {name} {at:x} {octets[max(0, at - 64):at + 96]}')
    return '\n'.join(out)


def say_pop3(server, user, password):
    p = poplib.POP3('127.0.0.1', server.ports['pop3'], timeout=30)
    p.stls(anybody())
    return p, lambda: (p.user(user), p.pass_(password))


def say_pop3s(server, user, password):
    p = poplib.POP3_SSL('127.0.0.1', server.ports['pop3s'], timeout=30, context=anybody())
    return p, lambda: (p.user(user), p.pass_(password))


def say_smtp(mechanism):
    def say(server, user, password):
        s = smtplib.SMTP('127.0.0.1', server.ports['submission'], timeout=30)
        s.starttls(context=anybody())
        s.ehlo()
        s.user, s.password = user, password
        return s, lambda: s.auth(mechanism, getattr(s, 'auth_' + mechanism.lower()))
    return say


def say_smtps(server, user, password):
    s = smtplib.SMTP_SSL('127.0.0.1', server.ports['submissions'], timeout=30, context=anybody())
    s.ehlo()
    s.user, s.password = user, password
    return s, lambda: s.auth('PLAIN', s.auth_plain, initial_response_ok=False)


WAYS = {'pop3': say_pop3, 'pop3s': say_pop3s, 'plain': say_smtp('PLAIN'), 'login': say_smtp('LOGIN'), 'plain-later': say_smtps}


def test_memory_can_be_searched(secretive):
    """The search finds what is there: the name of an account that is logged in."""
    user = secretive.account(f'{LOCAL}@example.org')
    p = poplib.POP3_SSL('127.0.0.1', secretive.ports['pop3s'], timeout=30, context=anybody())
    p.user(user), p.pass_('secret')
    assert 'store-0 ' in found(secretive, LOCAL.encode())
    p.quit()


@pytest.mark.parametrize('way', WAYS)
def test_a_password_is_forgotten(secretive, way):
    password = f'Tr0ubadour-of-{way}-{os.urandom(6).hex()}'
    user = secretive.account(password=password)
    client, log_in = WAYS[way](secretive, user, password)
    log_in()
    assert not found(secretive, password.encode())
    client.quit()
    assert not found(secretive, password.encode())


@pytest.mark.parametrize('way', WAYS)
def test_a_wrong_password_is_forgotten(secretive, way):
    """It may be right somewhere else."""
    user = secretive.account()
    password = f'Wr0ng-on-{way}-{os.urandom(6).hex()}'
    client, log_in = WAYS[way](secretive, user, password)
    with pytest.raises((poplib.error_proto, smtplib.SMTPAuthenticationError)):
        log_in()
    assert not found(secretive, password.encode())
    client.close()
