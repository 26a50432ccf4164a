# SPDX-License-Identifier: ISC
"""Who sent it: SPF, DKIM, DMARC and ARC of mail that comes in, with the DNS of dnsworld.py; what is written into its header, what is kept for
`pombo explain`, and the signatures of mail that leaves."""
import base64
import email
import email.policy
import os
import re
import shutil
import sqlite3
import subprocess
import time

import pytest

from harness import eventually, message
from peer import Peer
from relaying import relay_server, start, told, send

dkim = pytest.importorskip('dkim', reason='python3-dkim is not installed')
dnsworld = pytest.importorskip('dnsworld', reason='python3-dnspython is not installed')

HERE, ELSEWHERE = '127.0.0.31', '127.0.0.32'  # SPF lets the first one send
SETTINGS = 'authenticate yes\nspam judge no\ndmarc-reports off\npublic-suffix-list no'


@pytest.fixture(scope='module')
def key(tmp_path_factory):
    """An RSA key in PEM, and its record."""
    path = str(tmp_path_factory.mktemp('dkim') / 'key')
    subprocess.run(['openssl', 'genrsa', '-traditional', '-out', path, '2048'], check=True, capture_output=True)
    public = subprocess.run(['openssl', 'rsa', '-in', path, '-pubout', '-outform', 'DER'], check=True, capture_output=True).stdout
    with open(path, 'rb') as f:
        return f.read(), 'v=DKIM1; k=rsa; p=' + base64.b64encode(public).decode()


@pytest.fixture(scope='module')
def second_key():
    """An Ed25519 key as python3-dkim takes it, and its record."""
    made = subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519', '-outform', 'DER'], check=True, capture_output=True).stdout
    public = subprocess.run(['openssl', 'pkey', '-inform', 'DER', '-pubout', '-outform', 'DER'], input=made, check=True, capture_output=True).stdout
    return base64.b64encode(made[-32:]), 'v=DKIM1; k=ed25519; p=' + base64.b64encode(public[-32:]).decode()


def txt(name, text):
    return f'{name} TXT ' + ' '.join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))


@pytest.fixture(scope='module')
def world(session_dns, key, second_key):
    spf = f'"v=spf1 ip4:{HERE} -all"'
    lines = [f'{name} TXT {spf}' for name in ('plain', 'none', 'junk', 'reject', 'test', 'silent', 'lists')]
    lines += [txt(f's1._domainkey.{name}', key[1]) for name in ('reject', 'lists')]
    lines += [txt('s3._domainkey.reject', second_key[1]), '_dmarc TXT "v=DMARC1; p=none; psd=n"']
    for name, policy in (('none', 'p=none; rua=mailto:dmarc@none.auth.test'), ('junk', 'p=quarantine'), ('reject', 'p=reject'), ('test', 'p=reject; t=y'),
                         ('silent', 'p=reject')):
        lines.append(f'_dmarc.{name} TXT "v=DMARC1; {policy}"')
    session_dns.zone('auth.test', *lines)
    session_dns.load()
    return session_dns


@pytest.fixture(scope='module')
def authentic(world):
    from harness import Server

    server = Server(
        SETTINGS + '\narc trust lists.auth.test\n' + world.settings,
        domains=['example.org { dkim off }', 'soft.example { dkim off dmarc junk }', 'deaf.example { dkim off dmarc ignore }'],
    ).start()
    yield server
    server.close()


@pytest.fixture
def server(authentic, world):
    yield authentic
    world.scripts.clear()
    authentic.check_log()
    authentic.check_balance()


def mail(domain, subject='test', **fields):
    return message(subject, **fields).replace(b'sender@example.com>', b'bob@' + domain.encode() + b'>', 1)


def post(server, text, *to, sender='', source=HERE, expect=250):
    with server.smtp(source=source) as c:
        c.envelope(*to, sender=sender)
        return c.data(text, *(expect if isinstance(expect, tuple) else (expect,)))


def last(server, user):
    return email.message_from_bytes(server.mailbox(user)[-1], policy=email.policy.default)


def results(m):
    """The one Authentication-Results of ours, unfolded."""
    ours = [re.sub(r'\s+', ' ', v) for v in m.get_all('Authentication-Results', []) if v.strip().lower().startswith('mx.example.org')]
    assert len(ours) == 1, ours
    return ours[0]


