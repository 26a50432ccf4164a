# SPDX-License-Identifier: ISC
"""Mail through a server of the test's own, and what the server tells of it: XFATE, which waits, so that nothing is polled; the trace; reports.

    with relaying(f'route * smtp {peer.address}') as server:
        mail = send(server, 'bob@example.com')
        assert told(mail, 'relayed').security == ''
"""
import collections
import contextlib
import email
import email.policy
import os
import re
import time

from harness import TIMEOUT, Server, Smtp, eventually, message

RETRY = 'queue retry 1s'
FINAL = ('mailbox', 'relayed', 'failed', 'discarded')

Mail = collections.namedtuple('Mail', 'server mid body to')


class Fate:
    """A line of XFATE."""

    def __init__(self, line):
        words = line.split(' ')
        self.state, self.address = words[0], unxtext(words[1])
        given = dict(w.split('=', 1) for w in words[2:])
        for name in ('at', 'due', 'status', 'host', 'security', 'original', 'reply'):
            setattr(self, name, unxtext(given.get(name.upper(), '')))

    def __repr__(self):
        return str(vars(self))


def unxtext(text):
    """RFC 3461 4."""
    raw = re.sub(rb'\+([0-9A-F]{2})', lambda m: bytes([int(m.group(1), 16)]), text.encode())
    return raw.decode()


# --- a server ---


def relay_server(settings='', make=None, **kw):
    """Programs of this machine submit to it, over a socket in its folder."""
    kw.setdefault('services', ('pop3',))
    server = make(start=False, **kw) if make else Server(**kw)
    server.submit = os.path.join(server.folder, 'submit')
    server.settings = f'listen local unix:{server.submit}\n{settings}' + ('' if 'queue retry' in settings else f'\n{RETRY}')
    server.write_config()
    return server


def start(server):
    server.start()
    server.wait_banner('local', server.submit)
    return server


@contextlib.contextmanager
def relaying(settings='', **kw):
    """Stopped and checked at the end."""
    server = relay_server(settings, **kw)
    try:
        yield start(server)
    finally:
        server.close()


# --- mail ---


def client(server):
    return Smtp(server.submit)


def send(server, *to, sender='sender@example.com', body=None, params='', rcpt_params=''):
    """Submits a message, which has to be taken."""
    body = body or message()
    with client(server) as c:
        c.mail(sender, params)
        for address in to:
            c.rcpt(address, rcpt_params)
        reply = c.data(body, 250)
        c.quit()
    return Mail(server, reply.text.split()[-1], body, to)


def fates(mail, wanted=lambda fates: True, timeout=TIMEOUT):
    """{address: Fate}, as soon as they are as wanted."""
    end, version = time.monotonic() + timeout, 0
    with Smtp(mail.server.submit, timeout=timeout + 10) as c:
        while True:
            left = int(end - time.monotonic())
            c.send(f'XFATE {mail.mid} SEEN={version} WAIT={max(left, 0)}\r\n')
            lines = [c.line().decode()]
            while lines[-1][3:4] == '-':
                lines.append(c.line().decode())
            head = re.fullmatch(r'250-VERSION=(\d+) FINAL=([01])', lines[0])
            assert head and lines[-1] == '250 End', lines
            version, final = head.groups()
            found = {f.address: f for f in (Fate(line[4:]) for line in lines[1:-1])}
            if wanted(found):
                return found
            assert left > 0 and final == '0', f'never, or not within {timeout} s: {found}\n{mail.server.log()[-2000:]}'


def told(mail, *states, timeout=TIMEOUT, address=None):
    """The fate of a recipient, or of the only one, once it is in one of the states."""
    local, domain = (address or mail.to[0]).rsplit('@', 1)
    address = f'{local}@{domain.lower()}'
    return fates(mail, lambda found: found[address].state in states, timeout)[address]


def delivered(mail, timeout=TIMEOUT):
    """Every recipient is with the next server."""
    return fates(mail, lambda found: found and all(f.state == 'relayed' for f in found.values()), timeout)


def forget(mails):
    """None of it is left for the next test."""
    for mail in mails:
        if any(f.state in ('queued', 'delayed') for f in fates(mail).values()):
            mail.server.cli('queue', 'drop', mail.mid, expect=None)


def trace(mail, event=None):
    return [row for row in mail.server.json('trace', mail.mid) if event in (None, row['event'])]


def drained(server):
    return eventually(lambda: server.balance()['queued'] == 0, 'the queue is empty')


def reports(server, user):
    return [email.message_from_bytes(m, policy=email.policy.default) for m in server.mailbox(user)]


def report(server, user):
    """The first one that arrives: (text for people, status for programs, what is returned, headers)"""
    found = eventually(lambda: reports(server, user), 'a report')
    assert len(found) == 1, found
    return found[0]


def status_fields(report):
    """Of the only recipient of a report: {name in lower case: value}"""
    [_, status, *_] = report.iter_parts()
    raw = status.as_bytes().split(b'\n\n', 1)[1]  # message/delivery-status, or message/global-delivery-status, which Python does not know
    [_, fields] = [email.message_from_bytes(group.lstrip(), policy=email.policy.default) for group in raw.strip().split(b'\n\n')]
    return {name.lower(): value for name, value in fields.items()}
