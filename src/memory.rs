//! Memory: the allocator, and that nothing of it is dumped. Requests make many small things and drop them on another thread; the system's
//! allocator spent a quarter of a list's time on that. Without huge pages, which alone would take
//! 13 MiB at rest (docs/adr/0009).

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// No core dump of this process and nobody else's eyes on its memory: it holds keys, names and
/// numbers in plain.
///
/// # Errors
/// When the system refuses.
pub(crate) fn undumped() -> std::io::Result<()> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    // Where the system hands dumps to a program, it asks this rather than the limit.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
