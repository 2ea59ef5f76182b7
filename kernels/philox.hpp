// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011) on lanes: counter-based, stateless. docs/numerics.md section 2.
#pragma once
#include "pack.hpp"
#if defined(__CUDACC_RTC__) && __has_include(<curand_philox4x32_x.h>)
#include <curand_philox4x32_x.h>  // the program carries it where the toolkit that built it had it
#define LIMRISK_CURAND_PHILOX
#endif

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

enum class Purpose : std::uint32_t { Neuron = 1, OuterBias = 2, Samples = 3 };

/// Ten rounds on every lane. counter: four words per lane, replaced by the output. key: the same for all lanes.
LIMRISK_INLINE void philox(WordPack (&counter)[4], std::uint64_t key) {
#if defined(LIMRISK_CURAND_PHILOX)
    const uint4 words = curand_Philox4x32_10({counter[0].part[0], counter[1].part[0], counter[2].part[0], counter[3].part[0]},
                                             {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
    counter[0].part[0] = words.x;
    counter[1].part[0] = words.y;
    counter[2].part[0] = words.z;
    counter[3].part[0] = words.w;
#else
    LIMRISK_UNROLL(8)
    for (int p = 0; p < word_parts; ++p) {
        VecWord c0 = counter[0].part[p], c1 = counter[1].part[p], c2 = counter[2].part[p], c3 = counter[3].part[p];
        std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
        LIMRISK_UNROLL(10)
        for (int round = 0; round < 10; ++round) {
            const VecWord high0 = multiply_high(c0, 0xD2511F53u), low0 = c0 * 0xD2511F53u;
            const VecWord high1 = multiply_high(c2, 0xCD9E8D57u), low1 = c2 * 0xCD9E8D57u;
            c0 = high1 ^ c1 ^ k0;
            c1 = low1;
            c2 = high0 ^ c3 ^ k1;
            c3 = low0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        counter[0].part[p] = c0;
        counter[1].part[p] = c1;
        counter[2].part[p] = c2;
        counter[3].part[p] = c3;
    }
#endif
}

/// Trial numbers of the lanes, split into words.
struct TrialWords {
    WordPack low, high;
};

/// Lane i belongs to replica i / tile, whose trial is first_trial + i / tile.
LIMRISK_INLINE TrialWords trial_words(std::int64_t first_trial, int tile) {
    const auto trial = [&](int i) { return static_cast<std::uint64_t>(first_trial + i / tile); };
    return {make_words([&](int i) { return static_cast<std::uint32_t>(trial(i)); }),
            make_words([&](int i) { return static_cast<std::uint32_t>(trial(i) >> 32); })};
}

/// Four words per lane at `position` (all lanes alike) and `call` (per lane) of a purpose.
LIMRISK_INLINE void draw_words(std::uint64_t seed, const TrialWords& trials, Purpose purpose, std::uint64_t position, const WordPack& call,
                               WordPack (&words)[4]) {
    const std::uint32_t tag = (static_cast<std::uint32_t>(purpose) << 28) | (static_cast<std::uint32_t>(position >> 32) << 20);
    LIMRISK_UNROLL(8)
    for (int p = 0; p < word_parts; ++p) {
        words[0].part[p] = VecWord{} + static_cast<std::uint32_t>(position);
        words[1].part[p] = call.part[p] + tag;
        words[2].part[p] = trials.low.part[p];
        words[3].part[p] = trials.high.part[p];
    }
    philox(words, seed);
}

/// The same with a position per lane (position < 2^32).
LIMRISK_INLINE void draw_words(std::uint64_t seed, const TrialWords& trials, Purpose purpose, const WordPack& position, std::uint32_t call,
                               WordPack (&words)[4]) {
    for (int p = 0; p < word_parts; ++p) {
        words[0].part[p] = position.part[p];
        words[1].part[p] = VecWord{} + ((static_cast<std::uint32_t>(purpose) << 28) + call);
        words[2].part[p] = trials.low.part[p];
        words[3].part[p] = trials.high.part[p];
    }
    philox(words, seed);
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
