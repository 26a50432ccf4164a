# SPDX-License-Identifier: ISC
"""Links between processes that break while both live: they are made again, and nobody has to die for it."""
import ctypes
import os
import re
import socket

import pytest

from harness import eventually, message

PIDFD_OPEN, PIDFD_GETFD = 434, 438
MONITOR = (3, 4)  # its link has these descriptors in every process
libc = ctypes.CDLL(None, use_errno=True)


def syscall(number, *args):
    result = libc.syscall(number, *args)
    if result < 0:
        pytest.skip(f'no descriptors of other processes: {os.strerror(ctypes.get_errno())}')
    return result


def unix_streams():
    """Inodes of the sockets that links are made of."""
    with open('/proc/net/unix') as f:
        return {line.split()[6] for line in f.readlines()[1:] if line.split()[4] == '0001'}


def links_of(pid):
    """Copies of a process's ends of links to its siblings."""
    pidfd, streams, found = syscall(PIDFD_OPEN, pid, 0), unix_streams(), []
    for fd in map(int, os.listdir(f'/proc/{pid}/fd')):
        target = re.fullmatch(r'socket:\[(\d+)\]', os.readlink(f'/proc/{pid}/fd/{fd}'))
        if target and target.group(1) in streams and fd not in MONITOR:
            copy = socket.socket(fileno=syscall(PIDFD_GETFD, pidfd, fd, 0))
            if not copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.append(copy)
            else:
                copy.close()
    os.close(pidfd)
    assert found
    return found


def shut_down(sock):
    sock.shutdown(socket.SHUT_RDWR)


def say_nonsense(sock):
    sock.send(b'\xff\xff\xff\xff nonsense')


def works(server, user):
    """Through edge, filter, store and keys."""
    before = len(server.mailbox(user))
    with server.smtp() as c:
        c.deliver(message(), user)
        c.quit()
    return len(server.mailbox(user)) == before + 1


@pytest.mark.parametrize('damage', [shut_down, say_nonsense])
@pytest.mark.parametrize('role', ['store', 'keys', 'filter'])
def test_a_link_that_breaks(make_server, role, damage):
    server = make_server()
    user = server.account()
    assert works(server, user)
    roles = server.roles()
    for sock in links_of(roles[role, 0]):
        damage(sock)
        sock.close()

    def again():
        try:
            return works(server, user)
        except (AssertionError, OSError):
            return False
    eventually(again, 'it works again')
    assert server.roles() == roles
    assert 'ev=role.relink' in server.log()
