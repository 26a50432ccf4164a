# SPDX-License-Identifier: ISC
"""Signatures of ours verified by others (python3-dkim, opendkim, Mail::DKIM), and theirs by us; on messages that are hard on canonicalization."""
import base64
import os
import shutil
import subprocess

import pytest

from test_vectors_dkim import results, verify
from vectors import record, run_driver, unword, word

NOW = 1782000000
DOMAIN = 'example.org'
HEADER = (b'Received: from a.example ([192.0.2.1])\r\n\tby b.example with ESMTP;\r\n\tSat, 20 Jun 2026 08:00:00 +0000\r\n'
          b'From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: Is dinner ready?\r\nDate: Sat, 20 Jun 2026 08:00:00 +0000\r\n'
          b'Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n')
MESSAGES = {
    'plain': HEADER + b'\r\nHi.\r\n\r\nWe lost the game.\r\n',
    'empty': HEADER + b'\r\n',
    'blank-lines': HEADER + b'\r\n\r\n\r\n',
    'no-end': HEADER + b'\r\nno line end',
    'white-space': HEADER + b'\r\na  b\t c \r\n \t \r\n\tindented \t\r\n  \r\n\r\n\t\r\n',
    'folds': (b'FROM:   =?utf-8?q?Ali=C3=A7e?=\r\n\t <alice@example.org>  \r\nSubject:\r\n folded  \t twice\r\n\t here \r\nTo:b@example.net\r\n'
              b'Cc:\r\nReferences: ' + b'\r\n '.join(b'<%d@example.org>' % i for i in range(40)) + b'\r\n\r\n.dot\r\n..\r\n'),
    'blank-before-colon': HEADER + b'Cc : c@example.net\r\n\r\nHi.\r\n',
    'octets': HEADER + b'X-Odd: \xc3\xbc\xff\r\n\r\n\xff\xfe\x01 \xc3\xbc\r\n' + b'x' * 5000 + b'\r\n',
    'twice': b'List-Id: <a.example>\r\nResent-From: x@example.org\r\nResent-From: y@example.org\r\n' + HEADER + b'\r\nbody\r\n',
}


@pytest.fixture(scope='module')
def keys():
    """Of each kind: PEM and record."""
    made = {}
    for kind, line in zip(('rsa', 'ed25519'), run_driver('mailauth_dkim', ['key rsa', 'key ed25519'])):
        pem, text = map(unword, line.split())
        made[kind] = (pem, text)
    return made


def zone(keys):
    return {f'{kind}._domainkey.{DOMAIN}': text for kind, (_, text) in keys.items()}


def zone_lines(keys):
    return [record(name, 'TXT', text) for name, text in zone(keys).items()]


def signed(keys, message, kinds=('rsa', 'ed25519')):
    words = ' '.join(f'{DOMAIN} {kind} {word(keys[kind][0])}' for kind in kinds)
    fields = unword(run_driver('mailauth_dkim', [f'sign {NOW} {word(message)} {words}'])[0]).encode('latin-1')
    assert fields.count(b'DKIM-Signature:') == len(kinds)
    assert all(len(line) < 80 for line in fields.split(b'\r\n'))
    return fields + message


def message_parameters(*but):
    return pytest.mark.parametrize('name', [name for name in MESSAGES if name not in but])


@message_parameters()
def test_ours_by_ourselves(keys, name):
    assert results(verify(signed(keys, MESSAGES[name]), zone_lines(keys))) == ['pass', 'pass']


# --- python3-dkim ---

def dkimpy():
    return pytest.importorskip('dkim')


def txt(keys):
    records = zone(keys)
    return lambda name, timeout=5: records.get(name.decode().rstrip('.')).encode()


# It refuses obsolete fields with a blank before the colon (RFC 5322 4.5).
@message_parameters('blank-before-colon')
def test_ours_by_dkimpy(keys, name):
    dkim = dkimpy()
    message = signed(keys, MESSAGES[name])
    for index in (0, 1):
        assert dkim.DKIM(message).verify(index, dnsfunc=txt(keys)), index


def private_octets(keys, kind):
    """As dkimpy wants it: PEM of RSA, the 32 octets of Ed25519 in base64."""
    pem = keys[kind][0]
    if kind == 'rsa':
        return pem.encode()
    return base64.b64encode(base64.b64decode(''.join(pem.splitlines()[1:-1]))[-32:])


@pytest.mark.parametrize('canonicalize', ['relaxed/relaxed', 'simple/simple', 'relaxed/simple', 'simple/relaxed'])
@pytest.mark.parametrize('kind', ['rsa', 'ed25519'])
@message_parameters('blank-before-colon')
def test_theirs_of_dkimpy(keys, name, kind, canonicalize):
    dkim = dkimpy()
    ways = tuple(canonicalize.encode().split(b'/'))
    field = dkim.sign(MESSAGES[name], kind.encode(), DOMAIN.encode(), private_octets(keys, kind), canonicalize=ways,
                      signature_algorithm=f'{kind}-sha256'.encode())
    found = verify(field + MESSAGES[name], zone_lines(keys), NOW * 2)
    assert results(found) == ['pass'], found


