// 32 lanes on the CPU: a few SIMD registers, read and summed tile by tile.
#pragma once
#include <utility>

#include "lanes.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

inline constexpr int warp_lanes = 32;

/// Samples that an inner loop carries at once: enough independent sums to fill the pipelines, few enough for the register file.
inline constexpr int samples_in_registers = LIMRISK_VECTOR_BYTES / 8;

template <class Real>
struct VecFor;
template <>
struct VecFor<float> {
    using Type = VecFloat;
};
template <>
struct VecFor<double> {
    using Type = VecDouble;
};
template <class Real>
using Vec = typename VecFor<Real>::Type;

/// Registers of one pack.
template <class Real>
inline constexpr int parts = warp_lanes / LaneTraits<Vec<Real>>::lanes;

/// A real per lane of the warp.
template <class Real>
struct alignas(64) Pack {
    Vec<Real> part[parts<Real>];

    Real lane(int i) const { return reinterpret_cast<const Real __attribute__((may_alias))*>(part)[i]; }
    void set_lane(int i, Real value) { reinterpret_cast<Real __attribute__((may_alias))*>(part)[i] = value; }
};

inline constexpr int word_parts = warp_lanes * 4 / LIMRISK_VECTOR_BYTES;

/// A 32-bit word per lane of the warp.
struct alignas(64) WordPack {
    VecWord part[word_parts];

    std::uint32_t lane(int i) const { return reinterpret_cast<const std::uint32_t __attribute__((may_alias))*>(part)[i]; }
    void set_lane(int i, std::uint32_t value) { reinterpret_cast<std::uint32_t __attribute__((may_alias))*>(part)[i] = value; }
};

/// A pack whose lane i holds value(i).
template <class Real, class Value>
LIMRISK_INLINE Pack<Real> make_pack(Value value) {
    Pack<Real> pack;
    for (int i = 0; i < warp_lanes; ++i) pack.set_lane(i, value(i));
    return pack;
}

/// The same of words.
template <class Value>
LIMRISK_INLINE WordPack make_words(Value value) {
    WordPack words;
    for (int i = 0; i < warp_lanes; ++i) words.set_lane(i, value(i));
    return words;
}

/// Calls `body(p)` for each register of a pack of Real.
template <class Real, class Body>
LIMRISK_INLINE void for_parts(Body body) {
    LIMRISK_UNROLL(8)
    for (int p = 0; p < parts<Real>; ++p) body(p);
}

/// Register p of: in every lane, the value that `pack` has in lane `source` of the same tile.
template <class Real>
LIMRISK_INLINE Vec<Real> tile_broadcast(const Pack<Real>& pack, int source, int tile, int p) {
    using V = Vec<Real>;
    using Int = typename RealTraits<Real>::Int;
    constexpr int width = LaneTraits<V>::lanes;
    if (tile >= width) return splat<V>(pack.lane(((p * width) & ~(tile - 1)) + source));
    const IntOf<V> index = (lane_numbers<V>() & static_cast<Int>(~(tile - 1))) | static_cast<Int>(source);
    return permute(pack.part[p], index);
}

/// Register p of `pack` with lanes i and i xor `distance` exchanged.
template <class Real>
LIMRISK_INLINE Vec<Real> exchange(const Pack<Real>& pack, int distance, int p) {
    using V = Vec<Real>;
    constexpr int width = LaneTraits<V>::lanes;
    if (distance >= width) return pack.part[p ^ (distance / width)];
    return permute(pack.part[p], lane_numbers<V>() ^ static_cast<typename RealTraits<Real>::Int>(distance));
}

/// One level of the transposed sums: lanes exchange with the lane `Distance` away and keep half of the sums.
///   values  rows;   the second argument only tells their precision
template <int Distance, class Rows, class Real>
LIMRISK_INLINE void transpose_level_of(Rows values, const Pack<Real>&) {
    using V = Vec<Real>;
    using Int = typename RealTraits<Real>::Int;
    constexpr int width = LaneTraits<V>::lanes, other = Distance / width;
    for (int j = 0; j < Distance; ++j) {
        if constexpr (Distance >= width) {
            Pack<Real> sum;
            for_parts<Real>([&](int p) {
                const Pack<Real>& kept = values[p & other ? j + Distance : j];
                sum.part[p] = kept.part[p] + kept.part[p ^ other];
            });
            values[j] = sum;
        } else {
            const MaskOf<V> upper = nonzero(lane_numbers<V>() & static_cast<Int>(Distance));
            const IntOf<V> partner = lane_numbers<V>() ^ static_cast<Int>(Distance);
            for_parts<Real>([&](int p) {
                const V a = values[j].part[p], b = values[j + Distance].part[p];
                values[j].part[p] = select(upper, b, a) + permute(select(upper, a, b), partner);
            });
        }
    }
}

