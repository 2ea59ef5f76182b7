// What NVRTC predefines, for the host's compiler: included before every emulated program. No standard header, as on the device.
// A shared variable inside a function must be written `static __shared__`. Dynamic shared memory is, outside of any namespace or in that
// of the kernels,
//   extern __shared__ char limrisk_dynamic_shared[];
#pragma once
#include "device_interface.hpp"

#define __CUDACC__ 1
#define __CUDACC_RTC__ 1
#define __device__
#define __host__
#define __constant__
#define __global__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __shared__ __thread  // a host thread runs one block at a time

#define LIMRISK_EMULATION_EXPORT __attribute__((visibility("default")))

/// kernels/macros.hpp leaves this to whoever defines it first.
#define LIMRISK_KERNEL(name, Arguments, threads)                                                                     \
    extern "C" void name(const Arguments& arguments);                                                                \
    extern "C" {                                                                                                     \
    LIMRISK_EMULATION_EXPORT extern const limrisk::emulation::KernelDescription name##_description;                  \
    const limrisk::emulation::KernelDescription name##_description = {                                               \
        sizeof(Arguments), threads, [](const void* arguments) { name(*static_cast<const Arguments*>(arguments)); }}; \
    }                                                                                                                \
    extern "C" void name(const Arguments& arguments)

static __thread limrisk::emulation::Index threadIdx, blockIdx, blockDim, gridDim;
inline constexpr int warpSize = 32;
__attribute__((aligned(128))) __thread char limrisk_dynamic_shared[limrisk::emulation::dynamic_shared_bytes];
namespace limrisk::kernels {
inline namespace cuda {
extern __thread char limrisk_dynamic_shared[emulation::dynamic_shared_bytes] __asm__("limrisk_dynamic_shared");
}
}  // namespace limrisk::kernels

namespace limrisk::emulation {

static const Emulator* emulator;

template <class Value>
__forceinline__ unsigned long long to_word(Value value) {
    static_assert(sizeof(Value) == 4 || sizeof(Value) == 8, "shuffles take 32 and 64 bits");
    if constexpr (sizeof(Value) == 4)
        return __builtin_bit_cast(unsigned, value);
    else
        return __builtin_bit_cast(unsigned long long, value);
}

/// What a GPU makes of a NaN: not the bits that the host's processor gives it.
__forceinline__ float device_nan(float value) { return value == value ? value : __builtin_bit_cast(float, 0x7FFFFFFF); }
__forceinline__ double device_nan(double value) { return value == value ? value : __builtin_bit_cast(double, 0x7FFFFFFFFFFFFFFFll); }
template <class Value>
__forceinline__ Value device_nan(Value value) {
    return value;
}

template <class Value>
__forceinline__ Value from_word(unsigned long long word) {
    if constexpr (sizeof(Value) == 4)
        return __builtin_bit_cast(Value, static_cast<unsigned>(word));
    else
        return __builtin_bit_cast(Value, word);
}

/// The value of lane `other(lane, first, last)` of the same segment of `width` lanes, this lane's own if there is no such lane in it.
template <class Value, class Other>
__forceinline__ Value shuffle(Meeting meeting, unsigned mask, Value value, int width, Other other) {
    const unsigned long long* values = emulator->meet(meeting, mask, sizeof(Value), width, to_word(value));
    const int lane = static_cast<int>(threadIdx.x & 31), first = lane & ~(width - 1), last = first + width - 1;
    const int source = other(lane, first, last);
    return device_nan(from_word<Value>(values[source]));
}

}  // namespace limrisk::emulation

extern "C" LIMRISK_EMULATION_EXPORT limrisk::emulation::HostThread limrisk_emulated_program(const limrisk::emulation::Emulator* emulator) {
    limrisk::emulation::emulator = emulator;
    return {&threadIdx, &blockIdx, &blockDim, &gridDim, limrisk_dynamic_shared};
}

// Shuffles, as the CUDA C++ Programming Guide defines them.
template <class Value>
__forceinline__ Value __shfl_sync(unsigned mask, Value value, int source, int width = 32) {
    return limrisk::emulation::shuffle(limrisk::emulation::Meeting::ShuffleFrom, mask, value, width,
                                       [=](int, int first, int) { return first + (source & (width - 1)); });
}
template <class Value>
__forceinline__ Value __shfl_xor_sync(unsigned mask, Value value, int distance, int width = 32) {
    return limrisk::emulation::shuffle(limrisk::emulation::Meeting::ShuffleXor, mask, value, width, [=](int lane, int, int last) {
        const int other = (lane ^ distance) & 31;
        return other <= last ? other : lane;
    });
}
template <class Value>
__forceinline__ Value __shfl_up_sync(unsigned mask, Value value, unsigned distance, int width = 32) {
    return limrisk::emulation::shuffle(limrisk::emulation::Meeting::ShuffleUp, mask, value, width, [=](int lane, int first, int) {
        const int other = lane - static_cast<int>(distance & 31);
        return other >= first ? other : lane;
    });
}
template <class Value>
__forceinline__ Value __shfl_down_sync(unsigned mask, Value value, unsigned distance, int width = 32) {
    return limrisk::emulation::shuffle(limrisk::emulation::Meeting::ShuffleDown, mask, value, width, [=](int lane, int, int last) {
        const int other = lane + static_cast<int>(distance & 31);
        return other <= last ? other : lane;
    });
}

