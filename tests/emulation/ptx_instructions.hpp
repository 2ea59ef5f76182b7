// What a translated PTX program calls where an instruction is more than an expression of C++: PTX ISA 9.0, section 9.7. Registers are
// their bits, as unsigned numbers. Functions, not macros: called out of line, the program compiles twice as fast.
#pragma once

extern "C" int dprintf(int file, const char* format, ...);
extern "C" [[noreturn]] void abort();

namespace limrisk::emulation {

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned;
using u64 = unsigned long long;
using s8 = signed char;
using s16 = short;
using s32 = int;
using s64 = long long;
using f32 = float;
using f64 = double;

// Memory. `line`: of the PTX, for the message.

[[noreturn]] __attribute__((noinline, cold)) inline void memory_fault(const char* how, u64 address, int line) {
    dprintf(2, "PTX line %d: %s address 0x%llx\n", line, how, address);
    abort();
}

/// An access of `bytes` must be aligned to as many.
inline u64 aligned(u64 address, u32 bytes, int line) {
    if (address & (bytes - 1)) memory_fault("misaligned", address, line);
    return address;
}
/// The same at an offset into a window: shared memory, a thread's local memory, the parameter.
inline u64 in_window(u64 window, u64 size, u64 offset, u32 bytes, int line) {
    if (offset >= size || size - offset < bytes) memory_fault("out of range:", offset, line);
    return window + aligned(offset, bytes, line);
}

// Numbers.

/// Shift amounts above the width count as the width.
template <class Value>
inline Value shift_left(Value a, u32 b) {
    return b >= 8 * sizeof(Value) ? 0 : a << b;
}
template <class Value>
inline Value shift_right(Value a, u32 b) {
    if (b >= 8 * sizeof(Value)) return a < 0 ? -1 : 0;
    return a >> b;
}

inline s16 multiply_high(s16 a, s16 b) { return (s32{a} * b) >> 16; }
inline s32 multiply_high(s32 a, s32 b) { return (s64{a} * b) >> 32; }
inline u32 multiply_high(u32 a, u32 b) { return (u64{a} * b) >> 32; }
inline s64 multiply_high(s64 a, s64 b) { return ((__int128)a * b) >> 64; }
inline u64 multiply_high(u64 a, u64 b) { return ((unsigned __int128)a * b) >> 64; }

/// What a GPU makes of a NaN: not the bits that the host's processor gives it.
template <class Real>
inline Real number(Real a) {
    return device_nan(a);
}

inline f32 fused(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
inline f64 fused(f64 a, f64 b, f64 c) { return __builtin_fma(a, b, c); }
/// Two numbers in one register, the first in its low half.
inline u64 fused_pairs(u64 a, u64 b, u64 c) {
    const auto half = [&](int shift) {
        const auto of = [&](u64 pair) { return __builtin_bit_cast(f32, (u32)(pair >> shift)); };
        return (u64) __builtin_bit_cast(u32, number(fused(of(a), of(b), of(c)))) << shift;
    };
    return half(0) | half(32);
}
inline f32 root(f32 a) { return __builtin_sqrtf(a); }
inline f64 root(f64 a) { return __builtin_sqrt(a); }

/// A NaN loses against a number, and -0 is less than +0.
template <class Real>
inline Real minimum(Real a, Real b) {
    if (a != a) return b;
    if (b != b) return a;
    return a < b || (a == b && __builtin_signbit(a)) ? a : b;
}
template <class Real>
inline Real maximum(Real a, Real b) {
    if (a != a) return b;
    if (b != b) return a;
    return a > b || (a == b && !__builtin_signbit(a)) ? a : b;
}

/// b with the sign of a.
inline f32 sign_of_first(f32 a, f32 b) { return __builtin_copysignf(b, a); }
inline f64 sign_of_first(f64 a, f64 b) { return __builtin_copysign(b, a); }

/// Toward zero, values beyond the integer's range to its nearest end; a NaN to 0 from f32 to 32 bits, else to the smallest.
template <class Integer, class Real>
inline Integer truncated(Real a) {
    constexpr Integer smallest = (Integer)(1ull << (8 * sizeof(Integer) - 1));
    const Real end = -(Real)smallest;  // one above the largest
    if (a != a) return sizeof(Integer) == 4 && sizeof(Real) == 4 ? 0 : smallest;
    return a >= end ? ~smallest : a < -end ? smallest : (Integer)a;
}

/// `length` bits of a from `position` on, unsigned.
template <class Value>
inline Value extract_bits(Value a, u32 position, u32 length) {
    Value field = 0;
    for (u32 i = 0; i < (length & 0xFF) && (position & 0xFF) + i < 8 * sizeof(Value); ++i) field |= (a >> ((position & 0xFF) + i) & 1) << i;
    return field;
}
/// b with its `length` bits from `position` on replaced by the low bits of a.
template <class Value>
inline Value insert_bits(Value a, Value b, u32 position, u32 length) {
    for (u32 i = 0; i < (length & 0xFF) && (position & 0xFF) + i < 8 * sizeof(Value); ++i) {
        const Value bit = Value{1} << ((position & 0xFF) + i);
        b = (b & ~bit) | (a >> i & 1 ? bit : 0);
    }
    return b;
}
/// prmt without a mode: each byte of the result is picked by 4 bits of the selector; the highest of them fills it with the byte's sign.
inline u32 permute(u32 a, u32 b, u32 selector) {
    const u64 bytes = (u64)b << 32 | a;
    u32 result = 0;
    for (int i = 0; i < 4; ++i) {
        const u32 pick = selector >> (4 * i) & 15;
        const u8 byte = bytes >> (8 * (pick & 7));
        result |= (u32)(pick & 8 ? (byte & 0x80 ? 0xFF : 0) : byte) << (8 * i);
    }
    return result;
}

// Warps.

struct Shuffled {
    u32 value;
    bool in_range;
};
/// shfl.sync: the lanes and the predicate as in the manual's pseudocode, with its names.
inline Shuffled shuffle(Meeting mode, u32 a, u32 b, u32 c, u32 members) {
    const int lane = threadIdx.x & 31, bval = b & 31, cval = c & 31, segmask = c >> 8 & 31;
    const unsigned long long* values = emulator->meet(mode, members, 4, 32 - segmask, a);
    const int maxLane = (lane & segmask) | (cval & ~segmask), minLane = lane & segmask;
    int j = lane;
    bool pval = false;
    switch (mode) {
        case Meeting::ShuffleUp:
            j = lane - bval, pval = j >= maxLane;
            break;
        case Meeting::ShuffleDown:
            j = lane + bval, pval = j <= maxLane;
            break;
        case Meeting::ShuffleXor:
            j = lane ^ bval, pval = j <= maxLane;
            break;
        default:
            j = minLane | (bval & ~segmask), pval = j <= maxLane;
    }
    return {(u32)values[pval ? j : lane], pval};
}

}  // namespace limrisk::emulation
