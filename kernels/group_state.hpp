// The numbers of the replicas of a group on the CPU, and those of one replica among them: to be saved where another group takes the replica
// over, in canonical order, and their fingerprint.
#pragma once
#include "arena.hpp"
#include "group.hpp"
#include "tracking.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

template <class Real>
RegisterRows<Real> take_rows(Arena& arena, const GroupShape& shape) {
    return {arena.take<Vec<Real>>(shape.registers * shape.rows()), shape.rows()};
}

template <class Real>
class GroupState {
public:
    using V = Vec<Real>;
    using Rows = RegisterRows<Real>;

    Rows theta, first{}, second{}, third{};  ///< of the optimizer: null if it has no such state
    Rows best, tail_start;                   ///< theta at the best check, at the first check of the window
    Rows average{}, average_lost{};          ///< of the iterates, and what its rounding has lost: null if the cell has no average
    Rows was_inactive;                       ///< [slots] 1 or 0, at the last check
    Rows followed{};                         ///< [slots][followed_rows] of follow_kinks(): null if the cell does not follow kinks

    void take(Arena& arena, const GroupShape& shape, int states, bool averages, bool follows_kinks) {
        shape_ = shape;
        theta = take_rows<Real>(arena, shape);
        best = take_rows<Real>(arena, shape);
        tail_start = take_rows<Real>(arena, shape);
        if (states >= 1) first = take_rows<Real>(arena, shape);
        if (states >= 2) second = take_rows<Real>(arena, shape);
        if (states >= 3) third = take_rows<Real>(arena, shape);
        if (averages) {
            average = take_rows<Real>(arena, shape);
            average_lost = take_rows<Real>(arena, shape);
        }
        was_inactive = {arena.take<V>(shape.registers * shape.slots), shape.slots};
        if (follows_kinks) followed = {arena.take<V>(shape.registers * shape.slots * followed_rows), shape.slots * followed_rows};
    }

    void clear() {
        for (const Rows& rows : arrays())
            for (int p = 0; rows && p < shape_.registers; ++p)
                for (std::int64_t row = 0; row < rows.stride; ++row) rows[row].part[p] = V{};
    }

    /// How many save() writes.
    std::int64_t numbers() const {
        std::int64_t rows = 0;
        for (const Rows& array : arrays()) rows += array.stride;  // 0 of those that the cell lacks
        return rows * shape_.tile;
    }
    /// All numbers of a replica, in an order that is the same in all groups of the cell.
    void save(int replica, Real* to) const {
        for_numbers(replica, [&](Real& number) { *to++ = number; });
    }
    void load(int replica, const Real* from) {
        for_numbers(replica, [&](Real& number) { number = *from++; });
    }

    void copy(Rows from, Rows to, const MaskOf<V>& replicas) {
        for (int p = 0; any(replicas) && p < shape_.registers; ++p)
            for (std::int64_t row = 0; row < shape_.rows(); ++row) {
                V& target = to[row].part[p];
                target = select(replicas, from[row].part[p], target);
            }
    }

    /// Calls body(j, value) for the coordinates of one replica: j is their place in canonical order.
    template <class Body>
    void for_coordinates(Rows rows, int replica, Body body) const {
        for (int lane = 0; lane < shape_.tile; ++lane)
            for_coordinates_of_lane(shape_, shape_.width, lane,
                                    [&](std::int64_t row, std::int64_t j) { body(j, number_at(rows, row, lane, replica)); });
    }

    /// In canonical order.
    void write(Rows rows, int replica, double* out) const {
        for_coordinates(rows, replica, [&](std::int64_t j, Real value) { out[j] = static_cast<double>(value); });
    }
    /// The inverse, rounded.
    void read(const double* in, int replica, Rows rows) const {
        for_coordinates(rows, replica, [&](std::int64_t j, Real& value) { value = static_cast<Real>(in[j]); });
        // All lanes of the tile have the outer bias and the skip weights.
        for (std::int64_t row = shape_.outer_bias(); row < shape_.rows(); ++row)
            for (int lane = 1; lane < shape_.tile; ++lane) number_at(rows, row, lane, replica) = number_at(rows, row, 0, replica);
    }

    std::uint64_t fingerprint(int replica) const {
        Fingerprint fingerprint;
        std::uint64_t array = 0;
        const Rows mixed[] = {theta, first, second, third};
        for (const Rows& rows : mixed) {
            if (rows)
                for_coordinates(rows, replica, [&](std::int64_t j, Real value) {
                    fingerprint.add(value, static_cast<std::uint64_t>(j) + array * static_cast<std::uint64_t>(parameter_count(
                                                                                       shape_.width, shape_.dimension, shape_.skip)));
                });
            ++array;
        }
        return fingerprint.value();
    }

private:
    struct Arrays {
        Rows rows[10];
        const Rows* begin() const { return rows; }
        const Rows* end() const { return rows + 10; }
    };
    /// What a replica is made of; those that the cell lacks are null.
    Arrays arrays() const { return {{theta, first, second, third, best, tail_start, was_inactive, average, average_lost, followed}}; }

    template <class Body>
    void for_numbers(int replica, Body body) const {
        for (const Rows& rows : arrays())
            for (std::int64_t row = 0; rows && row < rows.stride; ++row)
                for (int lane = 0; lane < shape_.tile; ++lane) body(number_at(rows, row, lane, replica));
    }

    /// The number of a replica in a row of a lane of its tile.
    Real& number_at(Rows rows, std::int64_t row, int lane, int replica) const {
        return lane_of(rows[row].part[lane / shape_.together], lane % shape_.together * shape_.replicas + replica);
    }

    GroupShape shape_{};
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
