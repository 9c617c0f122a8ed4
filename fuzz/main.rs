//! One target, led by coverage for as long as it is let: `make fuzz TARGET=name`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
#[path = "../tests/it/hostile/mod.rs"]
mod hostile;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static TARGET: std::sync::OnceLock<fn(&[u8])> = std::sync::OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("TARGET").unwrap_or_default();
        let found = hostile::TARGETS.iter().find(|target| target.0 == name);
        match found {
            Some((_, target, _)) => *target,
            None => panic!(
                "TARGET is one of {:?}",
                hostile::TARGETS.iter().map(|t| t.0).collect::<Vec<_>>()
            ),
        }
    });
    target(data);
});

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("make fuzz builds it with the flags that it needs");
}
