//! Compiles a kernel for several vector widths and runs the widest one that the processor supports.

/// A computation whose loops are compiled once per vector width. `run` and the functions called in its loops must be
/// inlined, otherwise they keep the vector width of the rest of the crate.
pub trait Kernel {
    /// The result.
    type Out;
    /// Run the computation; implementations are marked `#[inline(always)]`.
    fn run(self) -> Self::Out;
}

/// Run a kernel. The vector width does not change results: multiplications and additions are not fused and no sum is
/// reordered.
#[inline]
#[allow(unsafe_code, reason = "each call is preceded by a test that the processor supports the instructions")]
pub fn run_widest<K: Kernel>(kernel: K) -> K::Out {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as supports;
        if supports!("avx512f") && supports!("avx512bw") && supports!("avx512dq") && supports!("avx512vl") {
            // SAFETY: the processor supports these instructions, as just tested.
            return unsafe { avx512(kernel) };
        }
        if supports!("avx2") {
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