# --- opendkim ---

@pytest.fixture
def opendkim(keys, tmp_path):
    program = shutil.which('opendkim', path=f'{os.environ["PATH"]}:/usr/sbin')
    if program is None:
        pytest.skip('opendkim is not installed')
    (tmp_path / 'keys').write_text(''.join(f'{name} {text}\n' for name, text in zone(keys).items()))
    (tmp_path / 'conf').write_text(f'TestPublicKeys {tmp_path}/keys\nSyslog no\nMode v\nSocket inet:1@127.0.0.1\n')

    def check(message):
        (tmp_path / 'message').write_bytes(message)
        done = subprocess.run([program, '-x', f'{tmp_path}/conf', '-t', f'{tmp_path}/message', '-v'], capture_output=True, text=True, timeout=30)
        return done.stdout + done.stderr
    return check


# In a file without a line end it finds no signature.
@pytest.mark.parametrize('kind', ['rsa', 'ed25519'])
@message_parameters('no-end')
def test_ours_by_opendkim(keys, opendkim, name, kind):
    said = opendkim(signed(keys, MESSAGES[name], (kind,)))
    assert 'verification (s=' in said and 'succeeded' in said, said


# --- Mail::DKIM ---

PERL_DNS = r'''
use Net::DNS; use MIME::Base64; use Mail::DKIM::DNS;
my %zone = map { split /\t/, $_, 2 } split /\n/, $ENV{ZONE};
no warnings 'redefine';
*Mail::DKIM::DNS::query = sub { my ($name) = @_; my $t = $zone{$name} or return;
    return (Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => [unpack '(a255)*', $t])) };
*Mail::DKIM::DNS::query_async = sub { my ($name, $type, %cb) = @_;
    my @r = Mail::DKIM::DNS::query($name, $type); my $v = $cb{Callbacks}{Success} ? $cb{Callbacks}{Success}->(@r) : \@r; return sub { $v } };
binmode STDIN; binmode STDOUT; local $/; my $message = <STDIN>;
'''
PERL_VERIFY = PERL_DNS + r'''
use Mail::DKIM::Verifier;
my $v = Mail::DKIM::Verifier->new; $v->PRINT($message); $v->CLOSE;
print join(' ', map { $_->selector . '=' . $_->result } $v->signatures), "\n";
'''
PERL_SIGN = PERL_DNS + r'''
use Mail::DKIM::Signer; use Mail::DKIM::PrivateKey;
my $pem = $ENV{PEM}; $pem =~ s/-----.*?-----|\s//g;
my $s = Mail::DKIM::Signer->new(Algorithm => 'rsa-sha256', Method => $ENV{METHOD}, Domain => 'example.org', Selector => 'rsa',
    Key => Mail::DKIM::PrivateKey->load(Data => $pem));
$s->PRINT($message); $s->CLOSE; print $s->signature->as_string;
'''


