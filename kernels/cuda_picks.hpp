// Which training nodes the samples of a thread are, where a step does not use all of them: docs/numerics.md section 14.
#pragma once
#include "picks.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// `place` and so many samples more, at most a batch, which may be several epochs.
LIMRISK_INLINE EpochPlace later(const EpochPlace& place, std::uint32_t samples, std::uint32_t nodes) {
    EpochPlace sum;
    const std::uint32_t further = place.place + samples, epochs = further / nodes;
    sum.epoch = place.epoch + epochs;
    sum.place = further - epochs * nodes;
    return sum;
}

/// The nodes of `Count` samples of this thread's trial, one after the other from a place on. Keys are drawn anew for each application of
/// the network: all of them at once would take as many registers as a small replica.
template <std::uint32_t Count>
LIMRISK_INLINE void pick_by_epochs(const OrderShape& order, std::uint64_t seed, const TrialWords& trials, EpochPlace at,
                                   std::uint32_t (&nodes)[Count]) {
    LIMRISK_ROLLED
    for (std::uint32_t begin = 0; begin < Count;) {
        const std::uint32_t left = order.count - at.place, end = left < Count - begin ? begin + left : Count;
        LIMRISK_UNROLL(4)
        for (std::uint32_t t = 0; t < Count; ++t)
            if (begin <= t && t < end) nodes[t] = at.place + (t - begin);
        std::uint32_t walking = (1u << end) - (1u << begin);  // a bit for each sample of this epoch
        LIMRISK_ROLLED
        while (walking != 0) {
            std::uint32_t next[Count];
            LIMRISK_UNROLL(4)
            for (std::uint32_t t = 0; t < Count; ++t) next[t] = nodes[t];
            LIMRISK_ROLLED
            for (std::uint32_t call = 0; call < order.calls; ++call) {
                WordPack words[4];
                draw_words(seed, trials, Purpose::Epochs, static_cast<std::uint64_t>(at.epoch), WordPack{{call}}, words);
                const std::uint32_t keys[4] = {words[0].part[0], words[1].part[0], words[2].part[0], words[3].part[0]};
                LIMRISK_UNROLL(4)
                for (std::uint32_t t = 0; t < Count; ++t) next[t] = order.rounds(next[t], keys);
            }
            LIMRISK_UNROLL(4)
            for (std::uint32_t t = 0; t < Count; ++t) {
                const bool walks = (walking >> t & 1) != 0;
                nodes[t] = walks ? next[t] : nodes[t];
                if (walks && next[t] < order.count) walking &= ~(1u << t);
            }
        }
        begin = end;
        ++at.epoch;
        at.place = 0;
    }
}

/// The same of nodes that are drawn independently, from number `first` of the step on: a multiple of Count, which is 1, 2 or 4.
///   known  number of the nodes
template <std::uint32_t Count>
LIMRISK_INLINE void pick_independently(const std::uint32_t* thresholds, std::int64_t known, std::uint64_t seed, const TrialWords& trials,
                                       std::int64_t step, std::uint32_t first, std::uint32_t (&nodes)[Count]) {
    WordPack words[4];
    draw_words(seed, trials, Purpose::Picks, static_cast<std::uint64_t>(step), WordPack{{first / 4}}, words);
    LIMRISK_UNROLL(4)
    for (std::uint32_t t = 0; t < Count; ++t) {
        std::uint32_t word = words[t].part[0];
        LIMRISK_UNROLL(4)
        for (std::uint32_t w = t + Count; w < 4; w += Count) word = first % 4 == w - t ? words[w].part[0] : word;
        nodes[t] = thresholds == nullptr ? multiply_high(word, static_cast<std::uint32_t>(known))
                                         : static_cast<std::uint32_t>(picked_by_weight(thresholds, known, word));
    }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
