//! The same work, compiled for the run_widest vectors that the processor at hand turns out to have.

/// Kernel whose loops are worth compiling more than once. `run`, and what it calls in its loops, has to be inlined, or it
/// stays as narrow as the rest of the crate.
pub trait Kernel {
    /// What comes out.
    type Out;
    /// Do it; to be marked `#[inline(always)]`.
    fn run(self) -> Self::Out;
}

/// Do the work. Wider vectors change no result: multiplications and additions are not fused, nor is any sum reordered.
#[inline]
#[allow(
    unsafe_code,
    reason = "the compiler cannot check that the processor knows the instructions: each arm has asked it"
)]
pub fn run_widest<K: Kernel>(kernel: K) -> K::Out {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as knows;
        if knows!("avx512f") && knows!("avx512bw") && knows!("avx512dq") && knows!("avx512vl") {
            // SAFETY: the processor has just said that it knows these instructions.
            return unsafe { avx512(kernel) };
        }
        if knows!("avx2") {
            // SAFETY: as above.
            return unsafe { avx2(kernel) };
        }
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn avx512<K: Kernel>(kernel: K) -> K::Out {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<K: Kernel>(kernel: K) -> K::Out {
    kernel.run()
}
