// Compiler differences of the lane code, and the inline namespace that keeps the instruction sets' versions apart in one program.
#pragma once

#if !defined(LIMRISK_LANES)
#define LIMRISK_LANES scalar  // plain host code; each instruction set's translation unit defines its own name
#endif

#define LIMRISK_PRAGMA(text) _Pragma(#text)
#if defined(__CUDACC__)
#define LIMRISK_INLINE __forceinline__
#define LIMRISK_INLINE_LAMBDA
#define LIMRISK_UNROLL(count) LIMRISK_PRAGMA(unroll)
#define LIMRISK_UNROLL_ROWS(Rows) LIMRISK_PRAGMA(unroll(unrolled_rows<Rows>))  // rows in registers: every index must be a constant
#define LIMRISK_UNROLL_SLOTS(Layout, Rows) LIMRISK_PRAGMA(unroll(is_strided<Rows> ? Layout::unrolled_slots : 64))
#define LIMRISK_ROLLED LIMRISK_PRAGMA(unroll 1)  // a loop whose body is large
#else
#define LIMRISK_INLINE inline __attribute__((always_inline))
#define LIMRISK_INLINE_LAMBDA __attribute__((always_inline))  // after the parameters; GCC inlines long ones too late to unroll well
#define LIMRISK_UNROLL(count) LIMRISK_PRAGMA(GCC unroll count)
#define LIMRISK_UNROLL_ROWS(Rows)
#define LIMRISK_UNROLL_SLOTS(Layout, Rows)
#define LIMRISK_ROLLED
#endif

// A kernel with one parameter. LIMRISK_KERNEL(name, Type, threads per block) { ... arguments.x ... }
// RESIDENT: with registers for so many blocks at once on a multiprocessor of 65,536.
#if defined(__CUDACC__) && !defined(LIMRISK_KERNEL)
#define LIMRISK_KERNEL_RESIDENT(name, Arguments, threads, blocks) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ Arguments arguments)
#define LIMRISK_KERNEL(name, Arguments, threads) LIMRISK_KERNEL_RESIDENT(name, Arguments, threads, 1)
#elif defined(LIMRISK_KERNEL)
#define LIMRISK_KERNEL_RESIDENT(name, Arguments, threads, blocks) LIMRISK_KERNEL(name, Arguments, threads)
#endif
