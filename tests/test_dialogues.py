# SPDX-License-Identifier: ISC
"""The dialogues of another server's tests: what the client says is sent as it is, reply codes are compared, texts are
not.

Where our code differs on purpose, OURS says which it is and why; an entry that no dialogue uses any more fails.
"""
import ast
import glob
import os
import re

import pytest

from harness import DATA, Closed, Server, Smtp, as_bytes

FOLDER = os.path.join(DATA, 'smtp-dialogues')
NAMES = sorted(os.path.basename(p) for p in glob.glob(os.path.join(FOLDER, '*.cmy'))) or ['absent']

# (dialogue, the line that is answered): codes of ours, and why
OURS = {
    ('bad_data.cmy', '.'): (
        {250},
        'a line that is no header field ends the header; it is the reader of mail who judges',
    ),
    ('bad_mail_from.cmy', 'MAIL LALA: <>'): ({501}, 'the command is known, its argument is wrong (RFC 5321 4.2.4)'),
    ('bad_mail_from.cmy', 'MAIL FROM:'): ({501}, 'as above'),
    ('bad_rcpt_to.cmy', 'RCPT LALA: <>'): ({501}, 'as above'),
    ('bad_rcpt_to.cmy', 'RCPT TO:'): ({501}, 'as above'),
    ('bad_rcpt_to.cmy', 'RCPT TO:<henryⅣ@testserver>'): ({553}, 'UTF-8 without SMTPUTF8 (RFC 6531 3.5)'),
    ('line_too_long.cmy', 'HELO'): ({500}, 'line too long (RFC 5321 4.5.3.1.9)'),
    ('wrong_proto.cmy', 'GET'): ({500, 502, 421}, 'not recognised'),
    ('wrong_proto.cmy', 'POST'): ({500, 502, 421}, 'not recognised'),
    ('wrong_proto.cmy', 'CONNECT'): ({500, 502, 421}, 'not recognised'),
    ('auth_multi_dialog.cmy', 'AUTH SOMETHINGELSE'): ({504}, 'a mechanism that is not there (RFC 4954 4)'),
    ('auth_not_tls.cmy', 'AUTH PLAIN'): ({502}, 'nobody logs in on port 25, with TLS or without'),
    ('auth_too_many_failures.cmy', 'AUTH PLAIN something'): ({501}, 'limit errors is 20 unless set'),
}
used = set()


@pytest.fixture(scope='module')
def testserver():
    server = Server('limit message-size 1M', domains=['testserver'], services=('smtp', 'submissions', 'pop3')).start()
    server.account('user@testserver', 'secretpassword')
    yield server
    server.close()


def codes_allowed(name, said, code):
    for key in ((name, said), (name, said.split(' ')[0])):
        if key in OURS:
            used.add(key)
            return OURS[key][0] | {code}
    return {code}


class Dialogue:
    def __init__(self, server, name):
        self.server, self.name = server, name
        self.c, self.said = None, ''

    def step(self, line):
        verb, _, rest = line.partition(' ')
        getattr(
            self,
            {
                'tcp_connect': 'connect',
                'tls_connect': 'connect_to_submission',
                'close': 'close',
                '->': 'say',
                '~>': 'say_literally',
            }.get(verb, 'expect'),
        )(rest)

    def connect(self, _, service='smtp'):
        self.close()
        self.c = Smtp(self.server.ports[service], greet=False)

    def connect_to_submission(self, _):
        self.connect(_, 'submissions')
        self.c.handshake()

    def close(self, _=None):
        if self.c:
            self.c.close()

    def say(self, rest):
        self.said = rest
        self.c.send(as_bytes(rest) + b'\r\n')

    def say_literally(self, rest):
        self.said = rest
        self.c.send(literal(rest))

    def expect(self, rest):
        code = int(re.match(r'\d{3}', rest).group())
        reply = self.c.reply()
        allowed = codes_allowed(self.name, self.said, code)
        assert reply.code in allowed, f'after {self.said[:60]!r}: {reply!r}, expected {sorted(allowed)}'


def literal(text):
    """The few Python expressions that stand in dialogues: strings, sums and products of them."""

    def value(node):
        if isinstance(node, ast.BinOp):
            left, right = value(node.left), value(node.right)
            return left + right if isinstance(node.op, ast.Add) else left * right
        return ast.literal_eval(node)

    return value(ast.parse(text, mode='eval').body)


def steps(name):
    with open(os.path.join(FOLDER, name), encoding='utf-8') as f:
        for line in f.read().split('\n'):
            if line.startswith('c '):
                yield line[2:]


@pytest.mark.parametrize('name', NAMES)
def test_dialogue(data, testserver, name):
    lines = list(steps(name))
    dialogue = Dialogue(testserver, name)
    try:
        for line in lines:
            dialogue.step(line)
    except Closed:
        pytest.fail(f'closed after {dialogue.said[:60]!r}')
    finally:
        dialogue.close()
    testserver.check_log()


def test_deviations_are_needed(data):
    ran = {name for name, _ in used}
    assert {key for key in OURS if key[0] in ran} <= used
