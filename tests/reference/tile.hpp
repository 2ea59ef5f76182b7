// Shape of a tile, its sum, and the order in which it works through the samples. docs/numerics.md sections 1 and 3.
// Part of the scalar reference: shares no code with kernels/.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace limrisk::reference {

/// Network and tile of one replica. Neuron i lives in lane i % lanes, slot i / lanes.
struct Shape {
    std::int64_t width = 0, dimension = 1;
    std::int64_t lanes = 1;  ///< L
    std::int64_t slots = 0;  ///< Q
    bool skip = false;       ///< whether the network has a skip connection

    Shape(std::int64_t h, std::int64_t d, bool has_skip = false) : width(h), dimension(d), skip(has_skip) {
        const std::int64_t most_slots = std::clamp<std::int64_t>(24 / (d + 2), 1, 8);
        const auto slots_with = [h](std::int64_t l) { return (h + l - 1) / l; };
        while (lanes < 32 && slots_with(lanes) > most_slots) lanes *= 2;
        slots = slots_with(lanes);
    }
    /// Canonical places in the parameter array of section 10.
    std::size_t weight(std::int64_t i, std::int64_t k) const { return static_cast<std::size_t>(i * dimension + k); }
    std::size_t inner_bias(std::int64_t i) const { return static_cast<std::size_t>(width * dimension + i); }
    std::size_t outer_weight(std::int64_t i) const { return static_cast<std::size_t>(width * (dimension + 1) + i); }
    std::size_t outer_bias() const { return static_cast<std::size_t>(width * (dimension + 2)); }
    std::size_t skip_weight(std::int64_t k) const { return outer_bias() + 1 + static_cast<std::size_t>(k); }
    std::int64_t skip_weights() const { return skip ? dimension : 0; }
    std::size_t parameters() const { return skip_weight(skip_weights()); }
};

/// Sum of one number per lane, as a binary tree; the number of lanes is a power of two.
template <class Real>
Real tile_sum(std::vector<Real> s) {
    for (std::size_t distance = s.size() / 2; distance > 0; distance /= 2)
        for (std::size_t j = 0; j < distance; ++j) s[j] = s[j] + s[j + distance];
    return s[0];
}

/// G: samples that share their Philox calls, owned by one lane together.
inline std::int64_t samples_per_group(std::int64_t dimension) { return dimension == 1 ? 4 : dimension == 2 ? 2 : 1; }

struct OrderedSample {
    std::int64_t sample, lane;
    std::int64_t round;  ///< counted through the whole batch
};

/// Samples 0..count-1 in processing order, each with the lane that owns it.
inline std::vector<OrderedSample> processing_order(const Shape& shape, std::int64_t count) {
    const std::int64_t group = samples_per_group(shape.dimension);
    std::vector<OrderedSample> order;
    std::int64_t round = 0;
    for (std::int64_t base = 0; base < count; base += group * shape.lanes)
        for (std::int64_t t = 0; t < group; ++t, ++round)
            for (std::int64_t lane = 0; lane < shape.lanes; ++lane)
                if (const std::int64_t sample = base + group * lane + t; sample < count) order.push_back({sample, lane, round});
    return order;
}

/// Cuts the processing order into blocks: the place where each begins.
///   most  samples of a block
inline std::vector<std::size_t> block_starts(const std::vector<OrderedSample>& order, std::size_t most) {
    std::vector<std::size_t> starts{0};
    for (std::size_t first = 0, next; first < order.size(); first = next) {
        for (next = first; next < order.size() && order[next].round == order[first].round;) ++next;
        if (next - starts.back() > most) starts.push_back(first);
    }
    return starts;
}

}  // namespace limrisk::reference
