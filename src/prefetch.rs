//! Asking for memory ahead of its use, so that it comes while other work is done.

#![allow(unsafe_code)]

/// Asks for the line of the cache in which `it` begins, and does not wait for it. On other
/// architectures than these it does nothing.
#[inline(always)]
pub(crate) fn prefetch<T>(it: &T) {
    let at: *const T = it;
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: this needs SSE, which every x86-64 has; it is a hint and reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: this is a hint, which reads and changes no memory.
    unsafe {
        core::arch::asm!(
            "prfm pldl1keep, [{}]", in(reg) at,
            options(nomem, nostack, preserves_flags)
        );
    };
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = at;
}
