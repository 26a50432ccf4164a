# SPDX-License-Identifier: ISC
"""Certificates for tests: an authority of our own, and what it signs."""
import os
import ssl

from harness import run

P256 = ('ec', 'ec_paramgen_curve:P-256')


class Authority:
    """FOLDER/ca.pem; sign() makes FOLDER/NAME.pem and NAME.key."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.pem, self.key = self.path('ca.pem'), self.path('ca.key')
        self._make('ca', '-subj', '/CN=Authority of a test', days=3)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _make(self, name, *words, algorithm=P256, days=2):
        run('openssl', 'req', '-x509', '-newkey', algorithm[0], *sum((['-pkeyopt', o] for o in algorithm[1:]), []), '-nodes', '-days', str(days),
            *words, '-keyout', self.path(f'{name}.key'), '-out', self.path(f'{name}.pem'))

    def sign(self, name, names=('mx.example.org', 'localhost'), addresses=('127.0.0.1',), **kw):
        alternative = ','.join([f'DNS:{n}' for n in names] + [f'IP:{a}' for a in addresses])
        self._make(name, '-CA', self.pem, '-CAkey', self.key, '-subj', f'/CN={name}', '-addext', f'subjectAltName={alternative}',
                   '-addext', 'basicConstraints=critical,CA:FALSE', **kw)
        return self.path(f'{name}.pem'), self.path(f'{name}.key')

    def end(self, name):
        """Makes one that signed itself of it, and that has ended."""
        pem = self.path(f'{name}.pem')
        run('openssl', 'x509', '-in', pem, '-days', '-1', '-signkey', self.path(f'{name}.key'), '-out', pem)

    def setting(self, name='mx', **kw):
        """A new certificate of the server's, as the configuration's line."""
        pem, key = self.sign(name, **kw)
        return f'tls certificate {pem} key {key}'

    def context(self):
        """For clients that trust this authority and look at the name."""
        return ssl.create_default_context(cafile=self.pem)
