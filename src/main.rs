//! The program: everything is in the library.

use std::{alloc::System, process::ExitCode};
use zeroizing_alloc::ZeroAlloc;

/// Wipes every piece of memory that is given back, and what a text leaves behind when it grows. So no library has to
/// wipe the buffers through which a key went: TLS, HTTP, JSON, MIME.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    keyrelay::cli::main()
}
