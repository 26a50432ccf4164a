# SPDX-License-Identifier: ISC
"""isemail's addresses as reverse-path and forward-path. Its categories are about RFC 5322 and the DNS too; RFC 5321's
grammar of paths knows no comments, no folding white space, no obsolete forms and no literals but those of IPv4 and
IPv6."""
import os
import re
import xml.etree.ElementTree as ElementTree

import pytest

from harness import DATA

PATH = os.path.join(DATA, 'addresses', 'tests.xml')
VALID = ('ISEMAIL_VALID_CATEGORY', 'ISEMAIL_DNSWARN', 'ISEMAIL_RFC5321')


def addresses():
    if not os.path.exists(PATH):
        return []
    cases = []
    for test in ElementTree.parse(PATH).iter('test'):
        # control characters are written as their symbols, U+2400 and above
        text = re.sub(
            '[\u2400-\u241f\u2421]',
            lambda m: chr(127 if m[0] == '\u2421' else ord(m[0]) - 0x2400),
            test.findtext('address') or '',
        )
        cases.append(
            pytest.param(text, test.findtext('category') in VALID, id=f'{test.get("id")}-{test.findtext("diagnosis")}')
        )
    return cases


def verdict(c, command):
    """The reply to one command whose argument may hold line ends: what comes behind them is read away."""
    c.send(command.encode() + b'\r\nQUIT\r\n')
    first = reply = c.reply()
    while reply.code != 221:
        reply = c.reply()
    return first


@pytest.mark.parametrize(
    'address, valid', addresses() or [pytest.param('', False, marks=pytest.mark.skip(f'{PATH} is absent'))]
)
def test_address(server, address, valid):
    with server.smtp() as c:
        reply = verdict(c, f'MAIL FROM:<{address}>')
        if address:  # <> is a reverse-path (RFC 5321 4.5.5)
            assert (reply.code == 250) == valid, reply
            assert valid or reply.code in (500, 501, 553), reply
    with server.smtp() as c:
        c.mail()
        reply = verdict(c, f'RCPT TO:<{address}>')
        assert reply.code // 100 == 5
        assert valid == (reply.code == 550), reply  # a mailbox, but none of ours