def boxes(server, mid):
    """Names of the mailboxes that show the message."""
    with sqlite3.connect(f'file:{server.data}/pombo.db?mode=ro', uri=True) as db:
        return [row[0] for row in db.execute('SELECT mailbox.name FROM item JOIN mailbox ON mailbox.id = item.mailbox WHERE item.message = ?', (mid_number(mid),))]


def findings(server, mid):
    """[(kind, name, result, points, evidence)], of a message that was accepted or refused; what is refused is written down a moment later."""

    def read():
        with sqlite3.connect(f'file:{server.data}/pombo.db?mode=ro', uri=True) as db:
            return db.execute('SELECT text FROM finding WHERE message = ?', (mid_number(mid),)).fetchone()

    text = eventually(read, f'the findings of {mid}')[0]
    text = text.decode() if isinstance(text, bytes) else text
    return [line.split(' ', 4) for line in text.splitlines()]


def found(server, mid, name):
    """Of the first finding of that name: its result and evidence."""
    return next((f[2], f[4]) for f in findings(server, mid) if f[1] == name)


def mid_number(text):
    n = 0
    for c in text:
        n = n * 32 + '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.index(c)
    return n


def mid_of(reply):
    return re.search(r'(?:queued as|id) (\w+)$', reply.text).group(1)


def signed(text, key, domain='reject.auth.test'):
    field = dkim.sign(text, b's1', domain.encode(), key[0], include_headers=[b'From', b'Subject', b'Date', b'To', b'Message-ID'])
    return field + text


def signed_ed25519(text, key, domain='reject.auth.test'):
    return dkim.sign(text, b's3', domain.encode(), key[0], signature_algorithm=b'ed25519-sha256', include_headers=[b'From', b'Subject', b'Date']) + text


# --- mail that comes in ---


def test_spf(server):
    user = server.account()
    post(server, mail('none.auth.test'), user, sender='bob@none.auth.test')
    text = results(last(server, user))
    assert 'spf=pass' in text and 'dmarc=pass' in text and 'smtp.mailfrom=bob@none.auth.test' in text
    post(server, mail('none.auth.test'), user, sender='bob@none.auth.test', source=ELSEWHERE)
    text = results(last(server, user))
    assert 'spf=fail' in text and 'dmarc=fail' in text and 'dkim=none' in text


def test_dkim(server, key):
    """From where SPF would not let it come, and still from who it says."""
    user = server.account()
    text = signed(mail('reject.auth.test'), key)
    post(server, text, user, sender='other@elsewhere.test', source=ELSEWHERE)
    got = results(last(server, user))
    assert 'dkim=pass' in got and 'header.d=reject.auth.test' in got and 'dmarc=pass' in got
    reply = post(server, text.replace(b'Hello.', b'Hullo.'), user, sender='other@elsewhere.test', source=ELSEWHERE, expect=550)
    assert reply.status == '5.7.1'


def test_dkim_twice(server, key, second_key):
    """A domain that signs with RSA and Ed25519 proves it with one of them; the other one when that fails."""
    user = server.account()
    text = signed(mail('reject.auth.test'), key)
    both = signed_ed25519(text, second_key)
    mid = mid_of(post(server, both, user, sender='other@elsewhere.test', source=ELSEWHERE))
    got = results(last(server, user))
    assert got.count('dkim=') == 1 and 'dkim=pass' in got and 'header.s=s1' in got and 'dmarc=pass' in got
    result, evidence = next((f[2], f[4]) for f in findings(server, mid) if f[1] == 'dkim' and f[2] != 'pass')
    assert result == 'skipped' and 'selector s3' in evidence and 'selector s1 proves the same' in evidence
    spoilt = re.sub(rb'(s=s1;.*?\sb=)(.)', lambda m: m[1] + (b'A' if m[2] != b'A' else b'B'), both, count=1, flags=re.S)
    post(server, spoilt, user, sender='other@elsewhere.test', source=ELSEWHERE)
    got = results(last(server, user))
    assert got.count('dkim=') == 2 and 'dkim=fail' in got and 'dkim=pass' in got and 'header.s=s3' in got and 'dmarc=pass' in got