// Votes and reductions over the warp.
__forceinline__ unsigned __ballot_sync(unsigned mask, int predicate) {
    const unsigned long long* values = limrisk::emulation::emulator->meet(limrisk::emulation::Meeting::Vote, mask, 4, 32, predicate != 0);
    unsigned ballot = 0;
    for (int i = 0; i < 32; ++i) ballot |= static_cast<unsigned>(values[i]) << i;
    return ballot;
}
__forceinline__ int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
__forceinline__ int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == 0xFFFFFFFFu; }

#define LIMRISK_EMULATION_REDUCE(name, Type, expression)                                                                        \
    __forceinline__ Type name(unsigned mask, Type value) {                                                                      \
        const unsigned long long* values =                                                                                      \
            limrisk::emulation::emulator->meet(limrisk::emulation::Meeting::Reduce, mask, 4, 32, static_cast<unsigned>(value)); \
        Type a = static_cast<Type>(static_cast<unsigned>(values[0]));                                                           \
        for (int i = 1; i < 32; ++i) {                                                                                          \
            const Type b = static_cast<Type>(static_cast<unsigned>(values[i]));                                                 \
            a = expression;                                                                                                     \
        }                                                                                                                       \
        return a;                                                                                                               \
    }
LIMRISK_EMULATION_REDUCE(__reduce_add_sync, unsigned, a + b)
LIMRISK_EMULATION_REDUCE(__reduce_add_sync, int, a + b)
LIMRISK_EMULATION_REDUCE(__reduce_min_sync, unsigned, a < b ? a : b)
LIMRISK_EMULATION_REDUCE(__reduce_min_sync, int, a < b ? a : b)
LIMRISK_EMULATION_REDUCE(__reduce_max_sync, unsigned, a > b ? a : b)
LIMRISK_EMULATION_REDUCE(__reduce_max_sync, int, a > b ? a : b)
LIMRISK_EMULATION_REDUCE(__reduce_or_sync, unsigned, a | b)
LIMRISK_EMULATION_REDUCE(__reduce_and_sync, unsigned, a& b)
#undef LIMRISK_EMULATION_REDUCE

// Barriers and fences.
__forceinline__ void __syncwarp(unsigned mask = 0xFFFFFFFFu) {
    limrisk::emulation::emulator->meet(limrisk::emulation::Meeting::WarpBarrier, mask, 0, 32, 0);
}
__forceinline__ void __syncthreads() {
    limrisk::emulation::emulator->meet(limrisk::emulation::Meeting::BlockBarrier, 0xFFFFFFFFu, 0, 32, 0);
}
__forceinline__ void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
__forceinline__ void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
__forceinline__ unsigned __activemask() { return 0xFFFFFFFFu; }
[[noreturn]] __forceinline__ void __trap() { __builtin_trap(); }

// Arithmetic with its rounding in the name.
__forceinline__ float __fmaf_rn(float a, float b, float c) { return limrisk::emulation::device_nan(__builtin_fmaf(a, b, c)); }
__forceinline__ double __fma_rn(double a, double b, double c) { return limrisk::emulation::device_nan(__builtin_fma(a, b, c)); }
__forceinline__ float __fsqrt_rn(float a) { return limrisk::emulation::device_nan(__builtin_sqrtf(a)); }
__forceinline__ double __dsqrt_rn(double a) { return limrisk::emulation::device_nan(__builtin_sqrt(a)); }
__forceinline__ int __double2hiint(double a) { return static_cast<int>(__builtin_bit_cast(long long, a) >> 32); }
__forceinline__ int __double2loint(double a) { return static_cast<int>(__builtin_bit_cast(long long, a)); }
__forceinline__ double __hiloint2double(int high, int low) {
    return __builtin_bit_cast(double, static_cast<long long>(high) << 32 | static_cast<long long>(static_cast<unsigned>(low)));
}
__forceinline__ float __fadd_rn(float a, float b) { return a + b; }
__forceinline__ double __dadd_rn(double a, double b) { return a + b; }
__forceinline__ float __fmul_rn(float a, float b) { return a * b; }
__forceinline__ double __dmul_rn(double a, double b) { return a * b; }
__forceinline__ float __fdiv_rn(float a, float b) { return a / b; }
__forceinline__ double __ddiv_rn(double a, double b) { return a / b; }

