//! Criterion over all kernels of `colloquy_bench::micro`: codec, machine step, framing, timer wheel, rings.
//!
//! `cargo bench -p colloquy-bench`; `cargo bench -p colloquy-bench -- machine` for some of them.

use colloquy_bench::micro::{KERNELS, codec, rings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn kernels(criterion: &mut Criterion) {
    for kernel in KERNELS {
        let mut group = criterion.benchmark_group("kernel");
        if kernel.id.starts_with("codec-decode") {
            group.throughput(Throughput::Bytes(codec::TPKT_OCTETS as u64));
        }
        group.bench_function(kernel.id, |bencher| bencher.iter_custom(kernel.run));
        group.finish();
    }
}

fn between_cores(criterion: &mut Criterion) {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    if cores < 2 {
        eprintln!("rings-cross-core: skipped, there is one core");
        return;
    }
    // On threads of their own: pinning the one that criterion runs on would pin all that comes after it.
    let run = |items| {
        let crossing = std::thread::spawn(move || rings::cross_core(items, 16, 0, 1));
        crossing.join().expect("it does not panic").expect("a thread may be pinned to a core it has")
    };
    criterion.bench_function("kernel/rings-cross-core", |bencher| bencher.iter_custom(run));
}

criterion_group!(benches, kernels, between_cores);
criterion_main!(benches);