template <int Distance, class Rows>
LIMRISK_INLINE void transpose_level(Rows values) {
    transpose_level_of<Distance>(values, values[0]);
}

/// The value of a pack that is alike in all lanes.
template <class Real>
LIMRISK_INLINE Real first_lane(const Pack<Real>& pack) {
    return pack.lane(0);
}

/// Registers of Real whose lanes a register of words has.
template <class Real>
inline constexpr int registers_per_word = static_cast<int>(sizeof(Real) / 4);

/// Uniform variates in (0, 1) from the words of one half of a register (in float from all of it), exact: docs/numerics.md section 2.
template <class Real>
LIMRISK_INLINE Vec<Real> uniform_register(const VecWord& words, int half) {
    if constexpr (sizeof(Real) == 4) {
        const VecInt32 shifted = reinterpret_cast<VecInt32>(words >> 9);
        return fma(__builtin_convertvector(shifted, VecFloat), splat<VecFloat>(0x1p-23), splat<VecFloat>(0x1p-24));
    } else {
        // As W - 2^31 + 2^31, both exact: converting signed words is one instruction everywhere.
        typedef std::int32_t HalfWords __attribute__((vector_size(LIMRISK_VECTOR_BYTES / 2)));
        HalfWords taken;
        __builtin_memcpy(&taken, reinterpret_cast<const char*>(&words) + half * (LIMRISK_VECTOR_BYTES / 2), sizeof taken);
        const VecDouble word =
            __builtin_convertvector(taken ^ static_cast<std::int32_t>(0x80000000u), VecDouble) + splat<VecDouble>(0x1p31);
        return fma(word, splat<VecDouble>(0x1p-32), splat<VecDouble>(0x1p-33));
    }
}

/// The same of all lanes.
template <class Real>
LIMRISK_INLINE Pack<Real> uniform_variates(const WordPack& words) {
    constexpr int halves = registers_per_word<Real>;
    Pack<Real> result;
    for_parts<Real>([&](int p) { result.part[p] = uniform_register<Real>(words.part[p / halves], p % halves); });
    return result;
}

/// Exact conversion to double of one half of a register (a register of double: all of it).
LIMRISK_INLINE VecDouble register_to_double(const VecDouble& value, int) { return value; }
template <int... Lane>
LIMRISK_INLINE VecDouble half_to_double(const VecFloat& value, int half, std::integer_sequence<int, Lane...>) {
    // By a copy through memory, arrays of registers would stay there.
    constexpr int lanes = sizeof...(Lane);
    return half == 0 ? __builtin_convertvector(__builtin_shufflevector(value, value, Lane...), VecDouble)
                     : __builtin_convertvector(__builtin_shufflevector(value, value, (lanes + Lane)...), VecDouble);
}
LIMRISK_INLINE VecDouble register_to_double(const VecFloat& value, int half) {
    return half_to_double(value, half, std::make_integer_sequence<int, LaneTraits<VecDouble>::lanes>{});
}

/// A register from two halves in double, rounded (a register of double: the first).
template <class Real>
LIMRISK_INLINE Vec<Real> register_from_double(const VecDouble& first, const VecDouble& second) {
    if constexpr (sizeof(Real) == 8) {
        return first;
    } else {
        typedef float HalfFloats __attribute__((vector_size(LIMRISK_VECTOR_BYTES / 2)));
        const HalfFloats halves[2] = {__builtin_convertvector(first, HalfFloats), __builtin_convertvector(second, HalfFloats)};
        VecFloat value;
        __builtin_memcpy(&value, halves, sizeof value);
        return value;
    }
}

/// The inverse of register_to_double, each half rounded to the lanes' type.
LIMRISK_INLINE void set_from_double(VecDouble& value, int, const VecDouble& half) { value = half; }
LIMRISK_INLINE void set_from_double(VecFloat& value, int half, const VecDouble& doubles) {
    typedef float HalfFloats __attribute__((vector_size(LIMRISK_VECTOR_BYTES / 2)));
    const HalfFloats rounded = __builtin_convertvector(doubles, HalfFloats);
    __builtin_memcpy(reinterpret_cast<char*>(&value) + half * (LIMRISK_VECTOR_BYTES / 2), &rounded, sizeof rounded);
}

/// register_to_double of all lanes.
template <class Real>
LIMRISK_INLINE Pack<double> to_double(const Pack<Real>& pack) {
    constexpr int halves = parts<double> / parts<Real>;
    Pack<double> result;
    for_parts<double>([&](int p) { result.part[p] = register_to_double(pack.part[p / halves], p % halves); });
    return result;
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
