"""What a worker process gives up for good before it takes its first script.

A script that breaks out of V8 finds a process that can open no file, no socket and no other process, has no
environment to read secrets from, and cannot outlive its parent. Linux only; elsewhere a worker is bounded
by its limits and the pool's patience alone.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from typing import Final

MAX_DATA_BYTES: Final = 512 * 1024 * 1024
_MAX_FILES = 64
_NICENESS = 5

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_FILTER_FLAG_TSYNC = 1
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | 1  # EPERM
_UNKNOWN = 0x00050000 | 38  # ENOSYS
_LOAD_WORD, _JUMP_EQUAL, _JUMP_NOT_LESS, _RETURN = 0x20, 0x15, 0x35, 0x06
_CLONE_THREAD = 0x00010000
_AND = 0x54

_AUDIT: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_COLUMN: Final = {"x86_64": 1, "aarch64": 2}
# `clone3` hides its flags from a filter; told that there is none, the C library uses `clone` instead.
_CLONE3: Final = 435
_CLONE: Final = {"x86_64": 56, "aarch64": 220}
# Of another process; its own limits are asked for when a thread starts.
_PRLIMIT: Final = {"x86_64": 302, "aarch64": 261}
_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}

# What is refused, with its numbers on both architectures: files, sockets, programs, processes, mounts, keys,
# modules, and ways around this filter.
_REFUSED: Final = """
open 2 -             openat 257 56          openat2 437 437       creat 85 -         open_by_handle_at 304 265
truncate 76 45       rename 82 -            renameat 264 38         mkdir 83 -           mkdirat 258 34
rmdir 84 -           link 86 -              linkat 265 37           unlink 87 -          unlinkat 263 35
symlink 88 -         symlinkat 266 36       readlink 89 -           readlinkat 267 78    chmod 90 -
fchmodat 268 53      fchmodat2 452 452      chown 92 -              lchown 94 -          fchownat 260 54
mknod 133 -          mknodat 259 33         chdir 80 49             chroot 161 51        memfd_create 319 279
socket 41 198        connect 42 203         accept 43 202           accept4 288 242      bind 49 200
listen 50 201        execve 59 221          execveat 322 281        fork 57 -            vfork 58 -
kill 62 129          tkill 200 130          ptrace 101 117          setns 308 268        unshare 272 97
pidfd_open 434 434   pidfd_getfd 438 438    pidfd_send_signal 424 424                  perf_event_open 298 241
process_vm_readv 310 270                    process_vm_writev 311 271                    userfaultfd 323 282
mount 165 40         umount2 166 39         pivot_root 155 41       open_tree 428 428    move_mount 429 429
fsopen 430 430       fsconfig 431 431       fsmount 432 432         reboot 169 142       kexec_load 246 104
add_key 248 217      request_key 249 218    keyctl 250 219          bpf 321 280        kexec_file_load 320 294
init_module 175 105  finit_module 313 273   delete_module 176 106   tgkill 234 131       renameat2 316 276
rt_sigqueueinfo 129 138                     rt_tgsigqueueinfo 297 240                    utimensat 280 88
mq_open 240 180      msgget 68 186          semget 64 190           shmget 29 194        setxattr 188 5
lsetxattr 189 6      setpriority 141 140    sched_setparam 142 118  ioprio_set 251 30    sched_setattr 314 274
sched_setscheduler 144 119                  sched_setaffinity 203 122
io_uring_setup 425 425                      io_uring_enter 426 426  io_uring_register 427 427
"""


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def limit_resources() -> None:
    """Before V8 is loaded: no core dumps, no files that grow, few descriptors, bounded memory, less of the
    processor where others want it too."""
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_FILES, _MAX_FILES))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA_BYTES, MAX_DATA_BYTES))
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def seal() -> bool:
    """After V8 is loaded, on all threads: refuse the system calls above. False where that is not possible."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _AUDIT:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = b"".join(_instructions(machine))
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = _Program(len(instructions) // 8, ctypes.addressof(buffer))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    arguments = (_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, ctypes.byref(program))
    return int(libc.syscall(_SECCOMP[machine], *arguments)) == 0


def _instructions(machine: str) -> list[bytes]:
    """Another architecture's calls, and those of the x32 ABI, are refused; `clone` may only make threads."""
    found = [_step(_LOAD_WORD, 4), _step(_JUMP_EQUAL, _AUDIT[machine], 1, 0), _step(_RETURN, _REFUSE)]
    found.append(_step(_LOAD_WORD, 0))
    if machine == "x86_64":
        found += [_step(_JUMP_NOT_LESS, 0x40000000, 0, 1), _step(_RETURN, _REFUSE)]
    for number in _refused(machine):
        found += [_step(_JUMP_EQUAL, number, 0, 1), _step(_RETURN, _REFUSE)]
    found += [_step(_JUMP_EQUAL, _PRLIMIT[machine], 0, 4), _step(_LOAD_WORD, 16)]
    found += [_step(_JUMP_EQUAL, 0, 0, 1), _step(_RETURN, _ALLOW), _step(_RETURN, _REFUSE)]
    found += [_step(_JUMP_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _UNKNOWN)]
    found += [_step(_JUMP_EQUAL, _CLONE[machine], 1, 0), _step(_RETURN, _ALLOW), _step(_LOAD_WORD, 16)]
    found += [_step(_AND, _CLONE_THREAD), _step(_JUMP_EQUAL, _CLONE_THREAD, 1, 0), _step(_RETURN, _REFUSE)]
    return [*found, _step(_RETURN, _ALLOW)]


def _refused(machine: str) -> list[int]:
    words = _REFUSED.split()
    numbers = words[_COLUMN[machine] :: 3]
    return [int(number) for number in numbers if number != "-"]


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, operand)
