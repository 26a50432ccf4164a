# SPDX-License-Identifier: ISC
"""NOTIFY=SUCCESS (RFC 3461): the sender asked to hear that his message is in the mailbox."""
import email
import email.policy

from harness import eventually, message


def reports(server, user):
    return [email.message_from_bytes(m, policy=email.policy.default) for m in server.mailbox(user)]


def test_delivered_is_reported(server):
    sender, one, two = (server.account() for _ in range(3))
    with server.smtp() as c:
        c.mail(sender, 'ENVID=x+2By RET=FULL')
        c.rcpt(one, 'NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;first@example.com')
        c.rcpt(two, 'NOTIFY=FAILURE')
        c.data(message(subject='to be told of', body='secret text'), 250)
    (report,) = eventually(lambda: reports(server, sender), 'a report')
    assert report['Return-Path'] == '<>' and report.get_param('report-type') == 'delivery-status'
    told = report.as_string()
    assert 'Action: delivered' in told and 'Status: 2.1.5' in told
    assert 'Original-Envelope-Id: x+y' in told and 'first@example.com' in told and one in told
    assert two not in told.split('Content-Description', 1)[1].split('Received:', 1)[0]
    assert 'to be told of' in told and 'secret text' not in told


def test_nobody_else_is_told(server):
    sender, reader = server.account(), server.account()
    with server.smtp() as c:
        for params in ('', 'NOTIFY=NEVER', 'NOTIFY=FAILURE,DELAY'):
            c.mail(sender)
            c.rcpt(reader, params)
            c.data(message(), 250)
        c.mail('')
        c.rcpt(reader, 'NOTIFY=SUCCESS')
        c.data(message(), 250)
        c.deliver(message('the last'), sender)
    assert [m['Subject'] for m in reports(server, sender)] == ['the last']