def test_policy_reject(server):
    user = server.account()
    reply = post(server, mail('reject.auth.test'), user, sender='bob@reject.auth.test', source=ELSEWHERE, expect=550)
    assert reply.status == '5.7.1'
    assert 'policy of reject.auth.test (DMARC)' in reply.text and 'neither SPF nor DKIM' in reply.text
    assert server.mailbox(user) == []
    mid = mid_of(reply)
    assert found(server, mid, 'spf')[0] == 'fail'
    result, evidence = [(f[2], f[4]) for f in findings(server, mid) if f[0] == 'decision'][0]
    assert result == 'reject' and 'a DKIM signature of reject.auth.test' in evidence


def test_findings_of_what_is_accepted(server):
    user = server.account()
    mid = mid_of(post(server, mail('none.auth.test'), user, sender='bob@none.auth.test'))
    assert found(server, mid, 'spf') == ('pass', f'{HERE} may send for none.auth.test (ip4:{HERE})')
    assert found(server, mid, 'dkim') == ('none', 'the message has no DKIM signature')
    assert found(server, mid, 'dmarc')[0] == 'pass'
    assert [f[2] for f in findings(server, mid) if f[0] == 'decision'] == ['deliver']


def test_policy_quarantine(server):
    user = server.account()
    reply = post(server, mail('junk.auth.test'), user, sender='bob@junk.auth.test', source=ELSEWHERE)
    assert boxes(server, mid_of(reply)) == ['Junk']
    reply = post(server, mail('junk.auth.test'), user, sender='bob@junk.auth.test')
    assert boxes(server, mid_of(reply)) == ['INBOX']


def test_policy_under_test(server):
    """t=y: the next weaker one."""
    user = server.account()
    reply = post(server, mail('test.auth.test'), user, sender='bob@test.auth.test', source=ELSEWHERE)
    assert boxes(server, mid_of(reply)) == ['Junk']


def test_policy_of_the_recipients_domain(server):
    soft, deaf, own = server.account('s@soft.example'), server.account('d@deaf.example'), server.account()
    for to, box in ((soft, 'Junk'), (deaf, 'INBOX')):
        reply = post(server, mail('reject.auth.test'), to, sender='bob@reject.auth.test', source=ELSEWHERE)
        assert boxes(server, mid_of(reply)) == [box]
    reply = post(server, mail('reject.auth.test'), own, deaf, sender='bob@reject.auth.test', source=ELSEWHERE)
    assert sorted(boxes(server, mid_of(reply))) == ['INBOX', 'Junk']


def test_no_policy(server):
    user = server.account()
    post(server, mail('nothing.test'), user, sender='bob@nothing.test', source=ELSEWHERE)
    assert 'dmarc=none' in results(last(server, user))


# --- what others write ---


def test_bad_input_84_forged_results(server):
    user = server.account()
    forged = (
        b'Authentication-Results: mx.example.org; dmarc=pass header.from=reject.auth.test\r\n'
        b'AUTHENTICATION-RESULTS: (a (comment)) "MX.Example.ORG" 1;\r\n spf=pass smtp.mailfrom=x\r\n'
        b'Pombo-Sender: verified\r\n'
        b'Authentication-Results: other.example; dmarc=fail\r\n'
    )
    post(server, forged + mail('plain.auth.test'), user, sender='bob@plain.auth.test', source=ELSEWHERE)
    got = last(server, user)
    assert 'spf=fail' in results(got)
    assert len(got.get_all('Authentication-Results')) == 2
    assert 'verified' not in str(got.get('Pombo-Sender', ''))


def test_forged_results_behind_a_line_that_is_no_field(server):
    """Whoever reads that as a part of the header would believe it."""
    user = server.account()
    lines = b'From: bob@none.auth.test\r\nX-Folded: a\r\nlost\r\nAuthentication-Results: mx.example.org; dmarc=pass\r\n'
    reply = post(server, lines + mail('none.auth.test'), user, sender='bob@none.auth.test', expect=554)
    assert reply.status == '5.6.0'


