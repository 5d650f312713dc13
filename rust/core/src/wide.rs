//! The same work, compiled for the widest vectors that the processor at hand turns out to have.

/// Work whose loops are worth compiling more than once. `run`, and what it calls in its loops, has to be inlined, or it
/// stays as narrow as the rest of the crate.
pub trait Work {
    /// What comes out.
    type Out;
    /// Do it; to be marked `#[inline(always)]`.
    fn run(self) -> Self::Out;
}

/// Do the work. Wider vectors change no result: multiplications and additions are not fused, nor is any sum reordered.
#[inline]
pub fn widest<W: Work>(work: W) -> W::Out {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn avx2<W: Work>(work: W) -> W::Out {
            work.run()
        }
        // SAFETY: the processor has just said that it knows these instructions.
        #[allow(unsafe_code, reason = "the one call that the compiler cannot check: the line above does")]
        return unsafe { avx2(work) };
    }
    work.run()
}
