# SPDX-License-Identifier: ISC
"""DKIM signatures that others published: each message is verified with its lines as they are in the file (LF) and with CRLF, which is the same to us."""
import glob
import json
import os
import re

import pytest

from vectors import record, run_driver, unword, vector_file, word

NOW = 1782000000  # 2026
RFC6376_KEY = ('v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od'
               '+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB')
RFC8463_ED25519 = 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='
RFC8463_RSA = ('v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3Fu'
               'tACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB')


class Signature:
    def __init__(self, words):
        self.result, self.domain, self.selector, self.bits, self.flags, self.why = words
        self.domain, self.selector, self.why = unword(self.domain), unword(self.selector), unword(self.why)

    def __repr__(self):
        return f'{self.result} d={self.domain} s={self.selector} {self.flags} ({self.why})'


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def signatures(line):
    words = line.split()
    assert len(words) % 6 == 0, line
    return [Signature(words[i:i + 6]) for i in range(0, len(words), 6)]


def verify(message, zone, now=NOW):
    """Of each signature what the driver says. `zone`: lines for it."""
    crlf = message.replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')
    lines = zone + [f'verify {now} {word(message)}', f'verify {now} {word(crlf)}']
    as_is, mended = map(signatures, run_driver('mailauth_dkim', lines))
    assert [s.result for s in as_is] == [s.result for s in mended]
    return mended


def results(found):
    return [s.result for s in found]


# --- stalwart/mail-auth ---

STALWART_TIMES = {'005': 1667843664}  # x= is a day later


@pytest.mark.parametrize('name, signed', [('001', 2), ('002', 1), ('003', 2), ('004', 1), ('005', 1), ('006', 1)])
def test_stalwart(name, signed):
    zone, message = read(vector_file('dkim', 'stalwart', f'{name}.txt')).split(b'\n\n', 1)
    lines = [record(*line.split(' ', 1)[:1], 'TXT', line.split(' ', 1)[1]) for line in zone.decode().splitlines()]
    found = verify(message, lines, STALWART_TIMES.get(name, NOW))
    assert results(found) == ['pass'] * signed, found


def test_expired():
    zone, message = read(vector_file('dkim', 'stalwart', '005.txt')).split(b'\n\n', 1)
    name, text = zone.decode().split(' ', 1)
    found = verify(message, [record(name, 'TXT', text)])
    assert results(found) == ['fail'] and 'expired' in found[0].why


# --- chasquid ---

# Where we differ from it, and why:
CHASQUID = {
    '02-too_many_headers': ['pass'] * 7,  # it looks at five signatures of a message, we at ten
    '03-bad_message': [],  # it refuses the message; to us the header ends at the line that is none, and there is no signature in it
    '09-limited_body': ['policy', 'pass', 'pass'],  # l= leaves out a part of the body: that never passes
}
STATES = {'SUCCESS': 'pass', 'TEMPFAIL': 'temperror', 'PERMFAIL': 'permerror'}


def chasquid_zone(path):
    """NAME: TEXT, lines continued by a backslash; a name may be there several times."""
    lines = []
    if not os.path.exists(path):
        return lines
    for line in re.sub(rb'\\\n\s*', b'', read(path)).decode().splitlines():
        name, _, text = line.partition(':')
        if text.strip() == 'TEMPERROR':
            lines.append(f'timeout {word(name)}')
        elif text.strip() not in ('', 'PERMERROR'):
            lines.append(record(name, 'TXT', text.strip()))
    return lines


def chasquid_names():
    return [f'{i:02}-{n}' for i, n in enumerate((
        'rfc8463', 'too_many_headers', 'bad_message', 'bad_dkim_signature_header', 'dns_temp_error', 'dns_perm_error', 'algo_mismatch',
        'our_signature', 'limited_body', 'strict_domain_check_pass', 'strict_domain_check_fail'), 1)]


@pytest.mark.parametrize('name', chasquid_names())
def test_chasquid(name):
    message = read(vector_file('dkim', 'chasquid', f'{name}.msg'))
    base = vector_file('dkim', 'chasquid')
    found = verify(message, chasquid_zone(f'{base}/{name}.dns'))
    if name in CHASQUID:
        assert results(found) == CHASQUID[name], found
        return
    wanted = json.loads(read(f'{base}/{name}.result'))['Results']
    assert results(found) == [STATES[w['State']] for w in wanted], found
    for got, want in zip(found, wanted):
        if want['Domain']:
            assert (got.domain, got.selector) == (want['Domain'], want['Selector'])


# --- dkim_verifier, the add-on of Thunderbird ---

VERIFIER_ZONE = [
    record('brisbane._domainkey.example.com', 'TXT', RFC6376_KEY),
    record('s.flags._domainkey.example.com', 'TXT', RFC6376_KEY + '; t=s'),
    record('brisbane._domainkey.football.example.com', 'TXT', RFC8463_ED25519),
    record('test._domainkey.football.example.com', 'TXT', RFC8463_RSA),
]
# What their names say. The add-on warns of fields that are not signed, of a From that is another domain's, and of odd times: to us the first is a pass as the
# standard has it (the lists of the IETF do not sign Content-Type either), the second is DMARC's matter, and t= is only compared with our clock.
VERIFIER = {
    'dkim/added_header-date': ['fail'],
    'dkim/added_header-from': ['fail'],
    'dkim/added_header-subject': ['fail'],
    'dkim/added_header-to': ['fail'],
    'dkim/flags_s-auid_is_subdomain_of_sdid': ['permerror'],
    'fakePayPal': [],
    'ill_formed-from': [],
    'rfc6376-A.2-body_modified': ['fail'],
    'rfc6376-A.2-header_subject_modified': ['fail'],
    'rfc6376-A.2-ill_formed-missing_v': ['permerror'],
    'rfc8463-A.3-key_algo_mismatch': ['permerror', 'permerror'],
    'rfc8463-A.3': ['pass', 'pass'],
}


def verifier_wanted(name):
    """Those of arh/ are about Authentication-Results; what is signed of them is RFC 6376 A.2."""
    if name.startswith('arh/') and 'rfc6376-A.2' not in name:
        return []
    return VERIFIER.get(name, ['pass'])


def test_dkim_verifier():
    base = vector_file('dkim', 'dkim-verifier', 'test', 'data')
    files = sorted(glob.glob(f'{base}/**/*.eml', recursive=True))
    assert len(files) == 47
    for path in files:
        name = os.path.relpath(path, base)[:-len('.eml')]
        found = verify(read(path), VERIFIER_ZONE)
        assert results(found) == verifier_wanted(name), (name, found)
