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

/// A random order of `count` nodes for every lane: a Feistel network on the least power of two that holds their numbers, walked until it
/// gives one of them. The order of an epoch, or that by which points are held out.
class EpochOrder {
public:
    EpochOrder() = default;
    EpochOrder(const RoundKeys& keys, const VecWord& trial_low, const VecWord& trial_high, std::int64_t epoch, std::uint32_t count,
               Purpose purpose = Purpose::Epochs)
        : count_(count) {
        std::uint32_t bits = 2;
        while (bits < 32 && (count - 1) >> bits != 0) ++bits;
        low_bits_ = bits / 2;
        low_mask_ = (1u << low_bits_) - 1;
        high_mask_ = (1u << (bits - low_bits_)) - 1;
        rounds_ = count <= 16 ? most_rounds : most_rounds / 2;
        const auto position = static_cast<std::uint64_t>(epoch);
        for (std::uint32_t call = 0; call < static_cast<std::uint32_t>(rounds_) / 4; ++call) {
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
            if (walked < count_) continue;
            std::uint32_t keys[most_rounds];
            for (int j = 0; j < rounds_; ++j) keys[j] = keys_[j][i];
            while (walked >= count_) walked = once(walked, keys);
            node[i] = walked;
        }
        return node;
    }

private:
    static constexpr int most_rounds = 24;  // few nodes need more, so that all orders are equally likely

    template <class Word>
    Word once(Word x, const Word (&keys)[most_rounds]) const {
        for (int j = 0; j < rounds_; ++j) {
            Word high = x >> low_bits_, low = x & low_mask_;
            if (j % 2 == 0)
                high = high ^ (mixed(keys[j], low) & high_mask_);
            else
                low = low ^ (mixed(keys[j], high) & low_mask_);
            x = (high << low_bits_) | low;
        }
        return x;
    }
    template <class Word>
    static Word mixed(Word key, Word value) {
        Word x = key + value * 0x9E3779B1u;
        x = x ^ (x >> 16);
        x = x * 0x85EBCA6Bu;
        x = x ^ (x >> 13);
        x = x * 0xC2B2AE35u;
        return x ^ (x >> 16);
    }

    VecWord keys_[most_rounds] = {};
    int rounds_ = 0;
    std::uint32_t count_ = 0, low_bits_ = 0, low_mask_ = 0, high_mask_ = 0;
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
