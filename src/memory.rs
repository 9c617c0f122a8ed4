//! The allocator. Requests make many small things and drop them on another thread; the system's
//! allocator spent a quarter of a list's time on that. Without huge pages, which alone would take
//! 13 MiB at rest (docs/adr/0009).

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