// Integers and bits.
__forceinline__ unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>((static_cast<unsigned long long>(a) * b) >> 32); }
__forceinline__ unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return static_cast<unsigned long long>((static_cast<unsigned __int128>(a) * b) >> 64);
}
__forceinline__ int __popc(unsigned a) { return __builtin_popcount(a); }
__forceinline__ int __popcll(unsigned long long a) { return __builtin_popcountll(a); }
__forceinline__ int __clz(int a) { return a == 0 ? 32 : __builtin_clz(static_cast<unsigned>(a)); }
__forceinline__ int __clzll(long long a) { return a == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(a)); }
__forceinline__ int __ffs(int a) { return __builtin_ffs(a); }
__forceinline__ int __ffsll(long long a) { return __builtin_ffsll(a); }
__forceinline__ int __float_as_int(float a) { return __builtin_bit_cast(int, a); }
__forceinline__ unsigned __float_as_uint(float a) { return __builtin_bit_cast(unsigned, a); }
__forceinline__ float __int_as_float(int a) { return __builtin_bit_cast(float, a); }
__forceinline__ float __uint_as_float(unsigned a) { return __builtin_bit_cast(float, a); }
__forceinline__ long long __double_as_longlong(double a) { return __builtin_bit_cast(long long, a); }
__forceinline__ double __longlong_as_double(long long a) { return __builtin_bit_cast(double, a); }
#define LIMRISK_EMULATION_ORDER(Type)                                  \
    __forceinline__ Type min(Type a, Type b) { return b < a ? b : a; } \
    __forceinline__ Type max(Type a, Type b) { return a < b ? b : a; }
LIMRISK_EMULATION_ORDER(int)
LIMRISK_EMULATION_ORDER(unsigned)
LIMRISK_EMULATION_ORDER(long)
LIMRISK_EMULATION_ORDER(unsigned long)
LIMRISK_EMULATION_ORDER(long long)
LIMRISK_EMULATION_ORDER(unsigned long long)
#undef LIMRISK_EMULATION_ORDER

// Memory.
template <class Value>
__forceinline__ Value __ldg(const Value* address) {
    return *address;
}
template <class Value>
__forceinline__ Value __ldcs(const Value* address) {
    return *address;
}
template <class Value>
__forceinline__ void __stcs(Value* address, Value value) {
    *address = value;
}
#define LIMRISK_EMULATION_ATOMIC(Type)                                                                                           \
    __forceinline__ Type atomicAdd(Type* address, Type value) { return __atomic_fetch_add(address, value, __ATOMIC_RELAXED); }   \
    __forceinline__ Type atomicExch(Type* address, Type value) { return __atomic_exchange_n(address, value, __ATOMIC_RELAXED); } \
    __forceinline__ Type atomicOr(Type* address, Type value) { return __atomic_fetch_or(address, value, __ATOMIC_RELAXED); }     \
    __forceinline__ Type atomicAnd(Type* address, Type value) { return __atomic_fetch_and(address, value, __ATOMIC_RELAXED); }   \
    __forceinline__ Type atomicCAS(Type* address, Type expected, Type value) {                                                   \
        __atomic_compare_exchange_n(address, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);                       \
        return expected;                                                                                                         \
    }                                                                                                                            \
    __forceinline__ Type atomicMin(Type* address, Type value) {                                                                  \
        Type seen = *address;                                                                                                    \
        while (value < seen && !__atomic_compare_exchange_n(address, &seen, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) { \
        }                                                                                                                        \
        return seen;                                                                                                             \
    }                                                                                                                            \
    __forceinline__ Type atomicMax(Type* address, Type value) {                                                                  \
        Type seen = *address;                                                                                                    \
        while (seen < value && !__atomic_compare_exchange_n(address, &seen, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) { \
        }                                                                                                                        \
        return seen;                                                                                                             \
    }
LIMRISK_EMULATION_ATOMIC(int)
LIMRISK_EMULATION_ATOMIC(unsigned)
LIMRISK_EMULATION_ATOMIC(unsigned long long)
#undef LIMRISK_EMULATION_ATOMIC

// Built-in vectors, for wide loads and stores.
struct __align__(8) float2 {
    float x, y;
};
struct __align__(16) float4 {
    float x, y, z, w;
};
struct __align__(16) double2 {
    double x, y;
};
struct __align__(8) int2 {
    int x, y;
};
struct __align__(16) int4 {
    int x, y, z, w;
};
struct __align__(8) uint2 {
    unsigned x, y;
};
struct __align__(16) uint4 {
    unsigned x, y, z, w;
};
__forceinline__ float2 make_float2(float x, float y) { return {x, y}; }
__forceinline__ float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
__forceinline__ double2 make_double2(double x, double y) { return {x, y}; }
__forceinline__ uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
__forceinline__ uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
