# SPDX-License-Identifier: ISC
"""Every message of three MIME libraries' tests goes in by SMTP and comes out by POP3, byte for byte but for trace
headers. Line ends are made CRLF first; what SMTP cannot carry as text (NUL, a bare CR) goes in as BINARYMIME."""
import os
import re

import pytest

from harness import DATA, Server, expected_from_pop3, split_trace

FOLDER = os.path.join(DATA, 'messages')
NO_MESSAGE = re.compile(r'(\.json|\.md|\.toml|\.rs|/ORIGIN|/COPYING.*|/[A-Z-]*LICENSE[^/]*|/\.git\w+|/LICENSES/.*)$')
LIBRARIES = ('cpython-email', 'ruby-mail', 'stalwart-mail-parser')


def messages(library):
    for top, _, names in sorted(os.walk(os.path.join(FOLDER, library))):
        for name in sorted(names):
            path = os.path.join(top, name)
            if not NO_MESSAGE.search(path):
                with open(path, 'rb') as f:
                    yield os.path.relpath(path, FOLDER), canonical(f.read())


def canonical(raw):
    """LF is CRLF; a CR that stands alone stays, it is part of the test."""
    return re.sub(rb'(?<!\r)\n', b'\r\n', raw)


def send(server, user, text):
    with server.smtp() as c:
        if b'\0' in text or b'\r' in text.replace(b'\r\n', b''):
            c.envelope(user, params='BODY=BINARYMIME')
            c.bdat(text, 250)
            return text
        c.envelope(user, params='BODY=8BITMIME')
        c.data(text, 250)
        return expected_from_pop3(text)


@pytest.fixture(scope='module')
def archive():
    server = Server(services=('smtp', 'pop3')).start()
    yield server
    server.close()


@pytest.mark.parametrize('library', LIBRARIES)
def test_library_goes_through(data, archive, library):
    user = archive.account(f'{library}@example.org')
    sent = [(name, send(archive, user, text)) for name, text in messages(library)]
    assert len(sent) >= 30, 'the folder has no messages'
    got = archive.mailbox(user)
    assert len(got) == len(sent)
    for (name, text), message in zip(sent, got):
        try:
            split_trace(message, expected_from_pop3(text))
        except AssertionError as e:
            raise AssertionError(f'{name}: {e}') from None


def test_library_is_whole(data, archive):
    archive.check_store()
    archive.check_balance()