def test_a_first_line_that_goes_on(server):
    """What stands in front of a message without a header is ours, and ends before it."""
    user = server.account('first@deaf.example')
    results = b'Authentication-Results: mx.example.org; dmarc=pass header.from=bank.test\r\n'
    for line in (b'\t; dmarc=pass header.from=bank.test\r\n', b'lost\r\n' + results, b' \r\nFrom: boss@bank.test\r\n' + results):
        post(server, line + mail('none.auth.test'), user, sender='bob@none.auth.test')
        got = last(server, user)
        assert 'bank.test' not in ' '.join(got.values()) and 'bank.test' in got.get_payload()


@pytest.mark.parametrize(
    'first, second', [('bob@none.auth.test', 'boss@reject.auth.test'), ('boss@reject.auth.test', 'boss@reject.auth.test')]
)
def test_bad_input_85_two_from(server, first, second):
    user = server.account()
    text = b'From: ' + first.encode() + b'\r\n' + message().replace(b'Sender <sender@example.com>', second.encode())
    reply = post(server, text, user, sender=first, expect=550)
    assert reply.status == '5.7.1' and 'several From' in reply.text


def test_one_from_with_two_addresses(server):
    user = server.account()
    text = message().replace(b'Sender <sender@example.com>', b'bob@none.auth.test, boss@reject.auth.test')
    reply = post(server, text, user, sender='bob@none.auth.test')
    assert boxes(server, mid_of(reply)) == ['Junk']


@pytest.mark.parametrize(
    'line',
    [
        'From: bob@none.auth.test, boss@reject.auth.test',
        'From: boss@reject.auth.test, bob@none.auth.test',
        'From: friends: bob@none.auth.test, boss@reject.auth.test;',
        'From : boss@reject.auth.test',
        'From: =?utf-8?q?boss=40reject.auth.test?= <bob@none.auth.test>',
        'From: <bob@none.auth.test> <boss@reject.auth.test>',
        'From: boss@reject.auth.test <bob@none.auth.test>',
        'From:',
    ],
)
def test_bad_input_85_authors_that_are_none(server, line):
    """What one program shows, another one does not: nobody takes it for proved. Where it can be read in one way only, that is what counts."""
    user = server.account()
    text = message().replace(b'From: Sender <sender@example.com>', line.encode())
    with server.smtp(source=HERE) as c:
        c.envelope(user, sender='bob@none.auth.test')
        reply = c.data(text)
    if reply.code == 250:
        assert boxes(server, mid_of(reply)) == ['Junk'], findings(server, mid_of(reply))
        assert found(server, mid_of(reply), 'dmarc')[0] != 'pass'


def test_a_name_that_is_an_address(server):
    """Quoted, it is a name and nothing else."""
    user = server.account()
    post(server, message().replace(b'Sender <sender@example.com>', b'"boss@reject.auth.test" <bob@none.auth.test>'), user, sender='bob@none.auth.test')
    assert 'dmarc=pass' in results(last(server, user)) and 'header.from=none.auth.test' in results(last(server, user))


def test_from_our_front(server):
    """LMTP: who handed it on is trusted, nobody is refused."""
    user = server.account()
    with server.lmtp() as c:
        c.envelope(user, sender='bob@reject.auth.test')
        reply = c.data(mail('reject.auth.test'), 250)
    assert boxes(server, mid_of(reply)) == ['INBOX']
    text = results(last(server, user))
    assert 'spf=' not in text and 'dmarc=fail' in text


# --- who handed it on ---


def test_arc(server, key):
    """A mailing list changed it; it is trusted, and says that it was authentic when it came there."""
    user = server.account()
    seen = b'lists.auth.test; dmarc=pass header.from=reject.auth.test'
    text = mail('reject.auth.test', subject='[list] test')
    text = b'Authentication-Results: ' + seen + b'\r\n' + text
    for sealer, expect in (('lists.auth.test', 250), ('reject.auth.test', 550)):
        seal = dkim.arc_sign(text, b's1', sealer.encode(), key[0], b'lists.auth.test', include_headers=[b'from', b'subject', b'date', b'to'])
        post(server, b''.join(seal) + text, user, sender=f'list@{sealer}', source=ELSEWHERE, expect=expect)
    assert 'arc=pass' in results(last(server, user))


# --- a DNS that does not answer ---


