// Which training nodes a step uses, where it does not use all: docs/numerics.md section 14.
#pragma once
#include "philox.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Words that choose samples 4 call .. 4 call + 3 of a step, for every lane.
LIMRISK_INLINE void pick_words(const RoundKeys& keys, const VecWord& trial_low, const VecWord& trial_high, std::int64_t step,
                               std::int64_t call, VecWord (&words)[4]) {
    const auto position = static_cast<std::uint64_t>(step);
    words[0] = VecWord{} + static_cast<std::uint32_t>(position);
    words[1] = VecWord{} + (purpose_word(Purpose::Picks, position) + static_cast<std::uint32_t>(call));
    words[2] = trial_low;
    words[3] = trial_high;
    philox_rounds(words, keys);
}

/// The number of thresholds [count - 1], ascending, that are at most `word`.
LIMRISK_INLINE std::int64_t picked_by_weight(const std::uint32_t* thresholds, std::int64_t count, std::uint32_t word) {
    std::int64_t low = 0, high = count - 1;
    while (low < high) {
        const std::int64_t middle = (low + high) / 2;
        if (thresholds[middle] <= word)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/// Random orders of `count` nodes: a Feistel network on the least power of two that holds their numbers, walked until it gives one of them.
struct OrderShape {
    std::uint32_t count = 0, low_bits = 0, low_mask = 0, high_mask = 0;
    std::uint32_t calls = 0;  ///< of Philox for the keys of the rounds, four for each

    OrderShape() = default;
    constexpr explicit OrderShape(std::uint32_t nodes) : count(nodes) {
        std::uint32_t bits = 2;
        while (bits < 32 && (count - 1) >> bits != 0) ++bits;
        low_bits = bits / 2;
        low_mask = (1u << low_bits) - 1;
        high_mask = (1u << (bits - low_bits)) - 1;
        calls = count <= 16 ? most_calls : most_calls / 2;
    }

    static constexpr std::uint32_t most_calls = 6;  // few nodes need more, so that all orders are equally likely

    /// The rounds whose keys a call gives.
    template <class Word>
    LIMRISK_INLINE Word rounds(Word x, const Word* keys) const {
        LIMRISK_UNROLL(4)
        for (int j = 0; j < 4; ++j) {
            Word high = x >> low_bits, low = x & low_mask;
            if (j % 2 == 0)
                high = high ^ (mixed(keys[j], low) & high_mask);
            else
                low = low ^ (mixed(keys[j], high) & low_mask);
            x = (high << low_bits) | low;
        }
        return x;
    }

private:
    template <class Word>
    static LIMRISK_INLINE Word mixed(Word key, Word value) {
        Word x = key + value * 0x9E3779B1u;
        x = x ^ (x >> 16);
        x = x * 0x85EBCA6Bu;
        x = x ^ (x >> 13);
        x = x * 0xC2B2AE35u;
        return x ^ (x >> 16);
    }
};

#if !defined(__CUDACC__)
/// One such order for every lane of the CPU: that of an epoch, or that by which points are held out.
class EpochOrder {
public:
    EpochOrder() = default;
    EpochOrder(const RoundKeys& keys, const VecWord& trial_low, const VecWord& trial_high, std::int64_t epoch, std::uint32_t count,
               Purpose purpose = Purpose::Epochs)
        : shape_(count) {
        const auto position = static_cast<std::uint64_t>(epoch);
        for (std::uint32_t call = 0; call < shape_.calls; ++call) {
            VecWord words[4] = {VecWord{} + static_cast<std::uint32_t>(position), VecWord{} + (purpose_word(purpose, position) + call),
                                trial_low, trial_high};
            philox_rounds(words, keys);
            for (std::uint32_t w = 0; w < 4; ++w) keys_[4 * call + w] = words[w];
        }
    }

    /// The node at a place of the order, per lane.
    VecWord at(std::uint32_t place) const {
        VecWord node = once(VecWord{} + place, keys_);
        for (std::size_t i = 0; i < sizeof(VecWord) / 4; ++i) {
            std::uint32_t walked = node[i];
            if (walked < shape_.count) continue;
            std::uint32_t keys[most_rounds];
            for (std::uint32_t j = 0; j < 4 * shape_.calls; ++j) keys[j] = keys_[j][i];
            while (walked >= shape_.count) walked = once(walked, keys);
            node[i] = walked;
        }
        return node;
    }

private:
    static constexpr std::uint32_t most_rounds = 4 * OrderShape::most_calls;

    template <class Word>
    Word once(Word x, const Word (&keys)[most_rounds]) const {
        for (std::uint32_t call = 0; call < shape_.calls; ++call) x = shape_.rounds(x, keys + 4 * call);
        return x;
    }

    VecWord keys_[most_rounds] = {};
    OrderShape shape_;
};
#endif

/// Where a trial is in its epochs.
struct EpochPlace {
    std::int64_t epoch = 0;
    std::uint32_t place = 0;  ///< below the number of nodes

    EpochPlace() = default;
    /// That of a sample, the first of all being number 0.
    constexpr EpochPlace(std::int64_t sample, std::int64_t nodes)
        : epoch(sample / nodes), place(static_cast<std::uint32_t>(sample % nodes)) {}
};

/// What nodes are drawn by, and where the trials of a launch begin.
struct PickTables {
    const std::uint32_t* thresholds = nullptr;  ///< as of Cell
    OrderShape order;                           ///< of an epoch
    EpochPlace start, batch;                    ///< the first sample of the launch; how far a batch leads on

    PickTables() = default;
    ///   first  number of the first sample, if there are epochs
    PickTables(const std::uint32_t* of_cell, std::int64_t nodes, std::int64_t first, std::int64_t batch_samples)
        : thresholds(of_cell), order(static_cast<std::uint32_t>(nodes)), start(first, nodes), batch(batch_samples, nodes) {}
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
