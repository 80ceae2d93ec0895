//! What the C library keeps of the memory that was freed, for the next time that somebody wants it: a thousand credentials
//! take many times as much while their configuration is read, and while all of them start at once, as ever after.

/// Before the first thread is started. Each thread would get a pool of its own, and each pool keep what was once needed
/// in it: a process that waits most of its time needs one for all.
pub fn share() {
    #[cfg(target_env = "gnu")]
    glibc::mallopt(glibc::M_ARENA_MAX, 1);
}

/// Gives free pages back to the system. They were wiped when they were freed.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    glibc::malloc_trim(0);
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "these two are in no crate that is safe to call")]
mod glibc {
    use std::ffi::c_int;

    /// malloc.h
    pub const M_ARENA_MAX: c_int = -8;

    // SAFETY: both take numbers and hand out no memory. `malloc_trim` may be called at any time by any thread;
    // `mallopt`, as long as there is but one.
    unsafe extern "C" {
        pub safe fn mallopt(name: c_int, value: c_int) -> c_int;
        pub safe fn malloc_trim(pad: usize) -> c_int;
    }
}
