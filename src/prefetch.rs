//! Prefetches: hints to load memory into the cache before it is used.

#![allow(unsafe_code)]

/// Bytes of a cache line.
pub(crate) const CACHE_LINE: usize = 64;

/// Prefetches all cache lines of a value; on other architectures than these it does nothing.
#[inline(always)]
pub(crate) fn prefetch<T>(it: &T) {
    let begin = core::ptr::from_ref(it).cast::<u8>();
    for offset in (0..size_of::<T>()).step_by(CACHE_LINE) {
        prefetch_line(begin.wrapping_add(offset));
    }
    // A value that is not aligned may end in one line more.
    if align_of::<T>() < CACHE_LINE && align_of::<T>() < size_of::<T>() {
        prefetch_line(begin.wrapping_add(size_of::<T>() - 1));
    }
}

#[inline(always)]
fn prefetch_line(at: *const u8) {
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
