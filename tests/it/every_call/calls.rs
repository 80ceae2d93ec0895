//! The system calls of x86-64: their names, those that are let alone, and the ways in which one can fail.

use nix::libc;
use std::fmt;

macro_rules! names {
    ($($name:ident)*) => {
        /// As Linux calls it; its number where this table does not have it.
        pub fn name(number: u64) -> String {
            $(if i64::try_from(number) == Ok(libc::$name) {
                return stringify!($name).trim_start_matches("SYS_").to_owned();
            })*
            number.to_string()
        }
    };
}

names! {
    SYS_read SYS_write SYS_readv SYS_writev SYS_pread64 SYS_pwrite64 SYS_recvfrom SYS_sendto SYS_recvmsg SYS_sendmsg
    SYS_sendmmsg SYS_recvmmsg SYS_open SYS_openat SYS_close SYS_fsync SYS_fdatasync SYS_rename SYS_renameat
    SYS_renameat2 SYS_unlink SYS_unlinkat SYS_mkdir SYS_mkdirat SYS_rmdir SYS_stat SYS_lstat SYS_fstat SYS_newfstatat
    SYS_statx SYS_access SYS_faccessat SYS_faccessat2 SYS_readlink SYS_readlinkat SYS_symlink SYS_lseek SYS_ftruncate
    SYS_fallocate SYS_getdents64 SYS_fcntl SYS_flock SYS_chmod SYS_fchmod SYS_fchmodat SYS_chown SYS_fchown
    SYS_fchownat SYS_utimensat SYS_linkat SYS_statfs SYS_fstatfs SYS_copy_file_range SYS_sendfile SYS_fadvise64
    SYS_socket SYS_connect SYS_bind SYS_listen SYS_accept SYS_accept4 SYS_getsockopt SYS_setsockopt SYS_getsockname
    SYS_getpeername SYS_shutdown SYS_socketpair SYS_pipe SYS_pipe2 SYS_dup SYS_dup2 SYS_dup3 SYS_ioctl SYS_poll
    SYS_ppoll SYS_select SYS_epoll_ctl SYS_epoll_create1 SYS_epoll_wait SYS_epoll_pwait SYS_epoll_pwait2 SYS_eventfd2
    SYS_clone SYS_clone3 SYS_vfork SYS_fork SYS_execve SYS_wait4 SYS_waitid SYS_kill SYS_tgkill SYS_exit
    SYS_exit_group SYS_pidfd_open SYS_pidfd_send_signal SYS_getpid SYS_gettid SYS_getppid SYS_getuid SYS_geteuid
    SYS_getgid SYS_getegid SYS_getrandom SYS_prctl SYS_uname SYS_sysinfo SYS_umask SYS_getcwd SYS_getrlimit
    SYS_prlimit64 SYS_sched_getaffinity SYS_set_robust_list SYS_rseq SYS_getrusage SYS_setpgid SYS_inotify_init1
    SYS_inotify_add_watch SYS_futex SYS_clock_gettime SYS_clock_nanosleep SYS_nanosleep SYS_gettimeofday SYS_mmap
    SYS_munmap SYS_mprotect SYS_madvise SYS_brk SYS_mremap SYS_sched_yield SYS_restart_syscall SYS_rt_sigprocmask
    SYS_rt_sigreturn SYS_rt_sigaction SYS_sigaltstack
}

/// What waits, and what asks for the time, for memory, or who one is: a kill there is one before or after it.
pub fn is_aside(call: &str) -> bool {
    const ASIDE: [&str; 27] = [
        "futex",
        "epoll_wait",
        "epoll_pwait",
        "epoll_pwait2",
        "clock_gettime",
        "clock_nanosleep",
        "nanosleep",
        "gettimeofday",
        "mmap",
        "munmap",
        "mprotect",
        "madvise",
        "brk",
        "mremap",
        "sched_yield",
        "restart_syscall",
        "rt_sigprocmask",
        "rt_sigreturn",
        "sigaltstack",
        "getpid",
        "gettid",
        "sched_getaffinity",
        "set_robust_list",
        "rseq",
        "prctl",
        "exit",
        "getrusage",
    ];
    ASIDE.contains(&call)
}

pub fn takes_descriptor(call: &str) -> bool {
    const OF_DESCRIPTORS: [&str; 26] = [
        "read",
        "write",
        "readv",
        "writev",
        "pread64",
        "pwrite64",
        "recvfrom",
        "sendto",
        "recvmsg",
        "sendmsg",
        "close",
        "fsync",
        "fdatasync",
        "fstat",
        "lseek",
        "ftruncate",
        "fallocate",
        "getdents64",
        "fcntl",
        "flock",
        "fchmod",
        "fchown",
        "connect",
        "getsockopt",
        "setsockopt",
        "shutdown",
    ];
    OF_DESCRIPTORS.contains(&call)
}

/// What cannot fail, or is no input and output.
pub fn cannot_fail(call: &str) -> bool {
    const WITHOUT_ERRORS: [&str; 15] = [
        "getuid",
        "geteuid",
        "getgid",
        "getegid",
        "getppid",
        "umask",
        "exit_group",
        "getrandom",
        "sysinfo",
        "uname",
        "getrlimit",
        "prlimit64",
        "kill",
        "tgkill",
        "rt_sigaction",
    ];
    WITHOUT_ERRORS.contains(&call)
}

/// A way to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(i32);

impl Errno {
    pub const ALL: [Self; 8] = [
        Self(libc::EIO),
        Self(libc::ENOSPC),
        Self(libc::EMFILE),
        Self(libc::ECONNRESET),
        Self(libc::ETIMEDOUT),
        Self(libc::EINTR),
        Self(libc::EACCES),
        Self(libc::EPIPE),
    ];
    /// In the register of a call's result.
    pub fn as_result(self) -> u64 {
        i64::from(-self.0).cast_unsigned()
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&nix::errno::Errno::from_raw(self.0), f)
    }
}
