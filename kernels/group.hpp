// A group of replicas on the CPU: every lane of a SIMD register belongs to a replica. Where they lie, and what lanes exchange.
// docs/architecture.md, Layout of the replicas.
#pragma once
#include "cell.hpp"
#include "pack.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// N replicas of a cell in registers of W lanes. Lane i of register p holds lane p T + i / N of the tile of replica i mod N, T = W / N:
/// with N = W a register is one lane of the tile for W replicas; with fewer replicas it is T lanes of the tile.
struct GroupShape {
    std::int64_t dimension, width, slots;
    int tile;       ///< lanes of a tile, L
    int replicas;   ///< N, a power of two: W / L <= N <= W
    int together;   ///< lanes of a tile in one register, T
    int registers;  ///< of a row, L / T
    bool skip;      ///< whether u_0..u_{d-1} follow c, alike in all lanes of a tile as c is

    std::int64_t per_slot() const { return dimension + 2; }
    std::int64_t outer_bias() const { return slots * per_slot(); }
    std::int64_t skip_rows() const { return skip ? dimension : 0; }
    std::int64_t rows() const { return outer_bias() + 1 + skip_rows(); }
    /// Slots of register p that hold a neuron in at least one lane: all, or all but the last.
    std::int64_t slots_in(int p) const { return slots - (slots > 0 && (slots - 1) * tile + p * together >= width); }
};

/// Lanes of a register of Real.
template <class Real>
inline constexpr int register_lanes = LaneTraits<Vec<Real>>::lanes;

/// Replicas of the next group where `left` wait: as many as a register has lanes; of fewer the largest power of two, or the next one if
/// little of it is empty; at least as many as fill a register, and no more than fit into 256 MiB.
template <class Real>
int group_replicas(const Cell& cell, std::int64_t left) {
    constexpr int lanes = register_lanes<Real>;
    constexpr std::int64_t most_bytes = 1 << 28, arrays = 10;  // parameters, gradient, states, best, double copies
    int replicas = 1;
    while (replicas < lanes && replicas * 2 <= left) replicas *= 2;
    if (replicas < lanes && 4 * left > 3 * (2 * replicas)) replicas *= 2;
    const std::int64_t bytes = arrays * parameter_count(cell) * static_cast<std::int64_t>(sizeof(Real));
    while (replicas > 1 && replicas * bytes > most_bytes) replicas /= 2;
    while (replicas * cell.tile.lanes < lanes) replicas *= 2;
    return replicas;
}

template <class Real>
GroupShape group_shape(const Cell& cell, int replicas) {
    const int together = register_lanes<Real> / replicas, tile = cell.tile.lanes;
    return {cell.dimension, cell.width, cell.tile.neurons_per_lane, tile, replicas, together, tile / together, cell.skip};
}

template <class Real, class Body>
LIMRISK_INLINE void for_registers(const GroupShape& shape, const Body& body) {
    for (int p = 0; p < shape.registers; ++p) body(p);
}

/// Rows of a group: those of register p lie one after the other.
template <class Real>
struct RegisterRows {
    using V = Vec<Real>;
    V* first;
    std::int64_t stride;  ///< registers from row r of register p to row r of register p + 1

    /// Row r; its `part[p]` is register p.
    struct Row {
        struct Parts {
            V* first;
            std::int64_t stride;
            LIMRISK_INLINE V& operator[](int p) const { return first[p * stride]; }
        } part;
    };
    LIMRISK_INLINE Row operator[](std::int64_t row) const { return {{first + row, stride}}; }
    LIMRISK_INLINE RegisterRows operator+(std::int64_t rows) const { return {first + rows, stride}; }
    explicit operator bool() const { return first; }
};

/// In every lane, what its replica has in lane p T + j of the tile; `value` is register p.
template <class V>
LIMRISK_INLINE V spread(V value, int j, const GroupShape& shape) {
    using Int = typename RealTraits<RealOf<V>>::Int;
    if (shape.together == 1) return value;
    if (shape.replicas == 1) return value[j] - V{};
    return permute(value, (lane_numbers<V>() & static_cast<Int>(shape.replicas - 1)) + static_cast<Int>(j * shape.replicas));
}

/// Sum over the lanes of a tile that lie in one register, in each of them.
template <class V>
LIMRISK_INLINE V sum_within(V sum, const GroupShape& shape) {
    using Int = typename RealTraits<RealOf<V>>::Int;
    for (int distance = shape.together / 2; distance > 0; distance /= 2)
        sum = sum + permute(sum, lane_numbers<V>() ^ static_cast<Int>(distance * shape.replicas));
    return sum;
}

/// Sum over the lanes of each tile, in every lane of it: the tree of docs/numerics.md section 1.
///   values  [registers], destroyed
template <class V>
LIMRISK_INLINE V sum_over_tile(V* values, const GroupShape& shape) {
    for (int half = shape.registers / 2; half > 0; half /= 2)
        for (int p = 0; p < half; ++p) values[p] = values[p] + values[p + half];
    return sum_within(values[0], shape);
}

template <class V, class Share>
LIMRISK_INLINE V sum_over_tile(const GroupShape& shape, const Share& share) {
    V shares[warp_lanes];
    for (int p = 0; p < shape.registers; ++p) shares[p] = share(p);
    return sum_over_tile(shares, shape);
}

/// Lane i of a register in memory.
template <class V>
LIMRISK_INLINE RealOf<V>& lane_of(V& value, int i) {
    typedef RealOf<V> __attribute__((may_alias)) Element;
    return reinterpret_cast<Element*>(&value)[i];
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
