# SPDX-License-Identifier: ISC
"""The vectors of publicsuffix.org, against the list that the system has, or libpsl's own."""
import os
import re

from vectors import run_driver, unword, vector_file, word

LIST = '/usr/share/publicsuffix/public_suffix_list.dat'


def a_labels(name):
    """IDNA 2008 and 2003 differ in none of these."""
    return '.'.join(label.encode('idna').decode() for label in name.lower().split('.'))


def test_check_public_suffix():
    with open(vector_file('publicsuffix', 'test_psl.txt'), encoding='utf-8') as f:
        found = re.findall(r"^checkPublicSuffix\((null|'.*?'), (null|'.*?')\);$", f.read(), re.M)
    cases = [(name.strip("'") if name != 'null' else '', want.strip("'") if want != 'null' else '') for name, want in found]
    assert len(cases) == 78
    answers = run_driver('mailauth_public_suffix', [word(name) for name, _ in cases], [LIST] if os.path.exists(LIST) else [])
    faults = [f'{name}: {got}, wanted {want}' for (name, want), got in zip(cases, answers)
              if unword(got) != (a_labels(want) if want else '')]
    assert not faults and len(answers) == 78, '\n'.join(faults)
