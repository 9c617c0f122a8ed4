//! The allocator. Requests make many small things and drop them on another thread; the system's
//! allocator spent a quarter of a list's time on that (docs/adr/0009).

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
