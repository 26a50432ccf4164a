# SPDX-License-Identifier: ISC
"""A real Postfix, run from where ./dev deps unpacked it: nothing of it is installed, nothing of it is started by the machine."""
import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

import pytest

from harness import eventually, free_ports

CACHE = os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.join(os.environ.get('HOME', '/root'), '.cache'), 'pombo', 'postfix')
QUEUES = 'incoming active bounce corrupt defer deferred flush hold maildrop pid private public saved trace'.split()

# Told to leave messages as they are.
MAIN = '''
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
daemon_directory = {root}/usr/lib/postfix/sbin
command_directory = {root}/usr/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {folder}
sendmail_path = {root}/usr/sbin/sendmail
mail_owner = {owner}
setgid_group = {group}
import_environment = MAIL_CONFIG LD_LIBRARY_PATH LANG=C
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = postfix.example.net
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
smtp_line_length_limit = 0
header_size_limit = 10485760
message_size_limit = 52428800
message_drop_headers =
local_header_rewrite_clients =
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtp_tls_loglevel = 1
smtp_tls_security_level = may
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_rate_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
'''

MASTER = '''
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
'''


@functools.lru_cache
def root():
    """Where it is; without it, or what it needs, the test is skipped by its name."""
    smtpd = os.path.join(CACHE, 'usr/lib/postfix/sbin/smtpd')
    if not os.path.exists(smtpd):
        pytest.skip('Postfix is not there: ./dev deps fetches it')
    libraries = subprocess.run(['ldd', smtpd], capture_output=True, text=True, env=environment()).stdout
    if 'not found' in libraries:
        pytest.skip(f'Postfix lacks a library: {libraries}')
    return CACHE


def environment():
    return dict(os.environ, LD_LIBRARY_PATH=os.path.join(CACHE, 'usr/lib/postfix'))


def program(name):
    """smtp-sink, posttls-finger ..."""
    return os.path.join(root(), 'usr/sbin', name)


class Postfix:
    """settings: lines for main.cf. It takes mail for everybody from 127.0.0.0/8."""

    def __init__(self, certificate, key, settings):
        if os.geteuid() != 0:
            pytest.skip('Postfix wants to be started by root')
        self.folder = tempfile.mkdtemp(prefix='pombo-postfix-')
        os.chmod(self.folder, 0o755)
        [self.port] = free_ports(1)
        self.log_path = os.path.join(self.folder, 'log')
        self.master = None
        owner = pwd.getpwnam('uucp')
        for path in ('data', 'spool', *(f'spool/{q}' for q in QUEUES)):
            os.mkdir(os.path.join(self.folder, path), 0o755)
            if path != 'spool' and path != 'spool/pid':
                os.chown(os.path.join(self.folder, path), owner.pw_uid, -1)
        words = dict(folder=self.folder, root=root(), owner='uucp', group='games', certificate=certificate, key=key, port=self.port)
        self.write('main.cf', MAIN.format(**words) + settings + '\n')
        self.write('master.cf', MASTER.format(**words))

    def write(self, name, text):
        with open(os.path.join(self.folder, name), 'w') as f:
            f.write(text)

    def start(self):
        self.master = subprocess.Popen(
            [os.path.join(root(), 'usr/lib/postfix/sbin/master'), '-c', self.folder, '-s'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment(), start_new_session=True)
        eventually(lambda: 'daemon started' in self.log() or self.master.poll() is not None, 'Postfix starts')
        assert self.master.poll() is None, self.log()
        return self

    def log(self):
        try:
            with open(self.log_path, errors='replace') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def close(self):
        if self.master:
            self.master.send_signal(signal.SIGTERM)
            self.master.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)