def test_dead_dns(server, world):
    """The session goes on in time; what nobody could say is a temporary error."""
    user = server.account()
    for name in ('dead.auth.test', '_dmarc.dead.auth.test', '_dmarc.auth.test'):
        world.script(name, dnsworld.silence)
    begin = time.monotonic()
    post(server, mail('dead.auth.test'), user, sender='bob@dead.auth.test')
    assert time.monotonic() - begin < 28
    text = results(last(server, user))
    assert 'spf=temperror' in text and 'dmarc=temperror' in text


def test_key_that_cannot_be_had(server, world, key):
    """The policy is to reject, and whether it fails is not known: later."""
    user = server.account()
    world.script('s2._domainkey.reject.auth.test', dnsworld.rcode('SERVFAIL'))
    text = signed(mail('reject.auth.test'), key).replace(b's=s1', b's=s2')
    reply = post(server, text, user, sender='x@elsewhere.test', source=ELSEWHERE, expect=451)
    assert reply.status == '4.7.1'


# --- the judge ---


@pytest.fixture(scope='module')
def judged(world):
    """Every message without a date is spam, without a subject junk, without a message-id suspicious."""
    from harness import Server

    rules = '\n'.join(f'rule {name} points {points}' for name, points in (
        ('date-missing', 30), ('subject-empty', 8), ('id-missing', 4.5), ('ptr-none', 0), ('dkim-none', 0), ('helo-unknown', 0), ('date-future', 0), ('date-old', 0), ('net-good', 0), ('domain-good', 0), ('net-bad', 0), ('domain-bad', 0)))
    settings = f'authenticate yes\ndmarc-reports off\npublic-suffix-list no\nspam greylist-delay 1s\n{rules}\n{world.settings}'
    server = Server(settings, domains=['example.org { dkim off }', 'patient.example { dkim off reject never }']).start()
    yield server
    server.close()


def without(field, domain='none.auth.test'):
    return re.sub(rf'{field}:.*\r\n'.encode(), b'', mail(domain))


def test_nothing_against_it(judged):
    user = judged.account()
    reply = post(judged, mail('none.auth.test'), user, sender='bob@none.auth.test')
    assert boxes(judged, mid_of(reply)) == ['INBOX'], findings(judged, mid_of(reply))


def test_spam_is_refused(judged):
    user, patient = judged.account(), judged.account('p@patient.example')
    reply = post(judged, without('Date'), user, sender='bob@none.auth.test', expect=550)
    assert reply.status == '5.7.1' and 'date-missing 30' in reply.text
    decision = [f for f in findings(judged, mid_of(reply)) if f[0] == 'decision'][0]
    assert decision[2] == 'reject' and 'fewer would have changed it' in decision[4]
    reply = post(judged, without('Date'), patient, sender='bob@none.auth.test')
    assert boxes(judged, mid_of(reply)) == ['Junk']


def test_junk(judged):
    user = judged.account()
    reply = post(judged, without('Subject'), user, sender='bob@none.auth.test')
    assert boxes(judged, mid_of(reply)) == ['Junk']
    rows = judged.json('explain', mid_of(reply))
    assert [r['points'] for r in rows if r.get('name') == 'subject-empty'] == ['8']


def test_header_of_junk(world, make_server):
    """Where accounts are read by POP3, junk goes to the inbox, and says so itself; what others say of it goes."""
    server = make_server(f'authenticate yes\nspam junk-to inbox\nrule subject-empty points 8\ndmarc-reports off\n{world.settings}', domains=['example.org { dkim off }'])
    user = server.account()
    post(server, b'X-Spam-Flag: NO\r\nX-Spam-Status: No, really\r\n' + without('Subject'), user, sender='bob@none.auth.test')
    got = last(server, user)
    assert got.get_all('X-Spam-Flag') == ['YES'] and len(got.get_all('X-Spam-Status')) == 1
    assert re.match(r'Yes, score=[\d.]+ subject-empty 8', got['X-Spam-Status'])
    post(server, mail('junk.auth.test'), user, sender='bob@junk.auth.test', source=ELSEWHERE)
    assert re.match(r'Yes, score=[\d.]+ policy of junk.auth.test \(DMARC\), dmarc-fail\s2.5', last(server, user)['X-Spam-Status'])