def perl(script, keys, message, **more):
    if subprocess.run(['perl', '-MMail::DKIM', '-e1'], capture_output=True).returncode != 0:
        pytest.skip('Mail::DKIM is not installed')
    env = dict(os.environ, ZONE='\n'.join(f'{n}\t{t}' for n, t in zone(keys).items()), **more)
    done = subprocess.run(['perl', '-e', script], input=message, capture_output=True, timeout=30, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def traditional(keys):
    done = subprocess.run(['openssl', 'rsa', '-traditional'], input=keys['rsa'][0], capture_output=True, text=True, timeout=30)
    return done.stdout


@message_parameters()
def test_ours_by_mail_dkim(keys, name):
    assert perl(PERL_VERIFY, keys, signed(keys, MESSAGES[name], ('rsa',))).split() == [b'rsa=pass']


# RFC 6376 3.4.3 adds a line end to a body that has none; Mail::DKIM does not.
@pytest.mark.parametrize('method', ['relaxed/relaxed', 'simple/simple'])
@message_parameters('no-end')
def test_theirs_of_mail_dkim(keys, name, method):
    field = perl(PERL_SIGN, keys, MESSAGES[name], PEM=traditional(keys), METHOD=method)
    found = verify(field.rstrip(b'\r\n') + b'\r\n' + MESSAGES[name], zone_lines(keys), NOW * 2)
    assert results(found) == ['pass'], found


# --- ARC ---

RESULTS = 'mx.example.org; spf=pass smtp.mailfrom=example.org; dkim=none reason="a;b; c"; dmarc=pass header.from=example.org'


def sealed(keys, message, kind='rsa', received=None):
    """`received`: what came, before it was changed."""
    fields = unword(run_driver('mailauth_dkim', zone_lines(keys) + [
        f'seal {NOW} {word(received or message)} {word(message)} {word(RESULTS)} {DOMAIN} {kind} {word(keys[kind][0])}'])[0]).encode('latin-1')
    assert fields.count(b'ARC-') == 3, fields
    return fields + message


def chain(keys, message):
    result, n, oldest, why, *sets = run_driver('mailauth_dkim', zone_lines(keys) + [f'arc {NOW * 2} {word(message)}'])[0].split()
    return result, int(n), int(oldest), [unword(s) for s in sets], unword(why)


@message_parameters()
def test_chain_of_ours(keys, name):
    once = sealed(keys, signed(keys, MESSAGES[name]), 'ed25519')
    twice = sealed(keys, once)
    assert chain(keys, twice) == ('pass', 2, 0, [DOMAIN, RESULTS] * 2, '')


def test_broken_chain(keys):
    """RFC 8617 5.1.2: it is sealed as broken, once."""
    changed = b'Subject: another\r\n' + sealed(keys, MESSAGES['plain'])
    assert chain(keys, changed)[0] == 'fail'
    over = sealed(keys, changed)
    assert b'cv=fail' in over and chain(keys, over)[0] == 'fail'
    assert run_driver('mailauth_dkim', [f'seal {NOW} {word(over)} {word(over)} % {DOMAIN} rsa {word(keys["rsa"][0])}']) == ['%']


def test_full_chain(keys):
    message = MESSAGES['empty']
    for _ in range(50):
        message = sealed(keys, message, 'ed25519')
    assert chain(keys, message)[:3] == ('pass', 50, 0)
    said = run_driver('mailauth_dkim', [f'seal {NOW} {word(message)} {word(message)} % {DOMAIN} rsa {word(keys["rsa"][0])}'])
    assert said == ['limit']


def test_chain_of_a_list(keys):
    """Who changes the message seals it after that: the chain holds, and says since when the message is what was signed."""
    received = sealed(keys, MESSAGES['plain'])
    forwarded = sealed(keys, received + b'footer\r\n', 'rsa', received)
    assert chain(keys, forwarded)[:3] == ('pass', 2, 2)


@message_parameters('blank-before-colon')
def test_our_chain_by_dkimpy(keys, name):
    dkim = dkimpy()
    message = sealed(keys, sealed(keys, MESSAGES[name]))
    result, _, why = dkim.arc_verify(message, dnsfunc=txt(keys))
    assert result == b'pass', why


@message_parameters('blank-before-colon')
def test_chain_of_dkimpy(keys, name):
    dkim = dkimpy()
    message = b'Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.org\r\n' + MESSAGES[name]
    fields = dkim.arc_sign(message, b'rsa', DOMAIN.encode(), private_octets(keys, 'rsa'), b'mx.example.org',
                           timestamp=NOW)
    once = b''.join(fields) + message
    assert chain(keys, once)[:3] == ('pass', 1, 0)
    assert chain(keys, sealed(keys, once))[:3] == ('pass', 2, 0)


PERL_CHAIN = PERL_DNS + r'''
use Mail::DKIM::ARC::Verifier;
my $v = Mail::DKIM::ARC::Verifier->new(Strict => 1); $v->PRINT($message); $v->CLOSE; print $v->result_detail;
'''
PERL_SEAL = PERL_DNS + r'''
use Mail::DKIM::ARC::Signer; use Mail::DKIM::PrivateKey;
my $pem = $ENV{PEM}; $pem =~ s/-----.*?-----|\s//g;
my $s = Mail::DKIM::ARC::Signer->new(Algorithm => 'rsa-sha256', Chain => 'none', Domain => 'example.org', SrvId => 'mx.example.org', Selector => 'rsa',
    Key => Mail::DKIM::PrivateKey->load(Data => $pem));
$s->PRINT($message); $s->CLOSE; die $s->{details} if $s->result ne 'sealed'; print $s->as_string;
'''


@message_parameters()
def test_our_chain_by_mail_dkim(keys, name):
    message = sealed(keys, sealed(keys, MESSAGES[name]))
    assert perl(PERL_CHAIN, keys, message).startswith(b'pass')


@message_parameters()
def test_chain_of_mail_dkim(keys, name):
    message = b'Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.org\r\n' + MESSAGES[name]
    fields = perl(PERL_SEAL, keys, message, PEM=traditional(keys))
    once = fields.rstrip(b'\r\n') + b'\r\n' + message
    assert chain(keys, once)[:3] == ('pass', 1, 0), chain(keys, once)
