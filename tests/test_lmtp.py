# SPDX-License-Identifier: ISC
"""LMTP (RFC 2033): as SMTP, but a reply for each recipient after the message."""
import os
import smtplib
import stat

from harness import message, split_trace


def test_lhlo(server):
    with server.lmtp() as c:
        c.quit()
    with server.lmtp(greet=False) as c:
        c.expect(220)
        c.cmd('HELO client.example.com', 500, 502, 503)
        c.cmd('EHLO client.example.com', 500, 502, 503)
        words = c.cmd('LHLO client.example.com', 250).text
        assert 'PIPELINING' in words and 'ENHANCEDSTATUSCODES' in words and '8BITMIME' in words  # RFC 2033 5


def test_a_reply_for_each_recipient(server):
    users = [server.account() for _ in range(3)]
    text = message('lmtp')
    with server.lmtp() as c:
        c.envelope(users[0], users[1])
        c.rcpt('nobody-here@example.org', expect=550)  # gets none after the message
        c.rcpt(users[2])
        c.data(text, 250)
        c.expect(250)
        c.expect(250)
        c.quit()
    for user in users:
        [got] = server.mailbox(user)
        assert b' with LMTP' in b' '.join(split_trace(got, text).split())


def test_unix_socket(server, user):
    text = message('unix')
    assert stat.S_IMODE(os.stat(server.lmtp_path).st_mode) == 0o660
    with server.lmtp(unix=True) as c:
        c.deliver(text, user)
        c.quit()
    split_trace(server.mailbox(user)[0], text)


def test_bdat_answers_each_recipient_at_the_last_chunk(server):
    """RFC 3030 section 2 with RFC 2033 4.2."""
    users = [server.account() for _ in range(2)]
    text = message('chunks')
    with server.lmtp() as c:
        c.envelope(*users)
        c.bdat(text[:20], 250, last=False)
        c.bdat(text[20:], 250)
        c.expect(250)
        c.cmd('NOOP', 250)
    for user in users:
        split_trace(server.mailbox(user)[0], text)


def test_data_without_recipients(server):
    with server.lmtp() as c:
        c.mail()
        c.cmd('DATA', 503)  # RFC 2033 4.2


def test_client_smtplib_lmtp(server, user):
    with smtplib.LMTP(server.lmtp_path) as s:
        assert s.sendmail('sender@example.com', [user], message('smtplib').decode()) == {}
    assert len(server.mailbox(user)) == 1