def test_greylisting(judged):
    """Once: who comes back after the delay is let in."""
    user = judged.account()
    text = without('Message-ID')
    reply = post(judged, text, user, sender='bob@none.auth.test', expect=(2, 4))
    assert reply.status == '4.7.1' and 'try again' in reply.text, '\n'.join(' '.join(f) for f in findings(judged, mid_of(reply)))

    def again():
        with judged.smtp(source=HERE) as c:
            c.envelope(user, sender='bob@none.auth.test')
            return c.data(text).code == 250

    eventually(again, 'let in')
    assert len(judged.mailbox(user)) == 1


# --- mail that leaves ---


def publish(world, server, domain):
    """The records of a domain's keys, as the server's own command prints them."""
    out = server.cli('dns', domain, expect=None).stdout
    lines = [line for line in out.splitlines() if '._domainkey.' in line and not line.startswith(';')]
    assert len(lines) == 2, out
    world.zone(domain, *lines)
    world.load()


def records(world):
    """For python3-dkim: TXT records of our DNS."""
    import dns.message
    import dns.query

    def ask(name, timeout=5):
        answer = dns.query.udp(dns.message.make_query(name.decode(), 'TXT'), '127.0.0.1', port=world.port, timeout=timeout)
        return b''.join(b''.join(r.strings) for rrset in answer.answer for r in rrset if r.rdtype == 16)

    return ask


def test_submission_is_signed(world, make_server):
    domain = 'signs.test'
    with Peer() as peer:
        server = relay_server(f'{SETTINGS}\n{world.settings}\nroute * smtp {peer.address}', make_server, domains=[domain])
        start(server)
        publish(world, server, domain)
        sent = send(server, 'bob@elsewhere.test', sender=f'alice@{domain}', body=mail(domain))
        told(sent, 'relayed')
        text = peer.deliveries[-1].data
        assert text.count(b'DKIM-Signature:') == 2
        for i in range(2):
            assert dkim.DKIM(text).verify(idx=i, dnsfunc=records(world))
        assert ('dkim-sign', 'signed') in [(f[1], f[2]) for f in findings(server, sent.mid)]


def test_keys_of_many_domains(world, make_server):
    """They are told to other processes all at once."""
    server = make_server(f'authenticate yes\nspam judge no\n{world.settings}', start=False, domains=['d0.example { dkim rsa }'])
    server.start()
    server.stop()
    folder = os.path.join(server.data, 'keys', 'dkim')
    [name] = os.listdir(folder)
    server.domains = [f'd{i}.example {{ dkim rsa }}' for i in range(800)]
    for i in range(1, 800):
        shutil.copy2(os.path.join(folder, name), os.path.join(folder, name.replace('d0.example', f'd{i}.example')))
    server.write_config()
    server.start()
    user = server.account('user@d799.example')
    post(server, mail('none.auth.test'), user, sender='bob@none.auth.test')


def test_keys_are_made_beside_the_rest(world, make_server):
    """The server serves before all of them are there."""
    server = make_server(f'authenticate yes\nspam judge no\n{world.settings}', domains=[f'd{i}.example {{ dkim rsa }}' for i in range(60)])
    folder = os.path.join(server.data, 'keys', 'dkim')
    assert len(os.listdir(folder)) < 60
    server.cli('dns', 'd59.example', expect=None)
    assert any('d59.example' in name for name in os.listdir(folder))
    user = server.account('user@d59.example')
    post(server, mail('none.auth.test'), user, sender='bob@none.auth.test')


def test_mail_from_others_is_sealed(world, make_server):
    """Who it is handed on to sees what was found out here."""
    domain = 'seals.test'
    server = make_server(f'{SETTINGS}\narc seal yes\n{world.settings}', domains=[domain])
    user = server.account(f'user@{domain}')
    publish(world, server, domain)
    post(server, mail('none.auth.test'), user, sender='bob@none.auth.test')
    result, sets, why = dkim.arc_verify(server.mailbox(user)[0], dnsfunc=records(world))
    assert result == b'pass' and len(sets) == 1, (result, why)
    assert sets[0]['as-domain'] == domain.encode()
